#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "delivery/event.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::gamification {

/// Keeps the ranking equal to `scores`. A transaction notes what its event changes; once it is durable the
/// changes are offered to the ranking, under the event's id; a rebuild replaces the ranking by what `scores`
/// says. Where the ranking cannot take changes for the moment (it is away, or being rebuilt, here or by
/// another process) they wait here, for minutes; a rebuild names the ids of the last minutes, so that what it
/// contains is not added again. docs/adr/0011-redis-ranking.md says why that is right.
/// @threads `note` on SQL lanes; the rest blocks: consumer lanes, commands, background work
class Projection {
 public:
  /// @param inbox_groups the consumer groups whose inboxes tell which events a rebuild has read.
  Projection(sql::Database& db, ranking::Ranking& ranking, std::vector<std::string> inbox_groups,
             const Clock& clock, const Logger& logger)
      : db_(db), ranking_(ranking), inbox_groups_(std::move(inbox_groups)), clock_(clock), logger_(logger) {}

  /// Remembers the changes of an event whose transaction runs. A transaction that runs again notes anew.
  void note(EventId event, std::vector<ranking::Change> changes) EKIDEN_EXCLUDES(mutex_);

  /// Offers what these durable events noted, and what has waited. Success also where they wait now.
  /// @errors those of Ranking::apply_batch that do not pass by themselves, or unavailable: too much waited,
  /// or
  ///         for too long. What waited is dropped and `is_behind` until a rebuild has mended it.
  Result<void> apply_noted(const std::vector<delivery::Envelope>& events) EKIDEN_EXCLUDES(mutex_);

  /// Offers what waits, and finds what was noted and became durable though nobody could tell. Errors as
  /// `apply_noted`, and as Database.
  Result<void> tend() EKIDEN_EXCLUDES(mutex_);

  /// Replaces the whole ranking. Reads go on. @errors as Database and Ranking::rebuild; call again.
  Result<void> rebuild() EKIDEN_EXCLUDES(mutex_);

  /// Whether changes were dropped that no rebuild has made good yet.
  bool is_behind() const EKIDEN_EXCLUDES(mutex_);
  /// Events that the ranking may not have been told of: noted or waiting.
  std::size_t unsettled() const EKIDEN_EXCLUDES(mutex_);

 private:
  struct Noted {
    EventId event;
    std::vector<ranking::Change> changes;
    Timestamp since;
  };
  enum class Turn : std::uint8_t { free, applying, rebuilding };
  using Batch = std::vector<std::pair<EventId, std::vector<ranking::Change>>>;

  void wait_for_ranking(Noted noted) EKIDEN_REQUIRES(mutex_);
  Result<void> drop(std::string_view reason) EKIDEN_REQUIRES(mutex_);
  Result<void> check_waiting() EKIDEN_REQUIRES(mutex_);
  Result<void> offer() EKIDEN_EXCLUDES(mutex_);
  Batch take() EKIDEN_REQUIRES(mutex_);
  void put_back(Batch batch, Timestamp since) EKIDEN_REQUIRES(mutex_);
  void end_rebuild(const Result<void>& outcome) EKIDEN_EXCLUDES(mutex_);
  Result<bool> is_in_inbox(sql::Tx& tx, EventId event) const;
  Result<void> settle_noted() EKIDEN_EXCLUDES(mutex_);
  Result<void> load(ranking::Loader& loader, std::int64_t& boards) EKIDEN_EXCLUDES(mutex_);
  /// Ids of events that the boards contain, though their changes may still be on their way.
  Result<std::vector<EventId>> recent(sql::Tx& tx) const;

  sql::Database& db_;
  ranking::Ranking& ranking_;
  const std::vector<std::string> inbox_groups_;
  const Clock& clock_;
  const Logger logger_;
  mutable Mutex mutex_;
  CondVar turn_ended_;
  Turn turn_ EKIDEN_GUARDED_BY(mutex_) = Turn::free;
  bool behind_ EKIDEN_GUARDED_BY(mutex_) = false;
  std::unordered_map<EventId, Noted> noted_ EKIDEN_GUARDED_BY(mutex_);
  std::deque<Noted> waiting_ EKIDEN_GUARDED_BY(mutex_);
  std::size_t waiting_changes_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

}  // namespace ekiden::gamification
