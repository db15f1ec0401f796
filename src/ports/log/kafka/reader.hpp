#pragma once

#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "ports/log/kafka/admin.hpp"

namespace ekiden::log::kafka {

/// Reads partitions outside any group, one call at a time. Connects at the first. @threads any
class Reader final : private Owner {
 public:
  Reader(const KafkaConfig& config, const Clock& clock, const Logger& logger, const Names& names)
      : Owner(logger), config_(config), clock_(clock), names_(names) {}

  /// Records of `at` from `from` on, at most `max`; fewer only where `end` is reached first.
  /// @param from a record that is there, before `end`
  Result<std::vector<Record>> read(const TopicPartition& at, std::int64_t from, std::int64_t end,
                                   std::size_t max) EKIDEN_EXCLUDES(mutex_);

 private:
  Result<void> connect() EKIDEN_REQUIRES(mutex_);

  const KafkaConfig& config_;
  const Clock& clock_;
  const Names& names_;
  Mutex mutex_;
  Client client_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::log::kafka
