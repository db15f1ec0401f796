#include "services/gamification/past_boards.hpp"

#include <algorithm>
#include <numeric>

#include "services/gamification/domain/boards.hpp"

namespace ekiden::gamification {

namespace {

using ranking::Entry;
using ranking::Standing;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::size_t kEntryBytes = 192;  ///< of the list's and the map's nodes, about

bool ended_before(std::string_view board, sys_days horizon) {
  const auto end = settled_on(board);
  return end && *end < horizon;
}

/// Passes on what is not past.
class HeldLoader final : public ranking::Loader {
 public:
  HeldLoader(ranking::Loader& held, sys_days horizon) : held_(held), horizon_(horizon) {}
  void restart() override { held_.restart(); }
  bool wants(std::string_view board) const override { return !ended_before(board, horizon_); }
  Result<void> put(ranking::Board board) override {
    if (!wants(board.name)) return {};
    return held_.put(std::move(board));
  }
  Result<void> mark_applied(const std::vector<EventId>& events) override {
    return held_.mark_applied(events);
  }

 private:
  ranking::Loader& held_;
  const sys_days horizon_;
};

}  // namespace

PastBoard::PastBoard(std::vector<Standing> standings)
    : standings_(std::move(standings)), by_member_(standings_.size()) {
  std::ranges::sort(standings_, ranking::precedes);
  std::iota(by_member_.begin(), by_member_.end(), 0U);
  std::ranges::sort(by_member_, {}, [this](std::uint32_t place) { return standings_[place].member; });
}

std::size_t PastBoard::bytes() const {
  return sizeof(PastBoard) + standings_.capacity() * sizeof(Standing) +
         by_member_.capacity() * sizeof(std::uint32_t);
}

Entry PastBoard::entry(std::size_t place) const {
  const Standing& standing = standings_[place];
  return {static_cast<std::int64_t>(place) + 1, standing.member, standing.score, standing.reached_at};
}

std::optional<std::size_t> PastBoard::find(UserId member) const {
  const auto member_at = [this](std::uint32_t place) { return standings_[place].member; };
  const auto found = std::ranges::lower_bound(by_member_, member, {}, member_at);
  if (found == by_member_.end() || member_at(*found) != member) return std::nullopt;
  return *found;
}

std::vector<Entry> PastBoard::range(std::int64_t from, std::int64_t limit) const {
  std::vector<Entry> entries;
  if (from > size()) return entries;
  const std::int64_t count = std::min(limit, size() - from + 1);
  entries.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) entries.push_back(entry(static_cast<std::size_t>(from - 1 + i)));
  return entries;
}

std::vector<Entry> PastBoard::range_after(const Standing& last, std::int64_t limit) const {
  const auto first = std::ranges::find_if_not(
      std::ranges::lower_bound(standings_, last, ranking::precedes), standings_.end(),
      [&](const Standing& standing) { return !ranking::precedes(last, standing); });
  return range(first - standings_.begin() + 1, limit);
}

std::optional<Entry> PastBoard::rank(UserId member) const {
  const auto place = find(member);
  if (!place) return std::nullopt;
  return entry(*place);
}

std::vector<Entry> PastBoard::around(UserId member, std::int64_t before, std::int64_t after) const {
  const auto place = find(member);
  if (!place) return {};
  const std::int64_t rank = static_cast<std::int64_t>(*place) + 1;
  const std::int64_t first = std::max(std::int64_t{1}, rank - before);
  return range(first, rank - first + 1 + after);
}

sys_days PastBoards::horizon() const {
  return std::chrono::floor<days>(clock_.now()) - kHeldFor;
}

bool PastBoards::is_past(std::string_view board) const {
  return ended_before(board, horizon_.load());
}

/// As changes come, so that what they made is let go when its time is over.
void PastBoards::advance() {
  const sys_days today = horizon();
  if (horizon_.load() == sys_days::min() || today <= horizon_.load()) return;
  horizon_ = today;
  const auto names = held_.boards("");
  if (!names) return;
  for (const std::string& name : *names) {
    if (is_past(name)) held_.forget(name);
  }
}

Result<bool> PastBoards::apply(EventId event, const std::vector<ranking::Change>& changes) {
  EKIDEN_TRY(const std::size_t applied, apply_batch({{event, changes}}));
  return applied > 0;
}

Result<std::size_t> PastBoards::apply_batch(
    const std::vector<std::pair<EventId, std::vector<ranking::Change>>>& events) {
  const MutexLock lock(apply_mutex_);
  advance();
  bool all_held = true;
  for (const auto& [event, changes] : events) {
    for (const ranking::Change& change : changes) {
      if (!is_past(change.board)) continue;
      all_held = false;
      drop(change.board);
    }
  }
  if (all_held) return held_.apply_batch(events);
  auto held = events;  // An event stays, also where nothing of it is left: it counts as applied.
  for (auto& [event, changes] : held) {
    std::erase_if(changes, [this](const ranking::Change& change) { return is_past(change.board); });
  }
  return held_.apply_batch(held);
}

Result<std::vector<Entry>> PastBoards::range(std::string_view board, std::int64_t from,
                                             std::int64_t limit) const {
  if (!is_past(board)) return held_.range(board, from, limit);
  EKIDEN_CHECK(ranking::check_entry_count(limit, "limit"));
  if (from < 1) return Error{Errc::invalid, "rank-below-one", "ranks begin at 1", "from"};
  EKIDEN_TRY(const BoardPtr past, read(board));
  return past->range(from, limit);
}

Result<std::vector<Entry>> PastBoards::range_after(std::string_view board, const Standing& last,
                                                   std::int64_t limit) const {
  if (!is_past(board)) return held_.range_after(board, last, limit);
  EKIDEN_CHECK(ranking::check_entry_count(limit, "limit"));
  EKIDEN_CHECK(ranking::check_score(last.score));
  EKIDEN_TRY(const BoardPtr past, read(board));
  return past->range_after(last, limit);
}

Result<std::optional<Entry>> PastBoards::rank(std::string_view board, UserId member) const {
  if (!is_past(board)) return held_.rank(board, member);
  EKIDEN_TRY(const BoardPtr past, read(board));
  return past->rank(member);
}

Result<std::vector<Entry>> PastBoards::around(std::string_view board, UserId member, std::int64_t before,
                                              std::int64_t after) const {
  if (!is_past(board)) return held_.around(board, member, before, after);
  EKIDEN_CHECK(ranking::check_entry_count(before, "before"));
  EKIDEN_CHECK(ranking::check_entry_count(after, "after"));
  EKIDEN_TRY(const BoardPtr past, read(board));
  return past->around(member, before, after);
}

Result<std::int64_t> PastBoards::size(std::string_view board) const {
  if (!is_past(board)) return held_.size(board);
  EKIDEN_TRY(const BoardPtr past, read(board));
  return past->size();
}

std::optional<std::uint64_t> PastBoards::version(std::string_view board) const {
  // By the clock, and a day early: between this answer and the read that follows it nothing is let go.
  if (is_past(board) || ended_before(board, horizon() + days{1})) return std::nullopt;
  return held_.version(board);
}

Result<std::vector<std::string>> PastBoards::boards(std::string_view prefix) const {
  EKIDEN_TRY(std::vector<std::string> names, held_.boards(prefix));
  EKIDEN_TRY(const std::vector<std::string> stored, source_.names(prefix));
  for (const std::string& name : stored) {
    if (is_past(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<void> PastBoards::rebuild(std::move_only_function<Result<void>(ranking::Loader&)> fill) {
  sys_days until;
  {
    const MutexLock lock(apply_mutex_);
    until = std::max(horizon_.load(), horizon());
    horizon_ = until;
  }
  // Changes may have been missed: that is why boards are rebuilt. Again afterwards, as reads go on.
  drop_all();
  Result<void> outcome = held_.rebuild([&](ranking::Loader& loader) {
    HeldLoader wanted(loader, until);
    return fill(wanted);
  });
  drop_all();
  return outcome;
}

void PastBoards::forget(std::string_view board) {
  const MutexLock lock(apply_mutex_);
  drop(board);
  held_.forget(board);
}

Result<PastBoards::BoardPtr> PastBoards::read(std::string_view board) const {
  if (BoardPtr found = find(board)) return found;
  const MutexLock lock(read_mutex_);
  if (BoardPtr found = find(board)) return found;
  // Asked before it is read: a change that becomes durable later is counted later, and then this is not kept.
  const std::uint64_t before = changes(board);
  std::string name(board);
  EKIDEN_TRY(std::vector<Standing> standings, source_.read(name));
  auto fresh = std::make_shared<const PastBoard>(std::move(standings));
  keep(std::move(name), fresh, before);
  return BoardPtr(std::move(fresh));
}

PastBoards::BoardPtr PastBoards::find(std::string_view board) const {
  const MutexLock lock(mutex_);
  const auto found = by_name_.find(board);
  if (found == by_name_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->board;
}

std::uint64_t PastBoards::changes(std::string_view board) const {
  const MutexLock lock(mutex_);
  return changes_[std::hash<std::string_view>{}(board) % changes_.size()];
}

void PastBoards::keep(std::string name, BoardPtr board, std::uint64_t changes) const {
  const std::size_t more = board->bytes() + name.capacity() + kEntryBytes;
  const MutexLock lock(mutex_);
  if (changes_[std::hash<std::string_view>{}(name) % changes_.size()] != changes) return;
  if (by_name_.contains(name)) return;
  kept_.push_front({.name = std::move(name), .board = std::move(board), .bytes = more});
  by_name_.emplace(kept_.front().name, kept_.begin());
  bytes_ += more;
  while (bytes_ > bytes_max_ && kept_.size() > 1) remove(std::prev(kept_.end()));
}

void PastBoards::remove(Order::iterator kept) const {
  bytes_ -= kept->bytes;
  by_name_.erase(kept->name);
  kept_.erase(kept);
}

void PastBoards::drop(std::string_view board) {
  const MutexLock lock(mutex_);
  ++changes_[std::hash<std::string_view>{}(board) % changes_.size()];
  if (const auto found = by_name_.find(board); found != by_name_.end()) remove(found->second);
}

void PastBoards::drop_all() {
  const MutexLock lock(mutex_);
  for (std::uint64_t& count : changes_) ++count;
  by_name_.clear();
  kept_.clear();
  bytes_ = 0;
}

std::size_t PastBoards::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace ekiden::gamification
