#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log/kafka/handles.hpp"

namespace ekiden::log::kafka {

/// Partitions by topic, in our names.
using Catalog = std::map<std::string, std::int32_t, std::less<>>;

struct Bounds {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Where a group goes on, with the note that came with it.
struct Mark {
  std::int64_t next = 0;
  std::string note;
};
using Marks = std::map<TopicPartition, Mark>;

/// Our topics as `client` sees them now; brings the client's own picture of them up to date.
Result<Catalog> read_catalog(rd_kafka_t* client, const Names& names, std::chrono::milliseconds timeout);

/// What is committed, from the answer to a ListConsumerGroupOffsets.
Result<Marks> marks_in(rd_kafka_event_t* answer, const Names& names);

/// Requests about topics, groups and offsets, over a connection of their own. @threads any; calls block for
/// the request timeout of the configuration at most. @errors (of all) unavailable, timeout
class Admin final : private Owner {
 public:
  static Result<std::unique_ptr<Admin>> make(const KafkaConfig& config, const Logger& logger);

  const Names& names() const { return names_; }
  Result<Catalog> catalog() const;
  /// As Log::ensure_topics; returns when every partition has a leader.
  Result<void> ensure(const std::vector<TopicConfig>& topics) const;
  Result<std::vector<TopicConfig>> topics() const;
  Result<std::vector<std::string>> groups() const;
  /// @param group as it is called on the brokers
  Result<Marks> marks(const std::string& group, std::chrono::milliseconds timeout) const;
  /// Sets marks of a group without members. @errors conflict it has members
  Result<void> set_marks(const std::string& group, const Marks& marks) const;
  Result<void> delete_marks(const std::string& group, const std::vector<TopicPartition>& partitions) const;
  /// @errors not_found no such partition
  Result<std::map<TopicPartition, Bounds>> bounds(const std::vector<TopicPartition>& partitions,
                                                  std::chrono::milliseconds timeout) const;

 private:
  using Ask = std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

  Admin(const KafkaConfig& config, const Logger& logger)
      : Owner(logger), config_(config), names_(config.prefix) {}

  Result<Event> ask(rd_kafka_admin_op_t operation, std::string_view what, const Ask& request) const {
    return ask(operation, what, config_.request_timeout, request);
  }
  Result<Event> ask(rd_kafka_admin_op_t operation, std::string_view what, std::chrono::milliseconds timeout,
                    const Ask& request) const;
  Result<void> create(const std::vector<TopicConfig>& topics) const;
  Result<void> grow(const TopicConfig& topic) const;
  Result<std::map<std::string, std::map<std::string, std::string>>> settings(
      const std::vector<std::string>& topics) const;
  Result<void> change_retention(const TopicConfig& topic, std::map<std::string, std::string> settings) const;
  Result<void> wait_for(const std::vector<TopicConfig>& topics) const;

  const KafkaConfig& config_;
  const Names names_;
  Client client_;
};

}  // namespace ekiden::log::kafka
