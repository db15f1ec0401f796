#include "ports/log/kafka/handles.hpp"

#include <array>

#include <syslog.h>

namespace ekiden::log::kafka {
namespace {

constexpr std::size_t kReasonBytes = 512;

Link& link_of(void* opaque) {
  return *static_cast<Link*>(opaque);
}

/// For callbacks on the owner's own thread.
Owner& owner_of(void* opaque) {
  const MutexLock lock(link_of(opaque).mutex);
  return *link_of(opaque).owner;
}

void log_line(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  Link& link = link_of(rd_kafka_opaque(client));
  const MutexLock lock(link.mutex);
  if (link.owner == nullptr) return;
  const Logger& logger = link.owner->logger();
  if (level <= LOG_WARNING) {
    logger.warning("kafka_client", {{"facility", facility}, {"text", text}});
  } else {
    logger.debug("kafka_client", {{"facility", facility}, {"text", text}});
  }
}

void error_told(rd_kafka_t*, int code, const char* reason, void* opaque) {
  owner_of(opaque).on_error(static_cast<rd_kafka_resp_err_t>(code), reason);
}

void rebalance_told(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                    void* opaque) {
  owner_of(opaque).on_rebalance(code, *partitions);
}

void commit_told(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t*, void* opaque) {
  owner_of(opaque).on_commit(code);
}

void delivery_told(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  owner_of(opaque).on_delivery(*message);
}

std::int32_t choose_partition(const rd_kafka_topic_t*, const void* key, std::size_t size,
                              std::int32_t partitions, void*, void*) {
  const auto* bytes = static_cast<const char*>(key);
  return partition_of(bytes == nullptr ? std::string_view{} : std::string_view{bytes, size}, partitions);
}

}  // namespace

Owner::Owner(const Logger& logger) : logger_(logger), link_(std::make_shared<Link>()) {
  const MutexLock lock(link_->mutex);
  link_->owner = this;
}

void Owner::abandon(Client client) {
  {
    const MutexLock lock(link_->mutex);
    link_->owner = nullptr;
  }
  // Neither is ever freed: the client's threads go on with both.
  static_cast<void>(client.release());
  static_cast<void>(new std::shared_ptr<Link>(link_));  // NOLINT(cppcoreguidelines-owning-memory)
}

std::optional<std::string> Names::inside(std::string_view theirs) const {
  if (!theirs.starts_with(prefix_)) return std::nullopt;
  return std::string(theirs.substr(prefix_.size()));
}

List list_of(const Names& names, const std::vector<TopicPartition>& partitions, std::int64_t offset) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& at : partitions) {
    auto* entry =
        rd_kafka_topic_partition_list_add(list.get(), names.outside(at.topic).c_str(), at.partition);
    entry->offset = offset;
  }
  return list;
}

Error error_of(rd_kafka_resp_err_t code, std::string_view what) {
  const auto is = [&](Errc errc, const char* slug) {
    return Error{errc, slug, std::string(what) + ": " + rd_kafka_err2str(code)};
  };
  switch (code) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return is(Errc::invalid, "no-such-topic");
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
      return is(Errc::invalid, "record-too-large");
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return is(Errc::busy, "log-busy");
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return is(Errc::timeout, "log-timeout");
    default:
      return is(Errc::unavailable, "log-unavailable");
  }
}

ConfBuilder::ConfBuilder(const KafkaConfig& config, Owner& owner)
    : config_(config), conf_(rd_kafka_conf_new()) {
  rd_kafka_conf_set_opaque(conf_.get(), owner.link_.get());
  rd_kafka_conf_set_log_cb(conf_.get(), log_line);
  rd_kafka_conf_set_error_cb(conf_.get(), error_told);
  set("bootstrap.servers", config.brokers);
  set("client.id", "ekiden");
  set("log.connection.close", "false");
  set("socket.keepalive.enable", "true");
  set("socket.nagle.disable", "true");
  set("reconnect.backoff.ms", 50);
  set("reconnect.backoff.max.ms", 1'000);
  set("topic.metadata.refresh.interval.ms", config.look_every.count());
  set("allow.auto.create.topics", "false");
}

ConfBuilder& ConfBuilder::set(const char* name, const std::string& value) {
  std::array<char, kReasonBytes> reason{};
  if (!fault_ &&
      rd_kafka_conf_set(conf_.get(), name, value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK) {
    fault_ = Error{Errc::invalid, "bad-kafka-setting", reason.data(), name};
  }
  return *this;
}

ConfBuilder& ConfBuilder::for_consumer() {
  rd_kafka_conf_set_rebalance_cb(conf_.get(), rebalance_told);
  rd_kafka_conf_set_offset_commit_cb(conf_.get(), commit_told);
  return *this;
}

ConfBuilder& ConfBuilder::for_producer() {
  rd_kafka_conf_set_dr_msg_cb(conf_.get(), delivery_told);
  rd_kafka_topic_conf_t* topic = rd_kafka_topic_conf_new();
  rd_kafka_topic_conf_set_partitioner_cb(topic, choose_partition);
  rd_kafka_conf_set_default_topic_conf(conf_.get(), topic);
  return *this;
}

Result<Client> ConfBuilder::build(rd_kafka_type_t type) {
  for (const auto& [name, value] : config_.properties) set(name.c_str(), value);
  if (fault_) return *fault_;
  std::array<char, kReasonBytes> reason{};
  Client client(rd_kafka_new(type, conf_.get(), reason.data(), reason.size()));
  if (!client) return Error{Errc::invalid, "bad-kafka-setting", reason.data(), "kafka"};
  static_cast<void>(conf_.release());  // the client's now
  return client;
}

}  // namespace ekiden::log::kafka
