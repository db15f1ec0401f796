#pragma once

#include <unordered_map>
#include <vector>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "delivery/event.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::gamification {

/// Keeps the ranking equal to `scores`. A transaction notes what its event changes; once it is durable the
/// changes are applied, under the event's id; a rebuild replaces the ranking by what `scores` says. Applying
/// and rebuilding take turns, so that an event is either in what a rebuild reads, or applied after it, and
/// never both.
/// @threads `note` on SQL lanes; `apply_noted` and `rebuild` block: consumer lanes, commands, background work
class Projection {
 public:
  /// @param inbox_group the consumer group whose inbox tells which events a rebuild has read.
  Projection(sql::Database& db, ranking::Ranking& ranking, std::string inbox_group, const Clock& clock,
             const Logger& logger)
      : db_(db), ranking_(ranking), inbox_group_(std::move(inbox_group)), clock_(clock), logger_(logger) {}

  /// Remembers the changes of an event whose transaction runs. A transaction that runs again notes anew.
  void note(EventId event, std::vector<ranking::Change> changes) EKIDEN_EXCLUDES(noted_mutex_);

  /// Applies what these durable events noted. @errors as Ranking::apply_batch; a rebuild then mends it.
  Result<void> apply_noted(const std::vector<delivery::Envelope>& events)
      EKIDEN_EXCLUDES(turn_, noted_mutex_);

  /// Replaces the whole ranking. Reads go on. @errors as Database and Ranking::rebuild; call again.
  Result<void> rebuild() EKIDEN_EXCLUDES(turn_);

 private:
  /// Ids of events that the rebuilt boards contain, though their changes may still be on their way to
  /// `apply_noted`.
  Result<void> claim_recent(sql::Tx& tx);

  sql::Database& db_;
  ranking::Ranking& ranking_;
  const std::string inbox_group_;
  const Clock& clock_;
  const Logger logger_;
  Mutex turn_;
  Mutex noted_mutex_;
  std::unordered_map<EventId, std::vector<ranking::Change>> noted_ EKIDEN_GUARDED_BY(noted_mutex_);
};

}  // namespace ekiden::gamification
