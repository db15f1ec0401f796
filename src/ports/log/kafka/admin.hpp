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

/// Our topics as `client` sees them now; brings the client's own picture of them up to date.
Result<Catalog> read_catalog(rd_kafka_t* client, const Names& names, std::chrono::milliseconds timeout);

/// Requests about topics and their ends, over a connection of their own. None goes to a group's coordinator:
/// such a one ends the process where the connection breaks (librdkafka's `rd_kafka_admin_coord_request`).
/// @threads any; calls block for the request timeout of the configuration at most. @errors (of all)
/// unavailable, timeout
class Admin final : private Owner {
 public:
  static Result<std::unique_ptr<Admin>> make(const KafkaConfig& config, const Logger& logger);

  const Names& names() const { return names_; }
  Result<Catalog> catalog() const;
  /// As Log::ensure_topics; returns when every partition has a leader.
  Result<void> ensure(const std::vector<TopicConfig>& topics) const;
  Result<std::vector<TopicConfig>> topics() const;
  Result<std::vector<std::string>> groups() const;
  /// @errors not_found no such partition
  Result<std::map<TopicPartition, Bounds>> bounds(const std::vector<TopicPartition>& partitions,
                                                  std::chrono::milliseconds timeout) const;

 private:
  using Ask = std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

  Admin(const KafkaConfig& config, const Logger& logger)
      : Owner(logger), config_(config), names_(config.prefix) {}

  Result<Event> ask(rd_kafka_admin_op_t operation, std::string_view what, const Ask& request) const;
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
