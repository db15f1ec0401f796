#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "ports/log/kafka/handles.hpp"

namespace ekiden::log::kafka {

/// Where groups go on: next offsets by partition.
using Marks = std::map<TopicPartition, std::int64_t>;

/// Reads and sets committed offsets of groups without joining them. librdkafka offers that safely only to a
/// client of the group, so there is one for each group that was asked for, up to a few. @threads any; blocks
class GroupOffsets final : private Owner {
 public:
  GroupOffsets(const KafkaConfig& config, const Logger& logger, const Names& names)
      : Owner(logger), config_(config), names_(names) {}

  /// Of `partitions`, those for which something is committed. @param group in our words
  /// @errors unavailable, timeout
  Result<Marks> read(const std::string& group, const std::vector<TopicPartition>& partitions,
                     std::chrono::milliseconds timeout) EKIDEN_EXCLUDES(mutex_);
  /// @errors conflict the group has members; unavailable, timeout
  Result<void> set(const std::string& group, const Marks& marks) EKIDEN_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kClientsMax = 16;
  using SharedClient = std::shared_ptr<rd_kafka_t>;

  Result<SharedClient> client_of(const std::string& group) EKIDEN_EXCLUDES(mutex_);

  const KafkaConfig& config_;
  const Names& names_;
  Mutex mutex_;
  std::list<std::pair<std::string, SharedClient>> clients_
      EKIDEN_GUARDED_BY(mutex_);  ///< the last used first
};

}  // namespace ekiden::log::kafka
