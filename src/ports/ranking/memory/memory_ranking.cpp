#include "ports/ranking/memory/memory_ranking.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "ports/ranking/memory/board.hpp"
#include "ports/ranking/memory/event_window.hpp"

namespace ekiden::ranking {
namespace {

using Event = std::pair<EventId, std::vector<Change>>;

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Board names to boards. A reader keeps a board alive while it reads, though it may have left the catalogue.
class Catalogue {
 public:
  using BoardPtr = std::shared_ptr<MemoryBoard>;

  BoardPtr find(std::string_view name) const EKIDEN_EXCLUDES(mutex_) {
    const ReadLock lock(mutex_);
    const auto found = boards_.find(name);
    return found == boards_.end() ? nullptr : found->second;
  }
  BoardPtr find_or_make(std::string_view name) EKIDEN_EXCLUDES(mutex_) {
    const WriteLock lock(mutex_);
    BoardPtr& board = boards_[std::string(name)];
    if (board == nullptr) board = std::make_shared<MemoryBoard>();
    return board;
  }
  void put(const std::string& name, BoardPtr board) EKIDEN_EXCLUDES(mutex_) {
    const WriteLock lock(mutex_);
    boards_[name].swap(board);  // the old board dies after the lock
  }
  void erase(std::string_view name) EKIDEN_EXCLUDES(mutex_) {
    const WriteLock lock(mutex_);
    if (const auto found = boards_.find(name); found != boards_.end()) boards_.erase(found);
  }
  std::vector<std::string> names(std::string_view prefix) const EKIDEN_EXCLUDES(mutex_) {
    std::vector<std::string> result;
    {
      const ReadLock lock(mutex_);
      for (const auto& [name, board] : boards_) {
        if (name.starts_with(prefix)) result.push_back(name);
      }
    }
    std::ranges::sort(result);
    return result;
  }

 private:
  mutable SharedMutex mutex_;
  std::unordered_map<std::string, BoardPtr, StringHash, std::equal_to<>> boards_ EKIDEN_GUARDED_BY(mutex_);
};

enum class Phase : std::uint8_t { forgotten, rebuilding, ready };

class MemoryRanking final : public Ranking {
 public:
  explicit MemoryRanking(const MemoryRankingConfig& config)
      : phase_(config.ready_when_empty ? Phase::ready : Phase::forgotten), window_(config.event_window_max) {}

  Result<bool> apply(EventId event, const std::vector<Change>& changes) override {
    const MutexLock lock(apply_mutex_);
    EKIDEN_CHECK(check_ready());
    return apply_one(event, changes);
  }

  Result<std::size_t> apply_batch(const std::vector<Event>& events) override {
    std::size_t applied = 0;
    // Other writers get their turn between slices.
    for (std::size_t first = 0; first < events.size(); first += kSlice) {
      const std::span<const Event> slice =
          std::span(events).subspan(first, std::min(kSlice, events.size() - first));
      const MutexLock lock(apply_mutex_);
      EKIDEN_CHECK(check_ready());
      prefetch(slice);
      for (const auto& [event, changes] : slice) {
        EKIDEN_TRY(const bool is_new, apply_one(event, changes));
        applied += is_new ? 1 : 0;
      }
    }
    return applied;
  }

  Result<std::vector<Entry>> range(std::string_view board, std::int64_t from,
                                   std::int64_t limit) const override {
    EKIDEN_CHECK(check_entry_count(limit, "limit"));
    if (from < 1) return Error{Errc::invalid, "rank-below-one", "ranks begin at 1", "from"};
    const auto found = catalogue_.find(board);
    return found == nullptr ? std::vector<Entry>{} : found->range(from, limit);
  }

  Result<std::vector<Entry>> range_after(std::string_view board, const Standing& last,
                                         std::int64_t limit) const override {
    EKIDEN_CHECK(check_entry_count(limit, "limit"));
    EKIDEN_CHECK(check_score(last.score));
    const auto found = catalogue_.find(board);
    return found == nullptr ? std::vector<Entry>{} : found->range_after(last, limit);
  }

  Result<std::optional<Entry>> rank(std::string_view board, UserId member) const override {
    const auto found = catalogue_.find(board);
    return found == nullptr ? std::nullopt : found->rank(member);
  }

  Result<std::vector<Entry>> around(std::string_view board, UserId member, std::int64_t before,
                                    std::int64_t after) const override {
    EKIDEN_CHECK(check_entry_count(before, "before"));
    EKIDEN_CHECK(check_entry_count(after, "after"));
    const auto found = catalogue_.find(board);
    return found == nullptr ? std::vector<Entry>{} : found->around(member, before, after);
  }

  Result<std::int64_t> size(std::string_view board) const override {
    const auto found = catalogue_.find(board);
    return found == nullptr ? 0 : std::int64_t{found->size()};
  }

  std::optional<std::uint64_t> version(std::string_view board) const override {
    const auto found = catalogue_.find(board);
    return found == nullptr ? 0 : found->version();
  }

  Result<std::vector<std::string>> boards(std::string_view prefix) const override {
    return catalogue_.names(prefix);
  }

  Result<void> rebuild(std::move_only_function<Result<void>(Loader&)> fill) override {
    {
      const MutexLock lock(apply_mutex_);
      if (phase_ == Phase::rebuilding) return Error{Errc::busy, "rebuild-runs", "another rebuild runs", {}};
      phase_ = Phase::rebuilding;
    }
    BoardLoader loader(*this);
    Result<void> loaded = fill(loader);
    if (loaded) loader.drop_the_rest();
    const MutexLock lock(apply_mutex_);
    phase_ = loaded ? Phase::ready : Phase::forgotten;
    return loaded;
  }

  void forget(std::string_view board) override {
    const MutexLock lock(apply_mutex_);
    catalogue_.erase(board);
  }

  State state() const override {
    switch (phase_.load()) {
      case Phase::ready:
        return State::ready;
      case Phase::rebuilding:
        return State::rebuilding;
      case Phase::forgotten:
        return State::forgotten;
    }
    return State::forgotten;
  }
  Result<State> check() override { return state(); }
  bool is_shared() const override { return false; }

 private:
  static constexpr std::size_t kSlice = 32;         ///< events under one lock
  static constexpr std::size_t kPrefetchMax = 128;  ///< changes whose memory may be under way at once

  struct Planned {
    Catalogue::BoardPtr board;  ///< null where this event makes it
    std::uint32_t hash = 0;
    std::int64_t score = 0;
  };

  Result<void> check_ready() const EKIDEN_REQUIRES(apply_mutex_);
  Result<bool> apply_one(EventId event, const std::vector<Change>& changes) EKIDEN_REQUIRES(apply_mutex_);
  Result<void> plan(const std::vector<Change>& changes) EKIDEN_REQUIRES(apply_mutex_);
  std::vector<Planned>::const_reverse_iterator find_earlier(const std::vector<Change>& changes,
                                                            std::size_t at, std::uint32_t hash)
      EKIDEN_REQUIRES(apply_mutex_);
  void prefetch(std::span<const Event> events) EKIDEN_REQUIRES(apply_mutex_);

  /// Puts boards in place of the old ones, one by one.
  class BoardLoader final : public Loader {
   public:
    explicit BoardLoader(MemoryRanking& ranking) : ranking_(ranking) {}
    void restart() override { loaded_.clear(); }
    Result<void> put(Board board) override;
    Result<void> mark_applied(const std::vector<EventId>& events) override;
    /// Boards that were there before and have not been put.
    void drop_the_rest();

   private:
    MemoryRanking& ranking_;
    std::unordered_set<std::string> loaded_;
  };

  mutable Mutex apply_mutex_;
  std::atomic<Phase> phase_;  ///< written under apply_mutex_
  std::atomic<std::uint64_t> versions_ = 0;
  EventWindow window_ EKIDEN_GUARDED_BY(apply_mutex_);
  std::vector<Planned> plan_ EKIDEN_GUARDED_BY(apply_mutex_);  ///< kept for its memory
  std::unordered_set<std::size_t> touched_
      EKIDEN_GUARDED_BY(apply_mutex_);  ///< of an event with many changes
  Catalogue catalogue_;
};

Result<void> MemoryRanking::check_ready() const {
  switch (phase_.load()) {
    case Phase::ready:
      return {};
    case Phase::rebuilding:
      return Error{Errc::unavailable, "rebuilding", "the boards are being rebuilt; try again", {}};
    case Phase::forgotten:
      return Error{Errc::gone, "boards-forgotten", "the boards are lost; rebuild them from the ledger", {}};
  }
  return Error{Errc::internal, "phase", "unknown phase of the ranking", {}};
}

/// Finds every score that the event leads to, or the reason why it may not: nothing is changed here.
Result<void> MemoryRanking::plan(const std::vector<Change>& changes) {
  plan_.clear();
  touched_.clear();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    Planned planned{.board = nullptr, .hash = hash_of(change.member.uuid())};
    const auto earlier = find_earlier(changes, i, planned.hash);
    std::int64_t score = 0;
    if (earlier != plan_.crend()) {
      planned.board = earlier->board;
      score = earlier->score;
    } else if (i > 0 && changes[i - 1].board == change.board) {
      planned.board = plan_[i - 1].board;
      if (planned.board != nullptr) score = planned.board->score(change.member, planned.hash);
    } else {
      EKIDEN_CHECK(check_board_name(change.board));
      planned.board = catalogue_.find(change.board);
      if (planned.board != nullptr) score = planned.board->score(change.member, planned.hash);
    }
    EKIDEN_TRY(planned.score, add_scores(score, change.delta));
    plan_.push_back(std::move(planned));
  }
  return {};
}

/// The last change before `at` of the same member on the same board. Few are looked through; many, as
/// somebody leaves all boards, are found by their hash.
std::vector<MemoryRanking::Planned>::const_reverse_iterator MemoryRanking::find_earlier(
    const std::vector<Change>& changes, std::size_t at, std::uint32_t hash) {
  constexpr std::size_t kFew = 64;
  if (changes.size() > kFew) {
    const std::size_t key = std::hash<std::string_view>{}(changes[at].board) ^ hash;
    if (touched_.insert(key).second) return plan_.crend();
  }
  const Planned* first = plan_.data();
  return std::find_if(plan_.crbegin(), plan_.crend(), [&, first](const Planned& other) {
    const Change& before = changes[static_cast<std::size_t>(&other - first)];
    return other.hash == hash && before.member == changes[at].member && before.board == changes[at].board;
  });
}

Result<bool> MemoryRanking::apply_one(EventId event, const std::vector<Change>& changes) {
  if (window_.contains(event)) return false;
  if (changes.size() > kChangesMax) {
    return Error{Errc::invalid, "too-many-changes", "an event has at most 100000 changes", "changes"};
  }
  EKIDEN_CHECK(plan(changes));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    Planned& planned = plan_[i];
    if (planned.board == nullptr) planned.board = catalogue_.find_or_make(change.board);
    // Each change has a number of its own: between two of one event the board is read, too.
    planned.board->set({change.member, planned.score, change.reached_at}, planned.hash, ++versions_);
  }
  // Only now: a board that one change empties may be filled again by a later one.
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (plan_[i].score == 0 && plan_[i].board->size() == 0) catalogue_.erase(changes[i].board);
  }
  window_.add(event);
  return true;
}

/// Starts loading what the slice will look up, so that the waits for memory overlap.
void MemoryRanking::prefetch(std::span<const Event> events) {
  plan_.clear();
  const std::string* last_name = nullptr;
  Catalogue::BoardPtr board;
  std::size_t ahead = 0;
  for (const auto& [event, changes] : events) {
    window_.prefetch(event, ahead++);
    for (const Change& change : changes) {
      if (plan_.size() == kPrefetchMax) break;
      if (last_name == nullptr || *last_name != change.board) {
        board = catalogue_.find(change.board);
        last_name = &change.board;
      }
      if (board != nullptr) plan_.push_back({board, hash_of(change.member.uuid())});
    }
  }
  for (const Planned& planned : plan_) planned.board->prefetch_index(planned.hash);
  for (const Planned& planned : plan_) planned.board->prefetch_member(planned.hash);
  for (const Planned& planned : plan_) planned.board->prefetch_standing(planned.hash);
}

Result<void> MemoryRanking::BoardLoader::put(Board board) {
  EKIDEN_CHECK(check_board_name(board.name));
  auto fresh = std::make_shared<MemoryBoard>();
  EKIDEN_CHECK(fresh->load(board.standings, ++ranking_.versions_));
  if (fresh->size() == 0) {
    loaded_.erase(board.name);
    return {};
  }
  ranking_.catalogue_.put(board.name, std::move(fresh));
  loaded_.insert(std::move(board.name));
  return {};
}

Result<void> MemoryRanking::BoardLoader::mark_applied(const std::vector<EventId>& events) {
  const MutexLock lock(ranking_.apply_mutex_);
  for (const EventId& event : events) {
    if (!ranking_.window_.contains(event)) ranking_.window_.add(event);
  }
  return {};
}

void MemoryRanking::BoardLoader::drop_the_rest() {
  for (const std::string& name : ranking_.catalogue_.names("")) {
    if (!loaded_.contains(name)) ranking_.catalogue_.erase(name);
  }
}

}  // namespace

std::unique_ptr<Ranking> make_memory_ranking(const MemoryRankingConfig& config) {
  return std::make_unique<MemoryRanking>(config);
}

}  // namespace ekiden::ranking
