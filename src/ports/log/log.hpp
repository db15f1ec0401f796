#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

/// The event log: topics of ordered partitions, read by consumer groups, at least once.
namespace ekiden::log {

/// A record's place in its partition, from 0, without gaps that matter: only the order counts.
struct Offset {
  std::int64_t value = 0;
  friend auto operator<=>(const Offset&, const Offset&) = default;
};
/// The *next* offset that a group will read. `after` is the only bridge from an Offset.
struct CommittedOffset {
  std::int64_t value = 0;
  friend auto operator<=>(const CommittedOffset&, const CommittedOffset&) = default;
};
constexpr CommittedOffset after(Offset offset) {
  return {offset.value + 1};
}

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What a producer sends. At most 4 KiB of key, 1 MiB of value, 64 headers of 8 KiB together; a header's name
/// is visible ASCII (checks.hpp has the figures).
struct Message {
  std::string topic;
  std::string key;  ///< fixes the partition; records of one key stay in the order in which they were sent
  std::string value;
  Headers headers;
};

/// What a consumer gets.
struct Record {
  TopicPartition at;
  Offset offset;
  Timestamp appended_at;
  std::string key;
  std::string value;
  Headers headers;
};

struct TopicConfig {
  std::string name;             ///< [a-z0-9._-], at most 100 bytes
  std::int32_t partitions = 8;  ///< 1 to 1024; may grow later, never shrink (keys then move)
  std::chrono::hours retention{24 * 7};
};

/// A record's partition. The same in every adapter and process: murmur2 as Kafka's default partitioner
/// computes it, so that foreign producers agree with us. @source Apache Kafka, Utils.murmur2
std::int32_t partition_of(std::string_view key, std::int32_t partitions);

/// Outcome of one message. An error other than `invalid` may hide a success: send again, consumers apply
/// once.
using Delivered = std::move_only_function<void(Result<std::pair<TopicPartition, Offset>>)>;

/// Sends messages. @threads any
class Producer {
 public:
  virtual ~Producer() = default;
  /// Queues `message` and calls `done` when it is durable on the log or has failed, on a thread of the
  /// adapter: do not block in it. Messages of one key that are sent in order are appended in order, also over
  /// the adapter's own retries. The queue is bounded.
  /// @errors (to `done`) busy: the queue is full, it was not sent; invalid: too large, or no such topic;
  /// unavailable,
  ///         timeout: it may have been appended.
  virtual void send(Message message, Delivered done) = 0;
};

/// How a consumer starts where its group has no committed offset for a topic. `latest` is the end at the time
/// of the first join, and is committed then; partitions that are added later are read from their first
/// record.
enum class StartAt : std::uint8_t { earliest, latest };

struct ConsumerConfig {
  std::string group;  ///< [a-z0-9._-], at most 100 bytes
  std::vector<std::string> topics;
  /// A stable name: a restart under it takes its partitions back without a rebalance (static membership).
  /// While it is away they wait for it, up to `session_timeout`. Whoever joined under it before is fenced.
  /// Empty: a member without a name; its partitions go to others as soon as it leaves.
  std::string member;
  StartAt start_at = StartAt::earliest;
  std::chrono::milliseconds session_timeout{
      10'000};  ///< a member that does not poll for so long loses its partitions
};

/// Told of rebalances from within `poll` (not of leaving by `close`). Each partition that was assigned ends
/// in exactly one of the other two. `on_revoked` returns only when nothing of these partitions is in work any
/// more and everything finished has been stored: then they are committed and given up. `on_lost`: they are
/// already someone else's (this member was away too long): drop what is in work; a store of them is refused.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  virtual void on_assigned(const std::vector<TopicPartition>& partitions) = 0;
  virtual void on_revoked(const std::vector<TopicPartition>& partitions) = 0;
  virtual void on_lost(const std::vector<TopicPartition>& partitions) = 0;
};

/// A member of a consumer group. Records of a partition come in offset order, from the committed offset on;
/// after a rebalance or a restart what was not committed comes again.
/// @threads `poll`, `pause`, `resume`, `close` belong to one thread; `store`, `wake` any.
class Consumer {
 public:
  virtual ~Consumer() = default;

  /// Waits until there are records, `wake` is called or `timeout` passes; returns at most `max` records.
  /// Must be called at least every `session_timeout`, also when everything is paused.
  /// @errors unavailable: the log does not answer; call again, nothing is lost.
  ///         gone: retention has passed offsets that this group had not read (`text` says which); raised once
  ///         per partition, then reading goes on at the oldest record left. Loud alarm, rebuild from the
  ///         source.
  ///         conflict: another consumer joined under this member's name, or this one is closed: it is out.
  virtual Result<std::vector<Record>> poll(std::size_t max, Duration timeout) = 0;

  /// Stops (starts again) delivery from partitions of this member; what `poll` returned before is not
  /// affected.
  virtual void pause(const std::vector<TopicPartition>& partitions) = 0;
  virtual void resume(const std::vector<TopicPartition>& partitions) = 0;

  /// Says that everything before `next` is finished. It is committed soon after, and before the partition is
  /// given up. Going back is ignored. @errors conflict: the partition is not this member's (fenced): its
  /// events will be seen by
  ///                         another member, and their effects are guarded by the inbox.
  virtual Result<void> store(const TopicPartition& at, CommittedOffset next) = 0;

  /// Makes the `poll` that waits, or else the next one, return without waiting (on).
  virtual void wake() = 0;

  /// Commits what is stored and leaves the group. The destructor does the same, silently.
  virtual Result<void> close() = 0;
};

/// Where a partition stands for a group.
struct PartitionState {
  TopicPartition at;
  Offset begin;  ///< oldest record kept
  Offset end;    ///< where the next record will go
  std::optional<CommittedOffset> committed;
  std::int64_t lag_events = 0;  ///< end - committed, or end - begin where nothing is committed
};

/// The log as a whole: topics, groups, and the ends that make consumers and producers. @threads any; calls
/// block (loops go through runtime::offload).
class Log {
 public:
  virtual ~Log() = default;
  /// Makes the topics that are missing, adds partitions where there are too few, and sets the retention.
  /// @errors invalid: a name, a number of partitions or a retention is out of bounds; nothing was made.
  virtual Result<void> ensure_topics(const std::vector<TopicConfig>& topics) = 0;
  virtual Result<std::vector<TopicConfig>> topics() const = 0;
  virtual std::shared_ptr<Producer> producer() = 0;
  /// `listener` outlives the consumer, and the log outlives both. @errors invalid: a name, or no such topic.
  virtual Result<std::unique_ptr<Consumer>> join(ConsumerConfig config, RebalanceListener& listener) = 0;
  /// Reads a partition outside any group: for `audit`, `dlq` and rebuilds. At most `max` records from `from`
  /// on, or from the oldest that is left. Fewer are not the end; none are. @errors not_found
  virtual Result<std::vector<Record>> read(const TopicPartition& at, Offset from, std::size_t max) = 0;
  /// By partition number. A group that never joined has nothing committed. @errors not_found: no such topic.
  virtual Result<std::vector<PartitionState>> state(std::string_view group, std::string_view topic) = 0;
  virtual Result<std::vector<std::string>> groups() = 0;
  /// Moves a group's committed offset, forwards or back. A member that has the partition is revoked it, then
  /// assigned it anew from there; what it stores in between is ignored. For operators and tests.
  /// @errors invalid: beyond the partition's end; not_found: no such partition.
  virtual Result<void> reset(std::string_view group, const TopicPartition& at, CommittedOffset to) = 0;
  /// Drops what is older than each topic's retention. The embedded adapter runs it by itself every hour.
  virtual Result<std::int64_t> enforce_retention() = 0;
};

}  // namespace ekiden::log
