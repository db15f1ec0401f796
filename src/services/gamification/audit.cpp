#include "services/gamification/audit.hpp"

#include <map>
#include <set>

#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

constexpr std::int64_t kFindingsMax = 100;

/// Scores that are not the sum of the ledger, in either direction.
constexpr std::string_view kWrongScores =
    "SELECT l.board, l.user_id, l.total, COALESCE(s.score, 0) FROM (SELECT board, user_id, CAST(SUM(delta) "
    "AS BIGINT) AS total FROM "
    "ledger GROUP BY board, user_id) AS l LEFT JOIN scores s ON s.board = l.board AND s.user_id = l.user_id "
    "WHERE COALESCE(s.score, "
    "0) <> l.total UNION ALL SELECT s.board, s.user_id, CAST(0 AS BIGINT), s.score FROM scores s WHERE NOT "
    "EXISTS (SELECT 1 FROM "
    "ledger l WHERE l.board = s.board AND l.user_id = s.user_id) LIMIT $1";

Result<std::vector<std::string>> scores_equal_ledger(sql::Database& db, bool repair) {
  const auto check = [repair](sql::Tx& tx) -> Result<std::vector<std::string>> {
    EKIDEN_TRY(const sql::Rows rows, tx.query(kWrongScores, {kFindingsMax}));
    std::vector<std::string> findings;
    for (const sql::Row& row : rows) {
      findings.push_back("board " + row.text(0) + ", person " + row.id<UserId>(1).to_string() +
                         ": the ledger sums to " + std::to_string(row.integer(2)) + ", the score is " +
                         std::to_string(row.integer(3)) + (repair ? " (put right)" : ""));
    }
    if (repair && !rows.empty()) {
      EKIDEN_CHECK(tx.execute("DELETE FROM scores"));
      EKIDEN_CHECK(
          tx.execute("INSERT INTO scores (board, user_id, score, reached_at) SELECT w.board, w.user_id, "
                     "CAST(SUM(w.amount) AS BIGINT), "
                     "CAST(MAX(w.ended_at) AS BIGINT) FROM (SELECT l.board, l.user_id, l.workout_id, "
                     "CAST(SUM(l.delta) AS BIGINT) AS amount, "
                     "(SELECT e.ended_at FROM ledger e WHERE e.workout_id = l.workout_id AND e.board = "
                     "l.board ORDER BY e.created_at DESC, "
                     "e.event_id DESC LIMIT 1) AS ended_at FROM ledger l GROUP BY l.board, l.user_id, "
                     "l.workout_id HAVING SUM(l.delta) <> 0) "
                     "AS w GROUP BY w.board, w.user_id"));
    }
    return findings;
  };
  if (repair) return db.write(check);
  return db.read(check);
}

/// Nothing below zero, and nothing that no workout backs.
Result<std::vector<std::string>> parts_are_whole(sql::Database& db) {
  EKIDEN_TRY(const sql::Rows rows, db.read([](sql::Tx& tx) {
    return tx.query(
        "SELECT board, workout_id, CAST(SUM(delta) AS BIGINT) FROM ledger GROUP BY board, workout_id HAVING "
        "SUM(delta) < 0 "
        "LIMIT $1",
        {kFindingsMax});
  }));
  std::vector<std::string> findings;
  for (const sql::Row& row : rows) {
    findings.push_back("board " + row.text(0) + ", workout " + row.id<WorkoutId>(1).to_string() +
                       ": more was taken back than given (" + std::to_string(row.integer(2)) + ")");
  }
  return findings;
}

Result<std::vector<std::string>> compare_board(const ranking::Ranking& ranking, const ranking::Board& board) {
  std::vector<std::string> findings;
  EKIDEN_TRY(const std::int64_t members, ranking.size(board.name));
  if (std::cmp_not_equal(members, board.standings.size())) {
    findings.push_back("board " + board.name + ": " + std::to_string(board.standings.size()) +
                       " people have a score, " + std::to_string(members) + " are ranked");
  }
  for (const ranking::Standing& standing : board.standings) {
    EKIDEN_TRY(const auto entry, ranking.rank(board.name, standing.member));
    if (entry && entry->score == standing.score && entry->reached_at == standing.reached_at) continue;
    findings.push_back("board " + board.name + ", person " + standing.member.to_string() + ": the score is " +
                       std::to_string(standing.score) + ", the ranking says " +
                       (entry ? std::to_string(entry->score) : std::string("nothing")));
  }
  return findings;
}

}  // namespace

Result<std::vector<std::string>> ranking_equals_scores(sql::Database& db, const ranking::Ranking& ranking,
                                                       Projection& projection, bool repair) {
  std::vector<std::string> findings;
  EKIDEN_CHECK(db.read([&](sql::Tx& tx) -> Result<void> {
    findings.clear();
    std::string last;
    for (;;) {
      EKIDEN_TRY(const auto board, next_board(tx, last));
      if (!board || std::cmp_greater_equal(findings.size(), kFindingsMax)) return {};
      last = board->name;
      // A board that is not held is read from these very scores when somebody asks.
      if (!ranking.is_shared() && !ranking.version(board->name)) continue;
      EKIDEN_TRY(auto of_board, compare_board(ranking, *board));
      findings.insert(findings.end(), of_board.begin(), of_board.end());
    }
  }));
  if (repair && !findings.empty()) EKIDEN_CHECK(projection.rebuild());
  return findings;
}

Result<std::vector<std::string>> ledger_equals_workouts(
    sql::Database& db, std::move_only_function<Result<std::optional<CountedWorkout>>()> workouts) {
  std::vector<std::string> findings;
  std::set<WorkoutId> seen;
  EKIDEN_CHECK(db.read([&](sql::Tx& tx) -> Result<void> {
    for (;;) {
      EKIDEN_TRY(const auto workout, workouts());
      if (!workout) break;
      seen.insert(workout->workout_id);
      EKIDEN_TRY(
          const auto rows,
          tx.query("SELECT board, CAST(SUM(delta) AS BIGINT) FROM ledger WHERE workout_id = $1 GROUP BY "
                   "board HAVING SUM(delta) <> 0 ORDER BY board",
                   {workout->workout_id}));
      std::map<std::string, std::int64_t> given;
      for (const sql::Row& row : rows) given.emplace(row.text(0), row.integer(1));
      std::map<std::string, std::int64_t> wanted;
      for (Contribution& contribution : contributions_of(*workout))
        wanted.emplace(std::move(contribution.board), contribution.amount);
      if (given != wanted)
        findings.push_back("workout " + workout->workout_id.to_string() +
                           ": the ledger holds something else than it is worth");
    }
    EKIDEN_TRY(const auto rows,
               tx.query("SELECT workout_id FROM ledger GROUP BY workout_id, board HAVING SUM(delta) <> 0"));
    for (const sql::Row& row : rows) {
      const auto id = row.id<WorkoutId>(0);
      if (seen.insert(id).second)
        findings.push_back("workout " + id.to_string() +
                           ": the ledger holds something of it, but it is gone");
    }
    return {};
  }));
  return findings;
}

std::vector<services::AuditCheck> audits(sql::Database& db) {
  return {
      {.name = "scores-equal-ledger", .run = [&db](bool repair) { return scores_equal_ledger(db, repair); }},
      {.name = "ledger-takes-back-what-it-gave", .run = [&db](bool) { return parts_are_whole(db); }},
  };
}

}  // namespace ekiden::gamification
