#include "ports/log/kafka/admin.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "ports/log/checks.hpp"

namespace ekiden::log::kafka {
namespace {

using Settings = std::map<std::string, std::string>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using NewPartitions = std::unique_ptr<rd_kafka_NewPartitions_t, Destroy<rd_kafka_NewPartitions_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
constexpr const char* kRetention = "retention.ms";
constexpr const char* kLargest = "max.message.bytes";
// A batch of one largest record, with its key and headers.
constexpr std::size_t kRecordBytesMax = 2 * (kValueBytesMax + kKeyBytesMax + kHeaderBytesMax);
// Nothing tells when the brokers have heard of a new topic: they are asked again after so long.
constexpr int kAskAgainMs = 20;
// As timestamps in a request for offsets; the protocol's own.
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;

struct Metadata {
  const struct rd_kafka_metadata* raw = nullptr;
  ~Metadata() {
    if (raw != nullptr) rd_kafka_metadata_destroy(raw);
  }
};

Result<void> read_metadata(rd_kafka_t* client, std::chrono::milliseconds timeout, Metadata& out) {
  // All of them: asking for one that is not there would make it where brokers are set up so.
  const auto code = rd_kafka_metadata(client, 1, nullptr, &out.raw, millis(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "the topics could not be read");
  return {};
}

std::string retention_ms(const TopicConfig& topic) {
  return std::to_string(std::chrono::milliseconds{topic.retention}.count());
}

/// The worst that happened to one of the topics of an answer; `harmless` is not bad.
template <class Answer, auto topics_of>
rd_kafka_resp_err_t worst(const Answer* answer, rd_kafka_resp_err_t harmless) {
  std::size_t count = 0;
  const rd_kafka_topic_result_t** topics = topics_of(answer, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(topics[i]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != harmless) return code;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

Result<Catalog> read_catalog(rd_kafka_t* client, const Names& names, std::chrono::milliseconds timeout) {
  Metadata metadata;
  EKIDEN_CHECK(read_metadata(client, timeout, metadata));
  Catalog catalog;
  for (int i = 0; i < metadata.raw->topic_cnt; ++i) {
    const auto& topic = metadata.raw->topics[i];
    auto name = names.inside(topic.topic);
    if (name && is_valid_name(*name) && !name->starts_with("__") && topic.partition_cnt > 0) {
      catalog.emplace(*std::move(name), topic.partition_cnt);
    }
  }
  return catalog;
}

Result<std::unique_ptr<Admin>> Admin::make(const KafkaConfig& config, const Logger& logger) {
  std::unique_ptr<Admin> admin(new Admin(config, logger));
  EKIDEN_TRY(admin->client_, ConfBuilder(config, *admin).build(RD_KAFKA_PRODUCER));
  return admin;
}

Result<Event> Admin::ask(rd_kafka_admin_op_t operation, std::string_view what, const Ask& request) const {
  const Queue queue(rd_kafka_queue_new(client_.get()));
  const AdminOptions options(rd_kafka_AdminOptions_new(client_.get(), operation));
  std::array<char, 256> reason{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), millis(config_.request_timeout), reason.data(),
                                            reason.size());
  request(client_.get(), options.get(), queue.get());
  // The request times out by itself: this is only the bound of a bug.
  constexpr std::chrono::milliseconds kGrace{2'000};
  Event event(rd_kafka_queue_poll(queue.get(), millis(config_.request_timeout + kGrace)));
  if (!event) return error_of(RD_KAFKA_RESP_ERR__TIMED_OUT, what);
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error_of(code, what);
  }
  return event;
}

Result<Catalog> Admin::catalog() const {
  return read_catalog(client_.get(), names_, config_.request_timeout);
}

Result<void> Admin::create(const std::vector<TopicConfig>& topics) const {
  constexpr std::string_view kWhat = "the topics could not be made";
  std::vector<NewTopic> owned;
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (const TopicConfig& topic : topics) {
    std::array<char, 256> reason{};
    NewTopic made(rd_kafka_NewTopic_new(names_.outside(topic.name).c_str(), topic.partitions,
                                        config_.replication, reason.data(), reason.size()));
    if (!made) return Error{Errc::invalid, "bad-topic", reason.data(), "topics"};
    rd_kafka_NewTopic_set_config(made.get(), kRetention, retention_ms(topic).c_str());
    rd_kafka_NewTopic_set_config(made.get(), kLargest, std::to_string(kRecordBytesMax).c_str());
    wanted.push_back(made.get());
    owned.push_back(std::move(made));
  }
  EKIDEN_TRY(const Event event,
             ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, kWhat, [&](rd_kafka_t* client, auto* options, auto* queue) {
               rd_kafka_CreateTopics(client, wanted.data(), wanted.size(), options, queue);
             }));
  // Another process may have been quicker.
  const auto code = worst<rd_kafka_CreateTopics_result_t, rd_kafka_CreateTopics_result_topics>(
      rd_kafka_event_CreateTopics_result(event.get()), RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  return {};
}

Result<void> Admin::grow(const TopicConfig& topic) const {
  constexpr std::string_view kWhat = "partitions could not be added";
  std::array<char, 256> reason{};
  const NewPartitions wanted(rd_kafka_NewPartitions_new(names_.outside(topic.name).c_str(),
                                                        static_cast<std::size_t>(topic.partitions),
                                                        reason.data(), reason.size()));
  if (!wanted) return Error{Errc::invalid, "bad-topic", reason.data(), "topics"};
  EKIDEN_TRY(const Event event, ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, kWhat,
                                    [&](rd_kafka_t* client, auto* options, auto* queue) {
                                      auto* one = wanted.get();
                                      rd_kafka_CreatePartitions(client, &one, 1, options, queue);
                                    }));
  // INVALID_PARTITIONS: another process has added them meanwhile.
  const auto code = worst<rd_kafka_CreatePartitions_result_t, rd_kafka_CreatePartitions_result_topics>(
      rd_kafka_event_CreatePartitions_result(event.get()), RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  return {};
}

Result<std::map<std::string, Settings>> Admin::settings(const std::vector<std::string>& topics) const {
  if (topics.empty()) return std::map<std::string, Settings>{};
  std::vector<Resource> owned;
  std::vector<rd_kafka_ConfigResource_t*> wanted;
  for (const std::string& topic : topics) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, names_.outside(topic).c_str()));
    wanted.push_back(owned.back().get());
  }
  EKIDEN_TRY(const Event event,
             ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "the topics' settings could not be read",
                 [&](rd_kafka_t* client, auto* options, auto* queue) {
                   rd_kafka_DescribeConfigs(client, wanted.data(), wanted.size(), options, queue);
                 }));
  std::size_t resources = 0;
  const auto** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &resources);
  std::map<std::string, Settings> all;
  for (std::size_t i = 0; i < resources; ++i) {
    const auto name = names_.inside(rd_kafka_ConfigResource_name(found[i]));
    std::size_t entries = 0;
    const auto** settings = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (std::size_t j = 0; name && j < entries; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(settings[j]);
      const std::string key = rd_kafka_ConfigEntry_name(settings[j]);
      const bool is_own =
          rd_kafka_ConfigEntry_source(settings[j]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
      if (value != nullptr && (is_own || key == kRetention)) all[*name][key] = value;
    }
  }
  return all;
}

Result<void> Admin::change_retention(const TopicConfig& topic, Settings settings) const {
  constexpr std::string_view kWhat = "the retention could not be set";
  settings[kRetention] = retention_ms(topic);
  // The request replaces all of a topic's own settings, so that those of others go with it.
  const Resource wanted(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, names_.outside(topic.name).c_str()));
  for (const auto& [name, value] : settings) {
    rd_kafka_ConfigResource_set_config(wanted.get(), name.c_str(), value.c_str());
  }
  EKIDEN_TRY(const Event event,
             ask(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, kWhat, [&](rd_kafka_t* client, auto* options, auto* queue) {
               auto* one = wanted.get();
               rd_kafka_AlterConfigs(client, &one, 1, options, queue);
             }));
  std::size_t count = 0;
  const auto** changed =
      rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_ConfigResource_error(changed[i]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  }
  return {};
}

Result<void> Admin::wait_for(const std::vector<TopicConfig>& topics) const {
  const Queue nothing(rd_kafka_queue_new(client_.get()));
  for (int waited = 0; waited < millis(config_.request_timeout); waited += kAskAgainMs) {
    Metadata metadata;
    EKIDEN_CHECK(read_metadata(client_.get(), config_.request_timeout, metadata));
    Catalog led;
    for (int i = 0; i < metadata.raw->topic_cnt; ++i) {
      const auto& topic = metadata.raw->topics[i];
      const auto name = names_.inside(topic.topic);
      if (!name) continue;
      led[*name] = static_cast<std::int32_t>(
          std::count_if(topic.partitions, topic.partitions + topic.partition_cnt,
                        [](const auto& partition) { return partition.leader >= 0; }));
    }
    if (std::ranges::all_of(topics, [&](const auto& topic) { return led[topic.name] >= topic.partitions; })) {
      return {};
    }
    const Event none(rd_kafka_queue_poll(nothing.get(), kAskAgainMs));
  }
  return error_of(RD_KAFKA_RESP_ERR__TIMED_OUT, "the topics have no leaders");
}

Result<void> Admin::ensure(const std::vector<TopicConfig>& topics) const {
  EKIDEN_TRY(const Catalog known, catalog());
  std::vector<TopicConfig> missing;
  std::vector<TopicConfig> small;
  std::vector<std::string> present;
  for (const TopicConfig& topic : topics) {
    const auto found = known.find(topic.name);
    if (found == known.end()) {
      missing.push_back(topic);
      continue;
    }
    present.push_back(topic.name);
    if (found->second < topic.partitions) small.push_back(topic);
    if (found->second > topic.partitions) {
      logger().info("log_topic_is_wider",
                    {{"topic", topic.name}, {"configured", topic.partitions}, {"partitions", found->second}});
    }
  }
  if (!missing.empty()) EKIDEN_CHECK(create(missing));
  for (const TopicConfig& topic : small) EKIDEN_CHECK(grow(topic));
  EKIDEN_TRY(auto settings, this->settings(present));
  for (const TopicConfig& topic : topics) {
    const auto found = settings.find(topic.name);
    if (found == settings.end() || found->second[kRetention] == retention_ms(topic)) continue;
    EKIDEN_CHECK(change_retention(topic, found->second));
  }
  if (missing.empty() && small.empty()) return {};
  return wait_for(topics);
}

Result<std::vector<TopicConfig>> Admin::topics() const {
  EKIDEN_TRY(const Catalog known, catalog());
  std::vector<std::string> names;
  for (const auto& [name, partitions] : known) names.push_back(name);
  EKIDEN_TRY(auto settings, this->settings(names));
  std::vector<TopicConfig> topics;
  for (const auto& [name, partitions] : known) {
    TopicConfig topic{.name = name, .partitions = partitions};
    const std::string text = settings[name][kRetention];
    const std::int64_t kept = text.empty() ? 0 : std::stoll(text);
    // -1: for ever.
    topic.retention = kept < 0
                          ? std::chrono::hours::max()
                          : std::chrono::duration_cast<std::chrono::hours>(std::chrono::milliseconds{kept});
    topics.push_back(std::move(topic));
  }
  return topics;
}

Result<std::vector<std::string>> Admin::groups() const {
  EKIDEN_TRY(const Event event, ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, "the groups could not be read",
                                    [](rd_kafka_t* client, auto* options, auto* queue) {
                                      rd_kafka_ListConsumerGroups(client, options, queue);
                                    }));
  std::size_t count = 0;
  const auto** found =
      rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(event.get()), &count);
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < count; ++i) {
    auto name = names_.inside(rd_kafka_ConsumerGroupListing_group_id(found[i]));
    if (name && is_valid_name(*name)) groups.push_back(*std::move(name));
  }
  std::ranges::sort(groups);
  return groups;
}

Result<std::map<TopicPartition, Bounds>> Admin::bounds(const std::vector<TopicPartition>& partitions,
                                                       std::chrono::milliseconds timeout) const {
  constexpr std::string_view kWhat = "the partitions' ends could not be read";
  std::map<TopicPartition, Bounds> bounds;
  for (const std::int64_t which : {kEarliest, kLatest}) {
    const List list = list_of(names_, partitions, which);
    auto code = rd_kafka_offsets_for_times(client_.get(), list.get(), millis(timeout));
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; ++i) {
      const auto& entry = list->elems[i];
      code = entry.err;
      Bounds& found = bounds[{*names_.inside(entry.topic), entry.partition}];
      (which == kLatest ? found.end : found.begin) = entry.offset;
    }
    if (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      return Error{Errc::not_found, "no-such-partition", "there is no such partition"};
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  }
  return bounds;
}

}  // namespace ekiden::log::kafka
