#include "services/gamification/projection.hpp"

#include <algorithm>

#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

using EventChanges = std::pair<EventId, std::vector<ranking::Change>>;

/// Events whose changes may not have reached the ranking when a rebuild reads `scores` are at most so old: a
/// consumer applies them right after their transaction.
constexpr std::chrono::minutes kOnTheirWay{10};
constexpr std::int64_t kRecentMax = 200'000;

/// An erased member's event can touch more boards than the ranking takes at once. The parts go under ids of
/// their own.
EventId part_of(EventId event, std::size_t part) {
  std::array<std::uint8_t, 16> bytes = event.uuid().bytes();
  bytes[14] = static_cast<std::uint8_t>(bytes[14] ^ (part >> 8));
  bytes[15] = static_cast<std::uint8_t>(bytes[15] ^ (part & 0xff));
  return EventId{Uuid{bytes}};
}

void append_in_parts(std::vector<EventChanges>& out, EventId event, std::vector<ranking::Change> changes) {
  for (std::size_t part = 0; part * ranking::kChangesMax < std::max<std::size_t>(changes.size(), 1); ++part) {
    const auto first = changes.begin() + static_cast<std::ptrdiff_t>(part * ranking::kChangesMax);
    const auto count = std::min(ranking::kChangesMax, changes.size() - part * ranking::kChangesMax);
    out.emplace_back(part_of(event, part),
                     std::vector<ranking::Change>(first, first + static_cast<std::ptrdiff_t>(count)));
  }
}

}  // namespace

void Projection::note(EventId event, std::vector<ranking::Change> changes) {
  const MutexLock lock(noted_mutex_);
  noted_[event] = std::move(changes);
}

Result<void> Projection::apply_noted(const std::vector<delivery::Envelope>& events) {
  std::vector<EventChanges> batch;
  {
    const MutexLock lock(noted_mutex_);
    for (const delivery::Envelope& event : events) {
      const auto found = noted_.find(event.id);
      if (found == noted_.end()) continue;
      append_in_parts(batch, event.id, std::move(found->second));
      noted_.erase(found);
    }
  }
  const MutexLock turn(turn_);
  EKIDEN_CHECK(ranking_.apply_batch(batch));
  return {};
}

Result<void> Projection::rebuild() {
  const MutexLock turn(turn_);
  const Instant started = clock_.monotonic();
  std::int64_t boards = 0;
  // One snapshot for all boards and for the ids: an event is in all of it or in none.
  EKIDEN_CHECK(db_.read([&](sql::Tx& tx) -> Result<void> {
    std::string last;
    boards = 0;
    EKIDEN_CHECK(ranking_.rebuild([&]() -> Result<std::optional<ranking::Ranking::Board>> {
      EKIDEN_TRY(auto board, next_board(tx, last));
      if (board) {
        last = board->name;
        ++boards;
      }
      return board;
    }));
    return claim_recent(tx);
  }));
  logger_.info(
      "ranking_rebuilt",
      {{"boards", boards},
       {"took_ms",
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - started).count()}});
  return {};
}

Result<void> Projection::claim_recent(sql::Tx& tx) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT event_id FROM inbox WHERE group_name = $1 AND applied_at "
                                            "> $2 ORDER BY applied_at DESC LIMIT $3",
                                            {inbox_group_, clock_.now() - kOnTheirWay, kRecentMax}));
  std::vector<EventChanges> claims;
  claims.reserve(rows.size());
  for (const sql::Row& row : rows) claims.emplace_back(row.id<EventId>(0), std::vector<ranking::Change>{});
  EKIDEN_CHECK(ranking_.apply_batch(claims));
  return {};
}

}  // namespace ekiden::gamification
