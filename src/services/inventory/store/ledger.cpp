#include "services/inventory/store/ledger.hpp"

#include "services/inventory/store/in_list.hpp"

namespace ekiden::inventory {

Result<std::map<WorkoutId, Workout>> find_workouts(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids) {
  EKIDEN_TRY(const sql::Rows rows,
             select_in(tx,
                       "SELECT workout_id, user_id, sport, started_at, month, distance_m, moving_ms, "
                       "named_ids, default_ids FROM workouts WHERE workout_id",
                       workout_ids));
  std::map<WorkoutId, Workout> found;
  for (const sql::Row& row : rows) {
    found.emplace(row.id<WorkoutId>(0), Workout{.workout_id = row.id<WorkoutId>(0),
                                                .user_id = row.id<UserId>(1),
                                                .sport = row.text(2),
                                                .started_at = row.time(3),
                                                .month = row.text(4),
                                                .distance_m = row.integer(5),
                                                .moving_ms = row.integer(6),
                                                .named = split_ids<GearId>(row.text(7)),
                                                .defaults = split_ids<GearId>(row.text(8))});
  }
  return found;
}

Result<void> put_workouts(sql::Tx& tx, const std::vector<Workout>& workouts) {
  if (workouts.empty()) return {};
  std::vector<sql::Params> sets;
  sets.reserve(workouts.size());
  for (const Workout& workout : workouts) {
    sets.push_back({workout.workout_id, workout.user_id, workout.sport, workout.started_at, workout.month,
                    workout.distance_m, workout.moving_ms, join_ids(workout.named),
                    join_ids(workout.defaults)});
  }
  EKIDEN_CHECK(tx.execute_batch(
      "INSERT INTO workouts (workout_id, user_id, sport, started_at, month, distance_m, moving_ms, "
      "named_ids, "
      "default_ids) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (workout_id) DO UPDATE SET sport "
      "= excluded.sport, started_at = excluded.started_at, month = excluded.month, distance_m = "
      "excluded.distance_m, moving_ms = excluded.moving_ms, named_ids = excluded.named_ids, default_ids = "
      "excluded.default_ids",
      std::move(sets)));
  return {};
}

Result<void> delete_workouts(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids) {
  if (workout_ids.empty()) return {};
  std::vector<sql::Params> sets;
  sets.reserve(workout_ids.size());
  for (const WorkoutId& workout_id : workout_ids) sets.push_back(sql::Params{workout_id});
  EKIDEN_CHECK(tx.execute_batch("DELETE FROM workouts WHERE workout_id = $1", std::move(sets)));
  return {};
}

Result<std::vector<Entry>> find_entries(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids) {
  EKIDEN_TRY(
      const sql::Rows rows,
      select_in(tx,
                "SELECT gear_id, workout_id, user_id, reason, started_at, month, distance_m, moving_ms "
                "FROM ledger WHERE workout_id",
                workout_ids));
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (const sql::Row& row : rows) {
    entries.push_back({.gear_id = row.id<GearId>(0),
                       .workout_id = row.id<WorkoutId>(1),
                       .user_id = row.id<UserId>(2),
                       .reason = parse_reason(row.text(3)),
                       .started_at = row.time(4),
                       .month = row.text(5),
                       .distance_m = row.integer(6),
                       .moving_ms = row.integer(7)});
  }
  return entries;
}

Result<void> put_entries(sql::Tx& tx, const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  std::vector<sql::Params> sets;
  sets.reserve(entries.size());
  for (const Entry& entry : entries) {
    sets.push_back({entry.gear_id, entry.workout_id, entry.user_id, to_string(entry.reason), entry.started_at,
                    entry.month, entry.distance_m, entry.moving_ms});
  }
  EKIDEN_CHECK(tx.execute_batch(
      "INSERT INTO ledger (gear_id, workout_id, user_id, reason, started_at, month, distance_m, moving_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gear_id, workout_id) DO UPDATE SET reason = "
      "excluded.reason, started_at = excluded.started_at, month = excluded.month, distance_m = "
      "excluded.distance_m, moving_ms = excluded.moving_ms",
      std::move(sets)));
  return {};
}

Result<void> delete_entries(sql::Tx& tx, const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  std::vector<sql::Params> sets;
  sets.reserve(entries.size());
  for (const Entry& entry : entries) sets.push_back({entry.gear_id, entry.workout_id});
  EKIDEN_CHECK(
      tx.execute_batch("DELETE FROM ledger WHERE gear_id = $1 AND workout_id = $2", std::move(sets)));
  return {};
}

Result<void> recount_part(sql::Tx& tx, GearId part_id) {
  EKIDEN_CHECK(tx.execute("DELETE FROM ledger WHERE gear_id = $1 AND reason = 'mounted'", {part_id}));
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO ledger (gear_id, workout_id, user_id, reason, started_at, month, distance_m, moving_ms) "
      "SELECT m.part_id, l.workout_id, l.user_id, 'mounted', l.started_at, l.month, l.distance_m, "
      "l.moving_ms "
      "FROM mountings m JOIN ledger l ON l.gear_id = m.bike_id AND l.user_id = m.user_id AND l.started_at >= "
      "m.mounted_at AND (m.unmounted_at IS NULL OR l.started_at < m.unmounted_at) WHERE m.part_id = $1 ON "
      "CONFLICT (gear_id, workout_id) DO NOTHING",
      {part_id}));
  return {};
}

Result<Use> sum_of(sql::Tx& tx, GearId gear_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT CAST(COALESCE(SUM(distance_m), 0) AS BIGINT), CAST(COALESCE(SUM(moving_ms), 0) "
                      "AS BIGINT), COUNT(*) FROM ledger WHERE gear_id = $1",
                      {gear_id}));
  const sql::Row& row = rows.at(0);
  return Use{.distance_m = row.integer(0), .moving_ms = row.integer(1), .workouts = row.integer(2)};
}

Result<std::vector<MonthUse>> months_of(sql::Tx& tx, GearId gear_id, std::string_view before,
                                        std::int64_t limit) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT month, CAST(SUM(distance_m) AS BIGINT), CAST(SUM(moving_ms) AS BIGINT), COUNT(*) "
               "FROM ledger WHERE gear_id = $1 AND (CAST($2 AS TEXT) = '' OR month < $2) GROUP BY month "
               "ORDER BY month DESC LIMIT $3",
               {gear_id, before, limit}));
  std::vector<MonthUse> months;
  months.reserve(rows.size());
  for (const sql::Row& row : rows) {
    months.push_back(
        {.month = row.text(0),
         .use = {.distance_m = row.integer(1), .moving_ms = row.integer(2), .workouts = row.integer(3)}});
  }
  return months;
}

}  // namespace ekiden::inventory
