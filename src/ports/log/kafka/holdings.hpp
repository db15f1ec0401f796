#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log::kafka {

/// The partitions that a member has, and for each what was delivered, what is stored, and what waits because
/// it is paused. Pausing in the client would throw away what it has read ahead, so a few records are kept
/// here first. @threads `may_store` and `fence` any; the rest the polling thread's
class Holdings {
 public:
  static constexpr std::size_t kHeldMax = 1'024;           ///< records of a paused partition
  static constexpr std::size_t kHeldBytesMax = 1U << 20U;  ///< and their bytes, but for one record

  /// What the client is to be told about a partition.
  enum class Tell : std::uint8_t { nothing, pause };

  /// Those of `partitions` that were not here yet.
  std::vector<TopicPartition> add(const std::vector<TopicPartition>& partitions) EKIDEN_EXCLUDES(mutex_);
  /// Those of `partitions` that are here.
  std::vector<TopicPartition> present(const std::vector<TopicPartition>& partitions) const
      EKIDEN_EXCLUDES(mutex_);
  void remove(const std::vector<TopicPartition>& partitions) EKIDEN_EXCLUDES(mutex_);
  std::vector<TopicPartition> all() const EKIDEN_EXCLUDES(mutex_);
  bool has(const TopicPartition& at) const EKIDEN_EXCLUDES(mutex_);

  /// From now on nothing may be stored any more.
  void fence() EKIDEN_EXCLUDES(mutex_);
  bool is_fenced() const EKIDEN_EXCLUDES(mutex_);
  /// While a partition is moved, what is stored for it counts for nothing.
  void begin_reset(const TopicPartition& at) EKIDEN_EXCLUDES(mutex_);

  /// True where `next` is news that the client should be given. An offset that was not delivered since the
  /// partition came is none: it is from an earlier turn, and the group may have been moved since.
  /// @errors conflict
  Result<bool> may_store(const TopicPartition& at, CommittedOffset next) EKIDEN_EXCLUDES(mutex_);

  void set_paused(const TopicPartition& at, bool is_paused) EKIDEN_EXCLUDES(mutex_);
  /// Adds the record to `out`, or keeps it where there is no room or its partition is paused, or drops it
  /// where it is not ours.
  Tell take(Record record, bool has_room, std::vector<Record>& out) EKIDEN_EXCLUDES(mutex_);
  /// Moves what was kept for partitions that are paused no more, until `out` has `max`. Those that are empty
  /// again are answered: the client may go on with them.
  std::vector<TopicPartition> release(std::size_t max, std::vector<Record>& out) EKIDEN_EXCLUDES(mutex_);
  /// Where the next record of a partition should be; nullopt before the first.
  std::optional<std::int64_t> position(const TopicPartition& at) const EKIDEN_EXCLUDES(mutex_);

 private:
  struct Holding {
    std::optional<std::int64_t> first;  ///< delivered
    std::int64_t next = 0;              ///< after the last that was delivered or is kept
    std::int64_t delivered = 0;         ///< after the last that was delivered
    std::int64_t stored = -1;
    bool is_paused = false;
    bool is_paused_in_client = false;
    bool is_resetting = false;
    std::deque<Record> kept;
    std::size_t kept_bytes = 0;
  };

  static void deliver(Holding& holding, Record record, std::vector<Record>& out);

  mutable Mutex mutex_;
  std::map<TopicPartition, Holding> holdings_ EKIDEN_GUARDED_BY(mutex_);
  bool is_fenced_ EKIDEN_GUARDED_BY(mutex_) = false;
};

}  // namespace ekiden::log::kafka
