#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "delivery/offset_tracker.hpp"
#include "delivery/retry.hpp"
#include "delivery/runner_types.hpp"

namespace ekiden::delivery {

struct RunnerLimits {
  bool is_keyed = false;
  std::size_t batch_max = 256;
  std::size_t keys_max = 256;   ///< keyed: events being run
  std::size_t prefetch = 1024;  ///< unfinished events of a partition at which it is paused; resumed at half
  std::size_t prefetch_bytes = std::size_t{16} << 20U;  ///< the same in bytes
  RetryPolicy retry{};
  RetryPolicy storage_retry{};  ///< its `attempts_max` does not apply: storage is waited for
  std::chrono::seconds sweep_interval{30};
};

/// Live figures of a partition.
struct PartitionFigures {
  log::TopicPartition at;
  std::int64_t unfinished = 0;
  bool is_paused = false;
  std::int64_t applied = 0;
  std::int64_t duplicates = 0;
  std::int64_t passed_over = 0;
  std::int64_t parked = 0;
  std::int64_t retried = 0;
  std::int64_t dead = 0;
  std::int64_t lag_events = 0;  ///< filled in by the runner
};

/// A consumer's decisions, without I/O: what is taken, paused, tried again, given up and committed. Promises:
/// - an offset becomes committable only when everything before it is finished: applied, a duplicate, parked,
///   dead or of no interest, each noted in a transaction that is durable;
/// - events of a key are worked on in the order of the log, one batch or call at a time; a key that waits for
///   a retry holds back no other;
/// - work of a partition that was lost is forgotten, whatever it answers.
/// One Work is out at a time (the worker's lane); calls of keyed handlers run beside it. @threads one at a
/// time
class RunnerMachine {
 public:
  /// What the loop tells the log.
  struct Control {
    std::vector<log::TopicPartition> pause;
    std::vector<log::TopicPartition> resume;
    std::vector<std::pair<log::TopicPartition, log::CommittedOffset>> store;
  };

  RunnerMachine(RunnerLimits limits, Random& random) : limits_(limits), random_(random) {}

  void assigned(Instant now, const std::vector<log::TopicPartition>& partitions);
  /// Drops what is not in work. The partitions are given up by `forget` when `is_drained`.
  void revoke(const std::vector<log::TopicPartition>& partitions);
  bool is_drained(const std::vector<log::TopicPartition>& partitions) const;
  void forget(const std::vector<log::TopicPartition>& partitions);

  void polled(Instant now, std::vector<ArrivedPtr> records);
  /// The next transaction, or nullopt: nothing to do, or the last one is not answered.
  std::optional<Work> take_work(Instant now);
  void work_done(Instant now, const WorkResult& result);
  /// Keyed: calls to begin now; each is answered by `call_done`.
  std::vector<ItemPtr> take_calls();
  void call_done(Instant now, const ItemPtr& item, const Result<void>& outcome);

  Control take_control();
  /// When `take_work` or `take_calls` may have more, if nothing else happens before.
  Instant next_wake() const;
  std::vector<PartitionFigures> figures() const;
  bool is_storage_failing() const { return storage_failures_ > 0; }

 private:
  struct Lane {
    std::deque<ItemPtr> queue;
    bool is_busy = false;    ///< some of its items are in work, or it waits for a retry
    bool is_queued = false;  ///< in `ready_`
    bool wants_release = false;
  };
  struct Partition {
    log::TopicPartition at;
    OffsetTracker offsets;
    std::unordered_map<std::string, Lane> lanes;
    std::size_t bytes = 0;
    std::size_t in_work = 0;
    bool is_paused = false;
    bool is_revoking = false;
  };
  struct LaneRef {
    std::uint64_t generation = 0;
    std::string key;
  };

  Partition* partition_of(const Item& item);
  Partition* partition_at(const log::TopicPartition& at);
  void enqueue(Partition& partition, std::uint64_t generation, ArrivedPtr arrived);
  void make_ready(std::uint64_t generation, const std::string& key, Lane& lane);
  void lane_free(Partition& partition, std::uint64_t generation, const std::string& key);
  void put_back(const ItemPtr& item);
  void finish(const ItemPtr& item, Verdict verdict);
  void leave_work(Partition& partition, const ItemPtr& item);
  void release_finished(const ItemPtr& item, const ItemResult& result);
  void event_failed(Instant now, const ItemPtr& item, const Error& error);
  void batch_failed(Instant now, const WorkResult& result);
  void storage_failed(Instant now);
  void work_finished(const WorkResult& result);
  void want_release(const log::TopicPartition& at, const std::string& key);
  void wake_lanes(Instant now);
  Work new_work(Work::Kind kind, std::vector<ItemPtr> items);
  std::optional<Work> take_batch();
  std::optional<Work> take_single(Partition& partition, const LaneRef& ref, Lane& lane);
  static bool is_single(const Lane& lane);
  std::size_t batch_room() const;
  bool wants_pause(const Partition& partition) const;

  const RunnerLimits limits_;
  Random& random_;
  std::map<std::uint64_t, Partition> partitions_;
  std::map<log::TopicPartition, std::uint64_t> generations_;
  std::map<log::TopicPartition, PartitionFigures> figures_;
  std::uint64_t last_generation_ = 0;
  std::uint64_t last_item_ = 0;
  std::uint64_t last_work_ = 0;
  std::deque<LaneRef> ready_;
  std::multimap<Instant, ItemPtr> retries_;
  std::deque<ItemPtr> calls_;     ///< keyed: admitted, or their retry is due
  std::deque<ItemPtr> finishes_;  ///< keyed: run, to be noted
  std::size_t running_ = 0;       ///< keyed: calls that are not answered
  std::optional<Work> work_;      ///< the one that is out
  std::vector<std::pair<log::TopicPartition, log::CommittedOffset>> stores_;
  int storage_failures_ = 0;
  Instant storage_at_{};  ///< not before
  Instant next_sweep_{};
};

}  // namespace ekiden::delivery
