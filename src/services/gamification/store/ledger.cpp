#include "services/gamification/store/ledger.hpp"

#include <algorithm>
#include <map>

namespace ekiden::gamification {

namespace {

struct Given {
  std::int64_t amount = 0;
  Timestamp
      ended_first;  ///< the earliest and the latest end that its entries tell of: equal where it never moved
  Timestamp ended_last;
};
using GivenByBoard = std::map<std::string, Given>;

/// What the ledger holds of a workout, board by board. Boards where it was taken back whole are left out.
Result<GivenByBoard> given_by(sql::Tx& tx, WorkoutId workout_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT board, CAST(SUM(delta) AS BIGINT), CAST(MIN(ended_at) AS BIGINT), "
                      "CAST(MAX(ended_at) AS BIGINT) "
                      "FROM ledger WHERE workout_id = $1 GROUP BY board HAVING SUM(delta) <> 0",
                      {workout_id}));
  GivenByBoard given;
  for (const sql::Row& row : rows)
    given.emplace(row.text(0), Given{row.integer(1), row.time(2), row.time(3)});
  return given;
}

struct Difference {
  std::string board;
  std::int64_t delta = 0;
};

/// What has to be written so that the ledger holds `wanted`. A board where neither amount nor time moves
/// needs nothing; one where only the time moves gets an entry of 0, for it tells when the score was reached.
std::vector<Difference> differences(GivenByBoard given, const std::vector<Contribution>& wanted,
                                    Timestamp ended_at) {
  std::vector<Difference> out;
  for (const Contribution& contribution : wanted) {
    const auto found = given.find(contribution.board);
    if (found == given.end()) {
      out.push_back({contribution.board, contribution.amount});
      continue;
    }
    const Given before = found->second;
    given.erase(found);
    const bool stays = before.amount == contribution.amount && before.ended_first == ended_at &&
                       before.ended_last == ended_at;
    if (!stays) out.push_back({contribution.board, contribution.amount - before.amount});
  }
  for (const auto& [board, before] : given) out.push_back({board, -before.amount});
  return out;
}

/// When the person's score became what it now is: the end of the latest workout that still counts there.
Result<std::optional<Timestamp>> reached_at(sql::Tx& tx, const std::string& board, UserId user_id) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT CAST(MAX(w.ended_at) AS BIGINT) FROM (SELECT l.workout_id, (SELECT e.ended_at FROM "
               "ledger e WHERE "
               "e.workout_id = l.workout_id AND e.board = $2 ORDER BY e.created_at DESC, e.event_id DESC "
               "LIMIT 1) AS "
               "ended_at FROM ledger l WHERE l.user_id = $1 AND l.board = $2 GROUP BY l.workout_id HAVING "
               "SUM(l.delta) <> 0) AS w",
               {user_id, board}));
  return rows.empty() ? std::nullopt : rows.front().maybe_time(0);
}

/// One statement for each entry: SQLite copies the pages that a statement of many rows changes, in case one
/// of them fails; for one row there is nothing to copy.
Result<void> insert_entries(sql::Tx& tx, EventId event, const CountedWorkout& workout,
                            const std::vector<Difference>& entries, Timestamp now) {
  if (entries.empty()) return {};
  std::vector<sql::Params> sets;
  sets.reserve(entries.size());
  for (const Difference& entry : entries) {
    sets.push_back(
        {workout.workout_id, entry.board, event, workout.user_id, entry.delta, workout.ended_at, now});
  }
  EKIDEN_CHECK(
      tx.execute_batch("INSERT INTO ledger (workout_id, board, event_id, user_id, delta, ended_at, "
                       "created_at) VALUES ($1, $2, $3, "
                       "$4, $5, $6, $7)",
                       std::move(sets)));
  return {};
}

ranking::Change change_of(const Difference& difference, UserId user_id, Timestamp reached) {
  return {.board = difference.board, .member = user_id, .delta = difference.delta, .reached_at = reached};
}

/// When the person reached the scores that they have on these boards.
Result<std::map<std::string, Timestamp, std::less<>>> reached_by_board(
    sql::Tx& tx, UserId user_id, const std::vector<Difference>& differences) {
  std::string statement = "SELECT board, reached_at FROM scores WHERE user_id = $1 AND board IN (";
  sql::Params params{user_id};
  params.reserve(1 + differences.size());
  for (const Difference& difference : differences) {
    params.emplace_back(difference.board);
    statement += (params.size() == 2 ? "$" : ", $") + std::to_string(params.size());
  }
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement + ")", std::move(params)));
  std::map<std::string, Timestamp, std::less<>> reached;
  for (const sql::Row& row : rows) reached.emplace(row.text(0), row.time(1));
  return reached;
}

/// The common case, a first version: the scores only grow, so their time is the later of two.
Result<std::vector<ranking::Change>> raise_scores(sql::Tx& tx, const CountedWorkout& workout,
                                                  const std::vector<Difference>& differences) {
  std::vector<ranking::Change> changes;
  if (differences.empty()) return changes;
  EKIDEN_TRY(const auto reached, reached_by_board(tx, workout.user_id, differences));
  std::vector<sql::Params> sets;
  sets.reserve(differences.size());
  changes.reserve(differences.size());
  for (const Difference& difference : differences) {
    const auto before = reached.find(difference.board);
    const Timestamp at =
        before == reached.end() ? workout.ended_at : std::max(before->second, workout.ended_at);
    sets.push_back({difference.board, workout.user_id, difference.delta, at});
    changes.push_back(change_of(difference, workout.user_id, at));
  }
  EKIDEN_CHECK(tx.execute_batch(
      "INSERT INTO scores (board, user_id, score, reached_at) VALUES ($1, $2, $3, $4) ON CONFLICT (board, "
      "user_id) "
      "DO UPDATE SET score = scores.score + excluded.score, reached_at = excluded.reached_at",
      std::move(sets)));
  return changes;
}

/// Puts a score right after the ledger has its new rows. @returns when it was reached.
Result<Timestamp> write_score(sql::Tx& tx, const Difference& difference, UserId user_id, Timestamp ended_at) {
  EKIDEN_TRY(const auto reached, reached_at(tx, difference.board, user_id));
  if (!reached) {
    EKIDEN_CHECK(
        tx.execute("DELETE FROM scores WHERE board = $1 AND user_id = $2", {difference.board, user_id}));
    return ended_at;
  }
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO scores (board, user_id, score, reached_at) VALUES ($1, $2, $3, $4) ON CONFLICT (board, "
      "user_id) DO UPDATE SET score = scores.score + excluded.score, reached_at = excluded.reached_at",
      {difference.board, user_id, difference.delta, *reached}));
  return *reached;
}

}  // namespace

Result<std::vector<ranking::Change>> settle_workout(sql::Tx& tx, EventId event, const CountedWorkout& workout,
                                                    Timestamp now) {
  EKIDEN_TRY(auto given, given_by(tx, workout.workout_id));
  const bool is_new = given.empty();
  const std::vector<Difference> wanted =
      differences(std::move(given), contributions_of(workout), workout.ended_at);
  EKIDEN_CHECK(insert_entries(tx, event, workout, wanted, now));
  if (is_new) return raise_scores(tx, workout, wanted);
  std::vector<ranking::Change> changes;
  changes.reserve(wanted.size());
  for (const Difference& difference : wanted) {
    EKIDEN_TRY(const Timestamp reached, write_score(tx, difference, workout.user_id, workout.ended_at));
    changes.push_back(change_of(difference, workout.user_id, reached));
  }
  return changes;
}

Result<std::vector<ranking::Change>> erase_member(sql::Tx& tx, UserId user_id, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT board, score, reached_at FROM scores WHERE user_id = $1 ORDER BY board", {user_id}));
  std::vector<ranking::Change> changes;
  for (const sql::Row& row : rows) {
    changes.push_back(
        {.board = row.text(0), .member = user_id, .delta = -row.integer(1), .reached_at = row.time(2)});
  }
  EKIDEN_CHECK(tx.execute("DELETE FROM scores WHERE user_id = $1", {user_id}));
  EKIDEN_CHECK(tx.execute("DELETE FROM ledger WHERE user_id = $1", {user_id}));
  EKIDEN_CHECK(tx.execute("DELETE FROM people WHERE user_id = $1", {user_id}));
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO erased_users (user_id, erased_at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
      {user_id, now}));
  return changes;
}

Result<bool> is_erased(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT 1 FROM erased_users WHERE user_id = $1", {user_id}));
  return !rows.empty();
}

Result<std::vector<LedgerEntry>> entries_behind(sql::Tx& tx, std::string_view board, UserId user_id,
                                                std::int64_t limit) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT workout_id, CAST(SUM(delta) AS BIGINT), CAST(MAX(ended_at) AS BIGINT) FROM ledger "
               "WHERE user_id = "
               "$1 AND board = $2 GROUP BY workout_id HAVING SUM(delta) <> 0 ORDER BY 3 DESC, 1 LIMIT $3",
               {user_id, board, limit}));
  std::vector<LedgerEntry> entries;
  for (const sql::Row& row : rows) {
    entries.push_back(
        {.workout_id = row.id<WorkoutId>(0), .amount = row.integer(1), .ended_at = row.time(2)});
  }
  return entries;
}

Result<std::vector<std::string>> boards_of_member(sql::Tx& tx, UserId user_id, std::int64_t limit) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT board FROM scores WHERE user_id = $1 ORDER BY board LIMIT $2", {user_id, limit}));
  std::vector<std::string> boards;
  for (const sql::Row& row : rows) boards.push_back(row.text(0));
  return boards;
}

Result<std::optional<std::string>> next_board_name(sql::Tx& tx, std::string_view after) {
  EKIDEN_TRY(const sql::Rows names, tx.query("SELECT MIN(board) FROM scores WHERE board > $1", {after}));
  if (names.empty() || names.front().is_null(0)) return std::optional<std::string>{};
  return std::optional<std::string>{names.front().text(0)};
}

Result<std::vector<std::string>> board_names(sql::Tx& tx, std::string_view prefix) {
  std::vector<std::string> names;
  std::string last;
  for (;;) {
    EKIDEN_TRY(auto name, next_board_name(tx, last));
    if (!name) break;
    last = *name;
    if (name->starts_with(prefix)) names.push_back(*std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<std::vector<ranking::Standing>> read_board(sql::Tx& tx, std::string_view board) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT user_id, score, reached_at FROM scores WHERE board = $1", {board}));
  std::vector<ranking::Standing> standings;
  standings.reserve(rows.size());
  for (const sql::Row& row : rows) {
    standings.push_back({.member = row.id<UserId>(0), .score = row.integer(1), .reached_at = row.time(2)});
  }
  return standings;
}

Result<std::optional<ranking::Board>> next_board(sql::Tx& tx, std::string_view after) {
  EKIDEN_TRY(std::optional<std::string> name, next_board_name(tx, after));
  if (!name) return std::optional<ranking::Board>{};
  EKIDEN_TRY(std::vector<ranking::Standing> standings, read_board(tx, *name));
  return std::optional{ranking::Board{.name = *std::move(name), .standings = std::move(standings)}};
}

}  // namespace ekiden::gamification
