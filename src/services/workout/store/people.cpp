#include "services/workout/store/people.hpp"

#include <array>
#include <string_view>

#include "services/workout/store/blob_refs.hpp"

namespace ekiden::workout {

namespace {

activity::Sex sex_of(const std::optional<std::string>& text) {
  if (text == "female") return activity::Sex::female;
  if (text == "male") return activity::Sex::male;
  return activity::Sex::unknown;
}

std::optional<double> widen(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<double>(*number);
}

/// In this order: streams and files are found through what is deleted after them. $1 is the user.
constexpr std::array<std::string_view, 8> kErase{
    "DELETE FROM workout_streams WHERE workout_id IN (SELECT workout_id FROM workouts WHERE user_id = $1)",
    "DELETE FROM workouts WHERE user_id = $1",
    "DELETE FROM deleted_workouts WHERE user_id = $1",
    "DELETE FROM upload_files WHERE upload_id IN (SELECT upload_id FROM uploads WHERE user_id = $1)",
    "DELETE FROM uploads WHERE user_id = $1",
    "DELETE FROM stored_originals WHERE user_id = $1",
    "DELETE FROM storage_use WHERE user_id = $1",
    "DELETE FROM people WHERE user_id = $1"};

}  // namespace

Result<void> put_person(sql::Tx& tx, const events::UserState& state) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO people (user_id, time_zone, visibility, sex, max_heart_rate_bpm, resting_heart_rate_bpm, "
      "threshold_power_w, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_id) DO UPDATE "
      "SET "
      "time_zone = excluded.time_zone, visibility = excluded.visibility, sex = excluded.sex, "
      "max_heart_rate_bpm = "
      "excluded.max_heart_rate_bpm, resting_heart_rate_bpm = excluded.resting_heart_rate_bpm, "
      "threshold_power_w = "
      "excluded.threshold_power_w, version = excluded.version WHERE people.version < excluded.version",
      {state.user_id, state.time_zone, to_string(state.visibility), state.sex, state.max_heart_rate_bpm,
       state.resting_heart_rate_bpm, state.threshold_power_w, state.version}));
  return {};
}

Result<std::optional<Person>> find_person(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(
          "SELECT time_zone, visibility, sex, max_heart_rate_bpm, resting_heart_rate_bpm, threshold_power_w "
          "FROM people WHERE user_id = $1",
          {user_id}));
  if (rows.empty()) return std::optional<Person>{};
  const sql::Row& row = rows.front();
  Person person{.time_zone = row.text(0),
                .visibility = parse_visibility(row.text(1)).value_or(Visibility::only_me),
                .athlete = {.max_heart_rate_bpm = widen(row.maybe_integer(3)),
                            .rest_heart_rate_bpm = widen(row.maybe_integer(4)),
                            .sex = sex_of(row.maybe_text(2)),
                            .weight_kg = {},
                            .threshold_power_w = widen(row.maybe_integer(5))}};
  return std::optional{std::move(person)};
}

Result<bool> is_erased(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT 1 FROM erased_users WHERE user_id = $1", {user_id}));
  return !rows.empty();
}

Result<std::vector<blobs::Hash>> erase_person(sql::Tx& tx, UserId user_id, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT DISTINCT f.blob_hash FROM upload_files f JOIN uploads u ON u.upload_id = f.upload_id "
               "WHERE u.user_id = $1 AND f.holds_blob",
               {user_id}));
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO erased_users (user_id, erased_at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
      {user_id, now}));
  for (const std::string_view statement : kErase) {
    EKIDEN_CHECK(tx.execute(statement, {user_id}));
  }
  // Answers that are kept for repeated requests name their workouts.
  EKIDEN_CHECK(tx.execute("DELETE FROM idempotency WHERE scope = $1", {user_id.to_string()}));
  std::vector<blobs::Hash> unreferenced;
  for (const sql::Row& row : rows) {
    const blobs::Hash hash = hash_of(row.bytes(0));
    EKIDEN_TRY(const bool referenced, is_blob_referenced(tx, hash));
    if (!referenced) unreferenced.push_back(hash);
  }
  return unreferenced;
}

}  // namespace ekiden::workout
