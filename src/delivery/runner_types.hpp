#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delivery/event.hpp"

namespace ekiden::delivery {

/// Headers that the dead-letter machinery adds to a record's own.
namespace header {
inline constexpr std::string_view kErrorCode = "ekiden_error_code";
inline constexpr std::string_view kErrorText = "ekiden_error_text";
inline constexpr std::string_view kGroup = "ekiden_group";
inline constexpr std::string_view kTopic = "ekiden_topic";
inline constexpr std::string_view kPartition = "ekiden_partition";
inline constexpr std::string_view kOffset = "ekiden_offset";
inline constexpr std::string_view kAttempts = "ekiden_attempts";
inline constexpr std::string_view kDiedAt = "ekiden_died_at";
inline constexpr std::string_view kTruncated = "ekiden_truncated";
inline constexpr std::string_view kEventId = "ekiden_event_id";          ///< as the group's inbox knows it
inline constexpr std::string_view kReplayGroup = "ekiden_replay_group";  ///< the group that a replay is for
inline constexpr std::string_view kReplayMode = "ekiden_replay_mode";    ///< `apply` or `discard`
}  // namespace header

/// A record as a runner holds it.
struct Arrived {
  log::Record record;
  Result<Envelope> event;   ///< or why it cannot be read
  EventId id;               ///< the event's; of an unreadable record one made of its bytes
  bool is_replay = false;   ///< comes from a dead letter of this group
  bool is_discard = false;  ///< and an operator gave it up: settle it without applying
  bool is_others = false;   ///< comes from a dead letter of another group, and is none of this one's
  bool is_handled = true;   ///< false: the group has no business with it, not even its sequence
};
using ArrivedPtr = std::shared_ptr<const Arrived>;

/// Reads a record for `group`; the caller says whether it is handled.
std::shared_ptr<Arrived> arrive(log::Record record, std::string_view group);
/// An id that is the same for the same inputs, of RFC 9562's version 8. Not for secrets.
EventId derived_id(std::string_view space, std::string_view name);

/// One event on its way through a runner; or, with origin `parked`, a look at the next parked event of a key.
struct Item {
  enum class Origin : std::uint8_t { log, parked };
  std::uint64_t id = 0;
  std::uint64_t generation = 0;  ///< of the partition's assignment
  Origin origin = Origin::log;
  log::TopicPartition at;
  std::string key;
  ArrivedPtr arrived;  ///< null where a parked event is yet to be read
  int failures = 0;
  bool is_alone = false;       ///< its batch has failed: it goes by itself
  std::optional<Error> death;  ///< set: it is given up
};
using ItemPtr = std::shared_ptr<Item>;

/// What the worker does in one transaction.
struct Work {
  enum class Kind : std::uint8_t {
    apply,    ///< batched: claim and apply the items, in order
    admit,    ///< keyed: say which items are to be run
    finish,   ///< keyed: note that these have run
    kill,     ///< the one item becomes a dead letter
    release,  ///< the one key's next parked event: apply (batched) or admit it (keyed)
    sweep,    ///< say which keys of these partitions have parked events that can go on
  };
  std::uint64_t id = 0;
  Kind kind = Kind::apply;
  std::vector<ItemPtr> items;
  std::vector<log::TopicPartition> partitions;  ///< of a sweep
};

enum class Verdict : std::uint8_t {
  applied,
  duplicate,  ///< applied, parked or dead already
  parked,
  passed,  ///< of no interest to the group
  run,     ///< keyed: call the handler
  dead,
  nothing,  ///< release: nothing of this key can go on
};

struct ItemResult {
  Verdict verdict = Verdict::applied;
  ArrivedPtr arrived = nullptr;  ///< release: which event it was
};

struct WorkResult {
  enum class Outcome : std::uint8_t {
    done,     ///< `items` has a result for each item
    failed,   ///< the handler refused `failed`; nothing was kept
    storage,  ///< the database did; nothing was kept, nobody's fault
  };
  Outcome outcome = Outcome::done;
  std::vector<ItemResult> items;
  std::size_t failed = 0;
  std::optional<Error> error;
  ArrivedPtr failed_event;  ///< release: the parked event that failed
  std::vector<std::pair<log::TopicPartition, std::string>> release;  ///< keys to look at for parked events
  std::int64_t late_starts = 0;   ///< subjects whose first events had gone before the group could read them
  std::vector<ArrivedPtr> fresh;  ///< applied for the first time, in order
};

}  // namespace ekiden::delivery
