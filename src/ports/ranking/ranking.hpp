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

/// What one event does to one board.
struct Change {
  std::string board;  ///< 1..128 bytes of [a-z0-9:_-]; made when absent
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

/// Whether what is read is whole.
enum class State : std::uint8_t { ready, rebuilding };

/// @threads any. The memory adapter never blocks; the Redis adapter waits for the network: call it from pool
/// threads or through runtime::offload.
class Ranking {
 public:
  virtual ~Ranking() = default;

  /// Applies all changes of one event, once per `event`: claim and effect are one atomic step. A member whose
  /// score becomes 0 leaves the board.
  /// @returns false where the event had been applied before (nothing changed).
  /// @errors invalid      a score would reach 2^53 (stores keep doubles), or a board's name is wrong; nothing
  /// changed.
  ///         unavailable  no answer; it may have happened: call again with the same event.
  ///         gone         the store has forgotten (its epoch differs): rebuild before anything else.
  virtual Result<bool> apply(EventId event, const std::vector<Change>& changes) = 0;

  /// Applies many events in one go, in order; each once. @returns how many were new. Errors as `apply`; what
  /// came before the failing event has been applied.
  virtual Result<std::size_t> apply_batch(
      const std::vector<std::pair<EventId, std::vector<Change>>>& events) = 0;

  /// Up to `limit` entries from rank `from` (1-based) on; empty for a board that does not exist.
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
  /// Names of all boards that begin with `prefix`, sorted.
  virtual Result<std::vector<std::string>> boards(std::string_view prefix) const = 0;

  /// Replaces everything, board by board, while reads go on and answer with State::rebuilding. `next` is
  /// called until it returns nullopt, each time with one board and its standings in any order; events applied
  /// meanwhile wait in their callers (`apply` answers `unavailable`).
  struct Board {
    std::string name;
    std::vector<Standing> standings;
  };
  virtual Result<void> rebuild(std::move_only_function<Result<std::optional<Board>>()> next) = 0;
  virtual State state() const = 0;
};

}  // namespace ekiden::ranking
