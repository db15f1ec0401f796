#pragma once

#include <vector>

#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"
#include "services/gamification/domain/boards.hpp"

namespace ekiden::gamification {

/// Writes what `event` changes about a workout's worth: for each board the difference between what the ledger
/// holds of this workout and what the new version gives. Takes back exactly what was given, also where a rule
/// has changed since.
/// @returns the changes for the ranking, in no special order. Errors as sql::Tx.
Result<std::vector<ranking::Change>> settle_workout(sql::Tx& tx, EventId event, const CountedWorkout& workout,
                                                    Timestamp now);

/// Removes everything of an erased person. @returns the changes that take them off every board.
Result<std::vector<ranking::Change>> erase_member(sql::Tx& tx, UserId user_id, Timestamp now);

Result<bool> is_erased(sql::Tx& tx, UserId user_id);

/// A workout's part in somebody's score.
struct LedgerEntry {
  WorkoutId workout_id;
  std::int64_t amount = 0;
  Timestamp ended_at;
};
/// What a score is made of, the latest first; at most `limit`.
Result<std::vector<LedgerEntry>> entries_behind(sql::Tx& tx, std::string_view board, UserId user_id,
                                                std::int64_t limit);

/// Boards on which the person stands, with their scores.
Result<std::vector<std::string>> boards_of_member(sql::Tx& tx, UserId user_id, std::int64_t limit);

/// The first name above `after` of a board that somebody stands on.
Result<std::optional<std::string>> next_board_name(sql::Tx& tx, std::string_view after);
/// Names that begin with `prefix`, sorted.
Result<std::vector<std::string>> board_names(sql::Tx& tx, std::string_view prefix);
/// Who stands on a board, in any order.
Result<std::vector<ranking::Standing>> read_board(sql::Tx& tx, std::string_view board);
/// Reads `scores` board by board in order of name. `after` is the last board read, or empty.
Result<std::optional<ranking::Board>> next_board(sql::Tx& tx, std::string_view after);

}  // namespace ekiden::gamification
