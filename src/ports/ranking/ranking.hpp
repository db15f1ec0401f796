#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"

/// Sorted sets: members of a board ordered by score descending, then by who reached it first, then by user
/// id. A projection of the ledger: it may forget everything at any moment and is rebuilt.
namespace ekiden::ranking {

inline constexpr std::size_t kBoardNameMax = 128;  ///< bytes
inline constexpr std::int64_t kScoreEnd = std::int64_t{1}
                                          << 53;  ///< |score| stays below: Redis keeps doubles
inline constexpr std::size_t kChangesMax =
    100'000;  ///< of one event: somebody erased leaves all boards at once
inline constexpr std::int64_t kEntriesMax = 10'000;  ///< of one answer

/// What one event does to one board.
struct Change {
  std::string board;  ///< 1..128 bytes of [a-z0-9:_-]; made when absent, gone when its last member leaves
  UserId member;
  std::int64_t delta = 0;  ///< in the board's unit (m, s, count)
  Timestamp reached_at;    ///< when the member's score became what it is after this change
};

struct Entry {
  std::int64_t rank = 0;  ///< from 1
  UserId member;
  std::int64_t score = 0;
  Timestamp reached_at;
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// A member's standing without its rank: what a rebuild loads.
struct Standing {
  UserId member;
  std::int64_t score = 0;
  Timestamp reached_at;
};

/// True where `a` stands above `b`: more points, else earlier, else the smaller id.
bool precedes(const Standing& a, const Standing& b);

// What every adapter refuses in the same words.
/// @errors invalid: not 1..128 bytes of [a-z0-9:_-].
Result<void> check_board_name(std::string_view board);
/// @errors invalid: the score is not within the open interval (-2^53, 2^53).
Result<void> check_score(std::int64_t score);
/// The score after a change. @errors invalid: it would reach 2^53.
Result<std::int64_t> add_scores(std::int64_t score, std::int64_t delta);
/// @errors invalid: a count is not within 0..kEntriesMax. @param field the argument's name.
Result<void> check_entry_count(std::int64_t count, std::string_view field);

/// Whether what is read is whole.
enum class State : std::uint8_t {
  ready,
  rebuilding,  ///< somebody makes it anew, here or in another process
  forgotten,   ///< nobody does yet: call `rebuild`
};

/// A board and who stands on it, in any order.
struct Board {
  std::string name;
  std::vector<Standing> standings;
};

/// Takes what a rebuild reads from the ledger. @threads one at a time, within `rebuild`
class Loader {
 public:
  virtual ~Loader() = default;
  /// Forgets what was put: the caller reads its source anew. Not needed at the beginning.
  virtual void restart() = 0;
  /// False where a board need not be put, nor any other whose name begins with this one's: they are
  /// elsewhere.
  virtual bool wants(std::string_view board) const {
    (void)board;
    return true;
  }
  /// A whole board; one of its name that was put before is replaced. A standing of score 0 is left out.
  /// @errors invalid: a wrong name, score, or a member twice; and those of `rebuild`. Give up then.
  virtual Result<void> put(Board board) = 0;
  /// Ids of events that the boards contain, though they may still be offered: `apply` answers false for them.
  /// Name those that were committed shortly before the boards were read. Errors as `put`.
  virtual Result<void> mark_applied(const std::vector<EventId>& events) = 0;
};

/// @threads any. The memory adapter never blocks; the Redis adapter waits for the network: call it from pool
/// threads or through runtime::offload.
class Ranking {
 public:
  virtual ~Ranking() = default;

  /// Applies all changes of one event, once per `event`: claim and effect are one atomic step. A member whose
  /// score becomes 0 leaves the board.
  /// @returns false where the event had been applied before (nothing changed).
  /// Changes are taken in order; several may touch the same member.
  /// @errors invalid      a score would reach 2^53 (stores keep doubles), a board's name is wrong, or there
  /// are
  ///                      more than kChangesMax; nothing changed, and the event counts as not applied.
  ///         unavailable, timeout  no answer; it may have happened: call again with the same event.
  ///         gone         the store has forgotten (its epoch differs): rebuild before anything else.
  virtual Result<bool> apply(EventId event, const std::vector<Change>& changes) = 0;

  /// Applies many events in one go, in order; each once. @returns how many were new. Errors as `apply`; what
  /// came before the failing event has been applied.
  virtual Result<std::size_t> apply_batch(
      const std::vector<std::pair<EventId, std::vector<Change>>>& events) = 0;

  // Reads. @errors invalid: a count is not within 0..kEntriesMax, or a rank is below 1. unavailable, timeout:
  // the store does not answer. A board that does not exist is empty; a wrong name is such a board.

  /// Up to `limit` entries from rank `from` (1-based) on.
  virtual Result<std::vector<Entry>> range(std::string_view board, std::int64_t from,
                                           std::int64_t limit) const = 0;
  /// The first `limit` entries that come after the given standing; for paging that is steady while scores
  /// move.
  virtual Result<std::vector<Entry>> range_after(std::string_view board, const Standing& last,
                                                 std::int64_t limit) const = 0;
  /// nullopt where the member is not on the board.
  virtual Result<std::optional<Entry>> rank(std::string_view board, UserId member) const = 0;
  /// `before` entries above the member, the member, `after` below; empty where the member is not on the
  /// board.
  virtual Result<std::vector<Entry>> around(std::string_view board, UserId member, std::int64_t before,
                                            std::int64_t after) const = 0;
  virtual Result<std::int64_t> size(std::string_view board) const = 0;
  /// A number that every change of the board replaces by one it never had, so that what was made of its
  /// entries can be kept: ask before reading, and while the answer stays, so do they. 0 for a board that does
  /// not exist. nullopt where it cannot be told without waiting, or not at all: then reads may wait, too.
  virtual std::optional<std::uint64_t> version(std::string_view board) const = 0;
  /// Names of all boards that begin with `prefix`, sorted.
  virtual Result<std::vector<std::string>> boards(std::string_view prefix) const = 0;

  /// Replaces everything. `fill` is called once no event can be applied any more: what it reads from the
  /// ledger then contains every event that has been applied. Until the end, reads go on with the old boards
  /// or the new ones and State::rebuilding, and events wait in their callers (`apply` answers `unavailable`).
  /// Event ids applied before stay known.
  /// @errors what `fill` answered: what is read is of the old boards or the new ones, and the store counts as
  ///         forgotten (`apply` answers `gone`) until a rebuild succeeds. unavailable: the same, as the store
  ///         did not answer or the right to rebuild was lost to another process. busy: another rebuild runs,
  ///         here or elsewhere; nothing changed.
  virtual Result<void> rebuild(std::move_only_function<Result<void>(Loader&)> fill) = 0;
  /// Takes a board away whole, as one that is read elsewhere from now on. Only where nobody shares it: throws
  /// std::logic_error otherwise.
  virtual void forget(std::string_view board) = 0;
  /// What is known without asking: what the last call was told.
  virtual State state() const = 0;
  /// Asks the store. @errors unavailable.
  virtual Result<State> check() = 0;
  /// Whether it lives outside this process: then every call waits for a network and must not be made on a
  /// loop, other processes change it too, and it outlives this one.
  virtual bool is_shared() const = 0;
};

}  // namespace ekiden::ranking
