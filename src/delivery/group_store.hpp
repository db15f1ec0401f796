#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/runner_types.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::delivery {

enum class InboxState : std::uint8_t { applied, parked, dead, discarded };
enum class ParkReason : std::uint8_t { blocked, gap };

struct ParkedEvent {
  ArrivedPtr arrived;
  ParkReason reason = ParkReason::gap;
};

/// All SQL of one group's inbox: plain steps of a transaction, no decisions. Errors of every function: as
/// Tx::query. @threads as the transaction
class GroupStore {
 public:
  /// The log keeps a subject's order. Where its first event that a group meets is not its first, and is so
  /// old, what came before has gone with the log's retention and will not come.
  static constexpr std::chrono::minutes kGapPatience{10};

  GroupStore(sql::Tx& tx, std::string_view group, Timestamp now) : tx_(tx), group_(group), now_(now) {}

  /// What the inbox knows of these ids, in one round trip. @param ids at most 1024 at a time
  Result<std::map<EventId, InboxState>> states(const std::vector<EventId>& ids);
  /// Notes that these ids, none of which is in the inbox, are applied.
  /// @errors unavailable `inbox-race`: another member has noted one meanwhile: run the transaction again.
  Result<void> insert_applied(const std::vector<EventId>& ids);
  /// Changes the state of an id that is in the inbox.
  Result<void> settle(const EventId& id, InboxState state);

  /// The last event of the subject that was applied; nullopt: the group has not met it yet.
  Result<std::optional<std::int64_t>> last_sequence(std::string_view subject);
  /// The same of many subjects, in one round trip; those not met yet are nullopt.
  /// @param subjects at most 1024 at a time
  Result<std::map<std::string, std::optional<std::int64_t>>> last_sequences(
      const std::vector<std::string>& subjects);
  /// Notes the last applied event of each; nullopt forgets the subject: its last event was applied, nothing
  /// more comes, and the inbox knows what comes again.
  Result<void> write_sequences(const std::map<std::string, std::optional<std::int64_t>>& last);
  /// Notes the last event of a subject, where nothing stands yet.
  Result<void> meet_subject(std::string_view subject, std::int64_t sequence);
  /// Whether an earlier event of the subject waits, too.
  Result<bool> is_parked_before(std::string_view subject, std::int64_t sequence);

  struct Waiting {
    bool any_blocked = false;
    bool any_parked = false;
  };
  Result<Waiting> waiting();
  Result<bool> is_blocked(std::string_view topic, std::string_view key);
  /// Blocks the key behind a dead letter; one that is blocked already waits for this one now.
  Result<void> block(const log::TopicPartition& at, std::string_view key, const EventId& dead);
  /// Lets the key's parked events go, where `dead` is what they wait for. @returns whether it was.
  Result<bool> start_drain(std::string_view topic, std::string_view key, const EventId& dead);
  /// Opens a key again whose parked events are all gone.
  Result<void> end_drain(std::string_view topic, std::string_view key);

  /// Keeps the event until it may be applied. @param is_known it has an inbox row already.
  Result<void> park(const Arrived& arrived, ParkReason reason, bool is_known);
  Result<void> park_for_gap(const EventId& id);
  Result<void> unpark(const EventId& id);
  /// The key's next parked event that may go on: of a draining key the one with the lowest offset, else one
  /// whose gap has closed, or will never close (kGapPatience).
  Result<std::optional<ParkedEvent>> next_parked(std::string_view topic, std::string_view key);
  /// Whether parking of `subject` can go on after `sequence`.
  Result<bool> closes_gap(std::string_view subject, std::int64_t sequence);
  /// Keys of the partition that `next_parked` has something for, or whose drain is to be ended; at most 1024.
  Result<std::vector<std::string>> releasable(const log::TopicPartition& at);

  /// Notes a death. @returns how often this event has died now.
  Result<std::int64_t> die(const EventId& id);

 private:
  sql::Tx& tx_;
  std::string_view group_;
  Timestamp now_;
};

}  // namespace ekiden::delivery
