#include "services/gamification/projection.hpp"

#include <algorithm>
#include <ranges>

#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

/// How long and how many changes wait for the ranking; then only a rebuild helps.
constexpr std::chrono::minutes kWaitMax{5};
constexpr std::size_t kWaitingChangesMax = 1'000'000;
/// What a rebuild has read is named back to so long ago: well beyond what can still be offered then, with
/// clocks of processes that differ.
constexpr std::chrono::minutes kOnTheirWay{10};
static_assert(kOnTheirWay >= 2 * kWaitMax);
constexpr std::int64_t kRecentMax = 5'000'000;
/// A transaction that has not ended by then has, but its outcome was lost with a connection.
constexpr std::chrono::minutes kUndecided{1};
constexpr std::size_t kOfferedAtOnce = 256;

bool passes(Errc code) {
  return is_retryable(code) || code == Errc::gone;
}

}  // namespace

void Projection::note(EventId event, std::vector<ranking::Change> changes) {
  const MutexLock lock(mutex_);
  noted_[event] = {.event = event, .changes = std::move(changes), .since = clock_.now()};
}

bool Projection::is_behind() const {
  const MutexLock lock(mutex_);
  return behind_;
}

std::size_t Projection::unsettled() const {
  const MutexLock lock(mutex_);
  return noted_.size() + waiting_.size();
}

Result<void> Projection::apply_noted(const std::vector<delivery::Envelope>& events) {
  {
    const MutexLock lock(mutex_);
    for (const delivery::Envelope& event : events) {
      const auto found = noted_.find(event.id);
      if (found == noted_.end()) continue;
      wait_for_ranking(std::move(found->second));
      noted_.erase(found);
    }
  }
  return offer();
}

void Projection::wait_for_ranking(Noted noted) {
  waiting_changes_ += noted.changes.size();
  waiting_.push_back(std::move(noted));
}

Result<void> Projection::drop(std::string_view reason) {
  logger_.warning("ranking_changes_dropped", {{"reason", reason}, {"events", waiting_.size()}});
  waiting_.clear();
  waiting_changes_ = 0;
  behind_ = true;
  return Error{Errc::unavailable, "ranking-behind",
               "the ranking has missed changes and is rebuilt: " + std::string(reason)};
}

Result<void> Projection::check_waiting() {
  if (waiting_changes_ > kWaitingChangesMax) return drop("too many changes wait");
  if (!waiting_.empty() && waiting_.front().since < clock_.now() - kWaitMax)
    return drop("they waited too long");
  return {};
}

Projection::Batch Projection::take() {
  Batch batch;
  while (!waiting_.empty() && batch.size() < kOfferedAtOnce) {
    Noted& first = waiting_.front();
    waiting_changes_ -= first.changes.size();
    batch.emplace_back(first.event, std::move(first.changes));
    waiting_.pop_front();
  }
  return batch;
}

void Projection::put_back(Batch batch, Timestamp since) {
  for (auto& [event, changes] : std::views::reverse(batch)) {
    waiting_changes_ += changes.size();
    waiting_.push_front({.event = event, .changes = std::move(changes), .since = since});
  }
}

/// Whoever has the turn takes along what others add meanwhile; while a rebuild has it, all waits for its end.
Result<void> Projection::offer() {
  for (;;) {
    Batch batch;
    Timestamp since;
    {
      const MutexLock lock(mutex_);
      EKIDEN_CHECK(check_waiting());
      if (turn_ != Turn::free || waiting_.empty()) return {};
      since = waiting_.front().since;
      batch = take();
      turn_ = Turn::applying;
    }
    const auto applied = ranking_.apply_batch(batch);
    const MutexLock lock(mutex_);
    turn_ = Turn::free;
    turn_ended_.notify_all();
    if (applied) continue;
    // In one step with the end of the turn: changes of one person keep their order.
    put_back(std::move(batch), since);
    if (passes(applied.error().code())) return check_waiting();
    const Result<void> dropped = drop(applied.error().text());
    static_cast<void>(dropped);
    return applied.error();
  }
}

Result<void> Projection::tend() {
  EKIDEN_CHECK(settle_noted());
  return offer();
}

/// A transaction whose commit was not answered may have happened: the inbox knows.
Result<void> Projection::settle_noted() {
  std::vector<EventId> undecided;
  {
    const MutexLock lock(mutex_);
    for (const auto& [event, noted] : noted_) {
      if (noted.since < clock_.now() - kUndecided) undecided.push_back(event);
    }
  }
  for (const EventId& event : undecided) {
    EKIDEN_TRY(const bool durable,
               db_.read([&](sql::Tx& tx) -> Result<bool> { return is_in_inbox(tx, event); }));
    const MutexLock lock(mutex_);
    const auto found = noted_.find(event);
    if (found == noted_.end()) continue;
    const Timestamp since = found->second.since;
    if (durable) wait_for_ranking(std::move(found->second));
    // What is not durable may still be: its transaction runs again, and notes it anew.
    if (durable || since < clock_.now() - kOnTheirWay) noted_.erase(found);
    if (durable && since < clock_.now() - kWaitMax) EKIDEN_CHECK(drop("an outcome was not known for long"));
  }
  return {};
}

Result<bool> Projection::is_in_inbox(sql::Tx& tx, EventId event) const {
  for (const std::string& group : inbox_groups_) {
    EKIDEN_TRY(const sql::Rows rows,
               tx.query("SELECT 1 FROM inbox WHERE group_name = $1 AND event_id = $2 AND state = 'applied'",
                        {group, event}));
    if (!rows.empty()) return true;
  }
  return false;
}

Result<void> Projection::rebuild() {
  const Instant started = clock_.monotonic();
  std::int64_t boards = 0;
  {
    const MutexLock lock(mutex_);
    while (turn_ != Turn::free) turn_ended_.wait(mutex_);
    turn_ = Turn::rebuilding;
  }
  Result<void> loaded = Error{Errc::internal, "rebuild-threw", "a rebuild ended in the middle"};
  try {
    loaded = ranking_.rebuild([&](ranking::Loader& loader) { return load(loader, boards); });
  } catch (...) {
    end_rebuild(loaded);
    throw;
  }
  end_rebuild(loaded);
  if (!loaded) return loaded;
  logger_.info(
      "ranking_rebuilt",
      {{"boards", boards},
       {"took_ms",
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - started).count()}});
  return offer();
}

void Projection::end_rebuild(const Result<void>& outcome) {
  const MutexLock lock(mutex_);
  turn_ = Turn::free;
  turn_ended_.notify_all();
  if (!outcome && outcome.error().code() != Errc::busy) behind_ = true;
}

Result<void> Projection::load(ranking::Loader& loader, std::int64_t& boards) {
  {
    // What is dropped from here on may be missing in what is read.
    const MutexLock lock(mutex_);
    behind_ = false;
  }
  // One snapshot for all boards and for the ids: an event is in all of it or in none.
  return db_.read([&](sql::Tx& tx) -> Result<void> {
    loader.restart();
    boards = 0;
    std::string last;
    for (;;) {
      EKIDEN_TRY(const auto name, next_board_name(tx, last));
      if (!name) break;
      last = *name;
      if (!loader.wants(*name)) {
        last += '~';  // Above all names that begin with this one: those are not wanted either.
        continue;
      }
      EKIDEN_TRY(auto standings, read_board(tx, *name));
      ++boards;
      EKIDEN_CHECK(loader.put({.name = *name, .standings = std::move(standings)}));
    }
    EKIDEN_TRY(const std::vector<EventId> contained, recent(tx));
    return loader.mark_applied(contained);
  });
}

Result<std::vector<EventId>> Projection::recent(sql::Tx& tx) const {
  std::vector<EventId> events;
  for (const std::string& group : inbox_groups_) {
    EKIDEN_TRY(const sql::Rows rows,
               tx.query("SELECT event_id FROM inbox WHERE group_name = $1 AND applied_at > $2 "
                        "ORDER BY applied_at DESC LIMIT $3",
                        {group, clock_.now() - kOnTheirWay, kRecentMax}));
    for (const sql::Row& row : rows) events.push_back(row.id<EventId>(0));
  }
  return events;
}

}  // namespace ekiden::gamification
