#include "services/workout/store/workouts.hpp"

#include <boost/describe.hpp>

#include "json/json.hpp"
#include "services/workout/store/blob_refs.hpp"
#include "services/workout/store/id_list.hpp"

namespace ekiden::workout {

namespace {

/// What no statement looks into.
struct Details {
  static constexpr bool kJsonDefaults = true;
  std::vector<std::int64_t> heart_rate_zone_s;
  std::vector<BestEffort> best_efforts;
};
BOOST_DESCRIBE_STRUCT(Details, (), (heart_rate_zone_s, best_efforts))

constexpr std::string_view kSelect =
    "SELECT workout_id, user_id, version, sport, name, description, start_time, time_zone, utc_offset_s, "
    "local_date, "
    "distance_m, elapsed_ms, timer_ms, moving_ms, elevation_gain_m, elevation_loss_m, average_speed_mps, "
    "max_speed_mps, "
    "average_heart_rate_bpm, max_heart_rate_bpm, average_cadence_rpm, average_power_w, calories_kcal, "
    "training_load, "
    "point_count, details, gear_ids, visibility, unranked_reason, source, upload_id, file_number, "
    "activity_index, "
    "content_hash, device_id, external_id, created_at, changed_at FROM workouts ";

/// Columns that an edit can change, `$3` to `$28`, after id and version.
constexpr std::string_view kUpdate =
    "UPDATE workouts SET version = $2, sport = $3, name = $4, description = $5, start_time = $6, time_zone = "
    "$7, "
    "utc_offset_s = $8, local_date = $9, distance_m = $10, elapsed_ms = $11, timer_ms = $12, moving_ms = "
    "$13, "
    "elevation_gain_m = $14, elevation_loss_m = $15, average_speed_mps = $16, max_speed_mps = $17, "
    "average_heart_rate_bpm = "
    "$18, max_heart_rate_bpm = $19, average_cadence_rpm = $20, average_power_w = $21, calories_kcal = $22, "
    "training_load = "
    "$23, point_count = $24, details = $25, gear_ids = $26, visibility = $27, unranked_reason = $28, "
    "changed_at = $29 "
    "WHERE workout_id = $1 AND version = $2 - 1";

constexpr std::string_view kInsert =
    "INSERT INTO workouts (workout_id, version, sport, name, description, start_time, time_zone, "
    "utc_offset_s, local_date, "
    "distance_m, elapsed_ms, timer_ms, moving_ms, elevation_gain_m, elevation_loss_m, average_speed_mps, "
    "max_speed_mps, "
    "average_heart_rate_bpm, max_heart_rate_bpm, average_cadence_rpm, average_power_w, calories_kcal, "
    "training_load, "
    "point_count, details, gear_ids, visibility, unranked_reason, changed_at, user_id, source, upload_id, "
    "file_number, "
    "activity_index, content_hash, device_id, external_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, "
    "$8, $9, $10, $11, "
    "$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, "
    "$32, $33, $34, $35, "
    "$36, $37, $38)";

sql::Params changeable(const Workout& workout) {
  const Details details{.heart_rate_zone_s = workout.heart_rate_zone_s, .best_efforts = workout.best_efforts};
  return {workout.workout_id,
          workout.version,
          activity::to_string(workout.sport),
          workout.name,
          workout.description,
          workout.start_time,
          workout.time_zone,
          workout.utc_offset_s,
          workout.local_date,
          workout.distance_m,
          workout.elapsed_ms,
          workout.timer_ms,
          workout.moving_ms,
          workout.elevation_gain_m,
          workout.elevation_loss_m,
          workout.average_speed_mps,
          workout.max_speed_mps,
          workout.average_heart_rate_bpm,
          workout.max_heart_rate_bpm,
          workout.average_cadence_rpm,
          workout.average_power_w,
          workout.calories_kcal,
          workout.training_load,
          workout.point_count,
          json::write(details),
          join_ids(workout.gear_ids),
          to_string(workout.visibility),
          workout.unranked_reason,
          workout.changed_at};
}

/// Reads columns one after another, in the order of the SELECT.
class Columns {
 public:
  explicit Columns(const sql::Row& row) : row_(row) {}
  template <class T>
  T id() {
    return row_.id<T>(next_++);
  }
  std::int64_t integer() { return row_.integer(next_++); }
  std::string text() { return row_.text(next_++); }
  Timestamp time() { return row_.time(next_++); }
  std::optional<std::int64_t> maybe_integer() { return row_.maybe_integer(next_++); }
  std::optional<double> maybe_real() { return row_.maybe_real(next_++); }
  std::optional<std::string> maybe_text() { return row_.maybe_text(next_++); }
  bool is_null() const { return row_.is_null(next_); }
  blobs::Hash hash() { return hash_of(row_.bytes(next_++)); }
  void skip(std::size_t columns) { next_ += columns; }

 private:
  const sql::Row& row_;
  std::size_t next_ = 0;
};

void read_figures(Columns& columns, Workout& workout) {
  workout.distance_m = columns.integer();
  workout.elapsed_ms = columns.integer();
  workout.timer_ms = columns.integer();
  workout.moving_ms = columns.integer();
  workout.elevation_gain_m = columns.maybe_real();
  workout.elevation_loss_m = columns.maybe_real();
  workout.average_speed_mps = columns.maybe_real();
  workout.max_speed_mps = columns.maybe_real();
  workout.average_heart_rate_bpm = columns.maybe_real();
  workout.max_heart_rate_bpm = columns.maybe_real();
  workout.average_cadence_rpm = columns.maybe_real();
  workout.average_power_w = columns.maybe_real();
  workout.calories_kcal = columns.maybe_real();
  workout.training_load = columns.maybe_real();
  workout.point_count = columns.integer();
}

Result<Workout> to_workout(const sql::Row& row) {
  Columns columns(row);
  Workout workout;
  workout.workout_id = columns.id<WorkoutId>();
  workout.user_id = columns.id<UserId>();
  workout.version = columns.integer();
  workout.sport = activity::parse_sport(columns.text()).value_or(activity::Sport::workout);
  workout.name = columns.text();
  workout.description = columns.text();
  workout.start_time = columns.time();
  workout.time_zone = columns.maybe_text();
  workout.utc_offset_s = columns.maybe_integer();
  workout.local_date = columns.maybe_text();
  read_figures(columns, workout);
  EKIDEN_TRY(Details details, json::read<Details>(columns.text()));
  workout.heart_rate_zone_s = std::move(details.heart_rate_zone_s);
  workout.best_efforts = std::move(details.best_efforts);
  workout.gear_ids = split_ids(columns.text());
  workout.visibility = parse_visibility(columns.text()).value_or(Visibility::only_me);
  workout.unranked_reason = columns.maybe_text();
  workout.source = columns.text();
  if (columns.is_null()) {
    columns.skip(4);
  } else {
    Origin origin;
    origin.upload_id = columns.id<UploadId>();
    origin.file_number = columns.integer();
    origin.activity_index = columns.integer();
    origin.content_hash = columns.hash();
    workout.origin = origin;
  }
  workout.device_id = columns.maybe_text().value_or("");
  workout.external_id = columns.text();
  workout.created_at = columns.time();
  workout.changed_at = columns.time();
  return workout;
}

/// The text between `%`, with the pattern's own characters escaped by `!`.
std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

Result<std::optional<std::string>> find_text(sql::Tx& tx, std::string_view statement, WorkoutId workout_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement, {workout_id}));
  if (rows.empty()) return std::optional<std::string>{};
  return std::optional<std::string>{rows.front().text(0)};
}

}  // namespace

Result<void> insert_workout(sql::Tx& tx, const Workout& workout) {
  sql::Params params = changeable(workout);
  params.emplace_back(workout.user_id);
  params.emplace_back(workout.source);
  if (workout.origin) {
    params.emplace_back(workout.origin->upload_id);
    params.emplace_back(workout.origin->file_number);
    params.emplace_back(workout.origin->activity_index);
    params.emplace_back(to_blob(workout.origin->content_hash));
  } else {
    params.resize(params.size() + 4);
  }
  params.push_back(workout.device_id.empty() ? sql::Value{} : sql::Value{workout.device_id});
  params.emplace_back(workout.external_id);
  params.emplace_back(workout.created_at);
  EKIDEN_CHECK(tx.execute(kInsert, std::move(params)));
  return {};
}

Result<std::optional<Workout>> find_workout(sql::Tx& tx, WorkoutId workout_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query(std::string(kSelect) + "WHERE workout_id = $1", {workout_id}));
  if (rows.empty()) return std::optional<Workout>{};
  EKIDEN_TRY(Workout workout, to_workout(rows.front()));
  return std::optional{std::move(workout)};
}

Result<bool> update_workout(sql::Tx& tx, const Workout& workout) {
  EKIDEN_TRY(const std::int64_t changed, tx.execute(kUpdate, changeable(workout)));
  return changed == 1;
}

Result<void> delete_workout(sql::Tx& tx, const Workout& workout, std::int64_t version) {
  EKIDEN_CHECK(tx.execute("INSERT INTO deleted_workouts (workout_id, user_id, version) VALUES ($1, $2, $3)",
                          {workout.workout_id, workout.user_id, version}));
  EKIDEN_CHECK(tx.execute("DELETE FROM workout_streams WHERE workout_id = $1", {workout.workout_id}));
  EKIDEN_CHECK(tx.execute("DELETE FROM workouts WHERE workout_id = $1", {workout.workout_id}));
  return {};
}

Result<std::vector<Workout>> list_workouts(sql::Tx& tx, UserId user_id, const WorkoutFilter& filter,
                                           const std::optional<ListPlace>& after, std::int64_t limit) {
  std::string statement = std::string(kSelect) + "WHERE user_id = $1";
  sql::Params params{user_id};
  const auto add = [&](std::string_view condition, sql::Value value) {
    params.push_back(std::move(value));
    statement += condition;
    statement += "$" + std::to_string(params.size());
  };
  if (filter.sport) add(" AND sport = ", activity::to_string(*filter.sport));
  if (filter.from) add(" AND start_time >= ", *filter.from);
  if (filter.before) add(" AND start_time < ", *filter.before);
  if (!filter.text.empty()) {
    add(" AND lower(name) LIKE lower(", like_pattern(filter.text));
    statement += ") ESCAPE '!'";
  }
  if (after) {
    add(" AND (start_time, workout_id) < (", after->start_time);
    add(", ", after->workout_id);
    statement += ")";
  }
  add(" ORDER BY start_time DESC, workout_id DESC LIMIT ", limit);
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement, std::move(params)));
  std::vector<Workout> workouts;
  workouts.reserve(rows.size());
  for (const sql::Row& row : rows) {
    EKIDEN_TRY(Workout workout, to_workout(row));
    workouts.push_back(std::move(workout));
  }
  return workouts;
}

Result<std::vector<Workout>> list_all(sql::Tx& tx, WorkoutId after, std::int64_t limit) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(std::string(kSelect) + "WHERE workout_id > $1 ORDER BY workout_id LIMIT $2", {after, limit}));
  std::vector<Workout> workouts;
  workouts.reserve(rows.size());
  for (const sql::Row& row : rows) {
    EKIDEN_TRY(Workout workout, to_workout(row));
    workouts.push_back(std::move(workout));
  }
  return workouts;
}

Result<void> put_recording(sql::Tx& tx, WorkoutId workout_id, const Recording& recording) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO workout_streams (workout_id, samples, laps, splits) VALUES ($1, $2, $3, $4) ON CONFLICT "
      "(workout_id) DO UPDATE SET samples = excluded.samples, laps = excluded.laps, splits = excluded.splits",
      {workout_id, sql::Blob{recording.samples}, recording.laps, recording.splits}));
  return {};
}

Result<std::optional<std::string>> find_samples(sql::Tx& tx, WorkoutId workout_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT samples FROM workout_streams WHERE workout_id = $1", {workout_id}));
  if (rows.empty()) return std::optional<std::string>{};
  return std::optional<std::string>{rows.front().bytes(0)};
}

Result<std::optional<std::string>> find_laps(sql::Tx& tx, WorkoutId workout_id) {
  return find_text(tx, "SELECT laps FROM workout_streams WHERE workout_id = $1", workout_id);
}

Result<std::optional<std::string>> find_splits(sql::Tx& tx, WorkoutId workout_id) {
  return find_text(tx, "SELECT splits FROM workout_streams WHERE workout_id = $1", workout_id);
}

Result<std::vector<WorkoutId>> workouts_of_content(sql::Tx& tx, UserId user_id,
                                                   const blobs::Hash& content_hash) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT workout_id FROM workouts WHERE user_id = $1 AND content_hash = $2 ORDER BY "
                      "activity_index, workout_id",
                      {user_id, to_blob(content_hash)}));
  std::vector<WorkoutId> ids;
  for (const sql::Row& row : rows) ids.push_back(row.id<WorkoutId>(0));
  return ids;
}

Result<std::optional<WorkoutId>> workout_of_device(sql::Tx& tx, UserId user_id,
                                                   const std::string& device_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT workout_id FROM workouts WHERE user_id = $1 AND device_id = $2 LIMIT 1",
                      {user_id, device_id}));
  if (rows.empty()) return std::optional<WorkoutId>{};
  return std::optional{rows.front().id<WorkoutId>(0)};
}

Result<bool> workout_lives(sql::Tx& tx, WorkoutId workout_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT 1 FROM workouts WHERE workout_id = $1", {workout_id}));
  return !rows.empty();
}

}  // namespace ekiden::workout
