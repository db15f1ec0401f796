#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/ranking/ranking.hpp"

namespace ekiden::gamification {

/// A board as it was read once, in rank order: 36 bytes a member. @threads any
class PastBoard {
 public:
  /// @param standings in any order.
  explicit PastBoard(std::vector<ranking::Standing> standings);

  // As Ranking's, their arguments checked.
  std::vector<ranking::Entry> range(std::int64_t from, std::int64_t limit) const;
  std::vector<ranking::Entry> range_after(const ranking::Standing& last, std::int64_t limit) const;
  std::optional<ranking::Entry> rank(UserId member) const;
  std::vector<ranking::Entry> around(UserId member, std::int64_t before, std::int64_t after) const;
  std::int64_t size() const { return std::ssize(standings_); }
  std::size_t bytes() const;

 private:
  ranking::Entry entry(std::size_t place) const;
  std::optional<std::size_t> find(UserId member) const;

  std::vector<ranking::Standing> standings_;
  std::vector<std::uint32_t> by_member_;  ///< places in `standings_`, in order of the member
};

/// Where boards of past periods are read from: what is durable.
struct PastSource {
  std::function<Result<std::vector<ranking::Standing>>(const std::string& board)> read;
  /// Names that begin with a prefix, sorted.
  std::function<Result<std::vector<std::string>>(std::string_view prefix)> names;
};

/// A ranking in memory that holds only what still moves: all time, and periods that ended less than a month
/// ago. A board of a past period is read from its source when somebody asks, and kept until it changes or
/// others need its room; so memory and start follow from who is active, not from how many years are stored.
/// A change of a past board need not be applied, only what was read of it be dropped: the source has it.
/// @threads any. Reads of past boards wait for the source, those whose `version` is told never do
class PastBoards final : public ranking::Ranking {
 public:
  static constexpr std::chrono::days kHeldFor{31};  ///< after a period's end
  static constexpr std::size_t kBytesMax = std::size_t{16} << 20;

  /// @param held      in this process alone; outlives this object, as what `source` refers to does.
  /// @param bytes_max what past boards may take; the one read last stays, however large it is.
  PastBoards(ranking::Ranking& held, PastSource source, const Clock& clock, std::size_t bytes_max = kBytesMax)
      : held_(held), source_(std::move(source)), clock_(clock), bytes_max_(bytes_max) {}

  Result<bool> apply(EventId event, const std::vector<ranking::Change>& changes) override;
  Result<std::size_t> apply_batch(
      const std::vector<std::pair<EventId, std::vector<ranking::Change>>>& events) override;

  Result<std::vector<ranking::Entry>> range(std::string_view board, std::int64_t from,
                                            std::int64_t limit) const override;
  Result<std::vector<ranking::Entry>> range_after(std::string_view board, const ranking::Standing& last,
                                                  std::int64_t limit) const override;
  Result<std::optional<ranking::Entry>> rank(std::string_view board, UserId member) const override;
  Result<std::vector<ranking::Entry>> around(std::string_view board, UserId member, std::int64_t before,
                                             std::int64_t after) const override;
  Result<std::int64_t> size(std::string_view board) const override;
  /// nullopt for past boards, and for those that are about to be: it stays true for a day.
  std::optional<std::uint64_t> version(std::string_view board) const override;
  Result<std::vector<std::string>> boards(std::string_view prefix) const override;

  /// Moves on to today's past. The loader does not want past boards.
  Result<void> rebuild(std::move_only_function<Result<void>(ranking::Loader&)> fill) override;
  void forget(std::string_view board) override;
  ranking::State state() const override { return held_.state(); }
  Result<ranking::State> check() override { return held_.check(); }
  bool is_shared() const override { return false; }

  /// Bytes of the past boards that are kept.
  std::size_t bytes() const EKIDEN_EXCLUDES(mutex_);

 private:
  using BoardPtr = std::shared_ptr<const PastBoard>;
  struct Kept {
    std::string name;
    BoardPtr board;
    std::size_t bytes = 0;
  };
  using Order = std::list<Kept>;  ///< the one that was asked for last in front

  bool is_past(std::string_view board) const;
  std::chrono::sys_days horizon() const;
  void advance() EKIDEN_REQUIRES(apply_mutex_);
  Result<BoardPtr> read(std::string_view board) const EKIDEN_EXCLUDES(mutex_, read_mutex_);
  BoardPtr find(std::string_view board) const EKIDEN_EXCLUDES(mutex_);
  std::uint64_t changes(std::string_view board) const EKIDEN_EXCLUDES(mutex_);
  void keep(std::string name, BoardPtr board, std::uint64_t changes) const EKIDEN_EXCLUDES(mutex_);
  void remove(Order::iterator kept) const EKIDEN_REQUIRES(mutex_);
  void drop(std::string_view board) EKIDEN_EXCLUDES(mutex_);
  void drop_all() EKIDEN_EXCLUDES(mutex_);

  ranking::Ranking& held_;
  const PastSource source_;
  const Clock& clock_;
  const std::size_t bytes_max_;
  Mutex apply_mutex_;
  /// Periods that were over before it are past. It only moves on, and what it passes leaves `held_` with it.
  std::atomic<std::chrono::sys_days> horizon_{std::chrono::sys_days::min()};
  mutable Mutex read_mutex_;  ///< one board is read at a time: that bounds what is read beside what is kept
  mutable Mutex mutex_;
  mutable Order kept_ EKIDEN_GUARDED_BY(mutex_);
  mutable std::unordered_map<std::string_view, Order::iterator> by_name_ EKIDEN_GUARDED_BY(mutex_);
  mutable std::size_t bytes_ EKIDEN_GUARDED_BY(mutex_) = 0;
  /// How often boards have changed, several under one count: what was read before a change is not kept.
  std::array<std::uint64_t, 256> changes_ EKIDEN_GUARDED_BY(mutex_){};
};

}  // namespace ekiden::gamification
