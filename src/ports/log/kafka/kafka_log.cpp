#include "ports/log/kafka/kafka_log.hpp"

#include <algorithm>
#include <utility>

#include "ports/log/checks.hpp"
#include "ports/log/kafka/consumer.hpp"
#include "ports/log/kafka/reader.hpp"
#include "ports/log/kafka/sender.hpp"

namespace ekiden::log {
namespace {

using kafka::Admin;
using kafka::Bounds;
using kafka::Catalog;
using kafka::KafkaConsumer;
using kafka::Marks;
using kafka::Sender;

constexpr std::size_t kPrefixBytesMax = 60;

class KafkaProducer final : public Producer {
 public:
  explicit KafkaProducer(std::shared_ptr<Sender> sender) : sender_(std::move(sender)) {}
  void send(Message message, Delivered done) override { sender_->send(std::move(message), std::move(done)); }

 private:
  const std::shared_ptr<Sender> sender_;
};

/// The settings and the logger stay where they are: the clients' threads refer to them.
struct Ground {
  KafkaConfig config;
  const Clock& clock;
  Logger logger;
};

class KafkaLog final : public Log {
 public:
  KafkaLog(std::unique_ptr<Ground> ground, std::unique_ptr<Admin> admin, std::shared_ptr<Sender> sender)
      : ground_(std::move(ground)),
        admin_(std::move(admin)),
        sender_(std::move(sender)),
        reader_(ground_->config, ground_->clock, ground_->logger, admin_->names()),
        offsets_(ground_->config, ground_->logger, admin_->names()) {}
  ~KafkaLog() override { sender_->stop(); }
  KafkaLog(const KafkaLog&) = delete;
  KafkaLog& operator=(const KafkaLog&) = delete;

  Result<void> ensure_topics(const std::vector<TopicConfig>& topics) override;
  Result<std::vector<TopicConfig>> topics() const override { return admin_->topics(); }
  std::shared_ptr<Producer> producer() override { return std::make_shared<KafkaProducer>(sender_); }
  Result<std::unique_ptr<Consumer>> join(ConsumerConfig config, RebalanceListener& listener) override;
  Result<std::vector<Record>> read(const TopicPartition& at, Offset from, std::size_t max) override;
  Result<std::vector<PartitionState>> state(std::string_view group, std::string_view topic) override;
  Result<std::vector<std::string>> groups() override { return admin_->groups(); }
  Result<void> reset(std::string_view group, const TopicPartition& at, CommittedOffset to) override;
  Result<std::int64_t> enforce_retention() override { return 0; }

 private:
  std::chrono::milliseconds timeout() const { return ground_->config.request_timeout; }
  Result<Marks> start_late(const ConsumerConfig& config, const Catalog& catalog);

  const std::unique_ptr<Ground> ground_;
  const std::unique_ptr<Admin> admin_;
  const std::shared_ptr<Sender> sender_;
  kafka::Reader reader_;
  kafka::GroupOffsets offsets_;
  kafka::Members members_;
};

std::vector<TopicPartition> partitions_of(const std::string& topic, std::int32_t count) {
  std::vector<TopicPartition> partitions;
  for (std::int32_t i = 0; i < count; ++i) partitions.push_back({topic, i});
  return partitions;
}

Result<void> KafkaLog::ensure_topics(const std::vector<TopicConfig>& topics) {
  for (const TopicConfig& topic : topics) EKIDEN_CHECK(check(topic));
  EKIDEN_CHECK(admin_->ensure(topics));
  return sender_->look();
}

Result<Marks> KafkaLog::start_late(const ConsumerConfig& config, const Catalog& catalog) {
  Marks ends;
  for (const std::string& topic : config.topics) {
    const auto partitions = partitions_of(topic, catalog.find(topic)->second);
    EKIDEN_TRY(const Marks marks, offsets_.read(config.group, partitions, timeout()));
    if (!marks.empty()) continue;
    EKIDEN_TRY(const auto bounds, admin_->bounds(partitions, timeout()));
    for (const auto& [at, found] : bounds) ends[at] = found.end;
  }
  if (ends.empty()) return ends;
  const auto set = offsets_.set(config.group, ends);
  // A group that has members already: whoever gets a partition commits where it starts.
  if (!set && set.error().code() != Errc::conflict) return set.error();
  return ends;
}

Result<std::unique_ptr<Consumer>> KafkaLog::join(ConsumerConfig config, RebalanceListener& listener) {
  EKIDEN_CHECK(check(config));
  EKIDEN_TRY(const Catalog catalog, admin_->catalog());
  for (const std::string& topic : config.topics) {
    if (!catalog.contains(topic)) {
      return Error{Errc::invalid, "no-such-topic", "there is no such topic", "topics"};
    }
  }
  Marks latest;
  if (config.start_at == StartAt::latest) {
    EKIDEN_TRY(latest, start_late(config, catalog));
  }
  EKIDEN_TRY(auto member, KafkaConsumer::make(
                              {ground_->config, ground_->clock, ground_->logger, *admin_, offsets_, members_},
                              std::move(config), std::move(latest), listener));
  return std::unique_ptr<Consumer>(std::move(member));
}

Result<std::vector<Record>> KafkaLog::read(const TopicPartition& at, Offset from, std::size_t max) {
  EKIDEN_TRY(const auto bounds, admin_->bounds({at}, timeout()));
  const Bounds& ends = bounds.at(at);
  const std::int64_t first = std::max(from.value, ends.begin);
  if (first >= ends.end || max == 0) return std::vector<Record>{};
  return reader_.read(at, first, ends.end, max);
}

Result<std::vector<PartitionState>> KafkaLog::state(std::string_view group, std::string_view topic) {
  EKIDEN_TRY(const Catalog catalog, admin_->catalog());
  const auto found = catalog.find(topic);
  if (found == catalog.end()) return Error{Errc::not_found, "no-such-topic", "there is no such topic"};
  // The offsets first: the ends may only have moved on since.
  const auto partitions = partitions_of(found->first, found->second);
  EKIDEN_TRY(const Marks marks, offsets_.read(std::string(group), partitions, timeout()));
  EKIDEN_TRY(const auto bounds, admin_->bounds(partitions, timeout()));
  std::vector<PartitionState> states;
  for (const auto& [at, ends] : bounds) {
    PartitionState state{at, Offset{ends.begin}, Offset{ends.end}, {}, ends.end - ends.begin};
    if (const auto mark = marks.find(at); mark != marks.end()) {
      state.committed = CommittedOffset{mark->second};
      state.lag_events = std::max<std::int64_t>(0, ends.end - mark->second);
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<void> KafkaLog::reset(std::string_view group, const TopicPartition& at, CommittedOffset to) {
  if (!is_valid_name(group)) {
    return Error{Errc::invalid, "bad-name", "a group's name is 1 to 100 of [a-z0-9._-]", "group"};
  }
  EKIDEN_TRY(const auto bounds, admin_->bounds({at}, timeout()));
  if (to.value < 0 || to.value > bounds.at(at).end) {
    return Error{Errc::invalid, "bad-offset", "the offset is beyond the partition's end", "to"};
  }
  if (members_.reset(group, at, to)) return {};
  return offsets_.set(std::string(group), {{at, to.value}});
}

}  // namespace

Result<std::unique_ptr<Log>> make_kafka_log(KafkaConfig config, const Clock& clock, Logger logger) {
  if (config.brokers.empty()) {
    return Error{Errc::invalid, "bad-kafka-setting", "the brokers are not named", "brokers"};
  }
  if (!config.prefix.empty() && (config.prefix.size() > kPrefixBytesMax || !is_valid_name(config.prefix))) {
    return Error{Errc::invalid, "bad-kafka-setting", "a prefix is up to 60 of [a-z0-9._-]", "prefix"};
  }
  auto ground = std::make_unique<Ground>(Ground{std::move(config), clock, std::move(logger)});
  EKIDEN_TRY(auto admin, Admin::make(ground->config, ground->logger));
  EKIDEN_TRY(auto sender, Sender::make(ground->config, ground->logger));
  return std::unique_ptr<Log>(
      std::make_unique<KafkaLog>(std::move(ground), std::move(admin), std::move(sender)));
}

}  // namespace ekiden::log
