#include "services/workout/audit.hpp"

#include <cstdlib>
#include <map>
#include <utility>

#include "events/workouts.hpp"
#include "services/workout/store/blob_refs.hpp"
#include "services/workout/store/workouts.hpp"

namespace ekiden::workout {

namespace {

constexpr std::int64_t kFindingsMax = 100;
constexpr std::int64_t kHashesAtOnce = 1000;

using Findings = Result<std::vector<std::string>>;

/// Versions, living and deleted, by workout.
Result<std::map<std::string, std::int64_t>> read_versions(sql::Tx& tx, Timestamp changed_since) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT workout_id, version, changed_at >= $1 FROM workouts UNION ALL SELECT "
                      "workout_id, version, FALSE FROM deleted_workouts",
                      {changed_since}));
  std::map<std::string, std::int64_t> versions;
  // What changed before the oldest retained row may have lost its rows: its sign is turned.
  for (const sql::Row& row : rows)
    versions[row.id<WorkoutId>(0).to_string()] = row.flag(2) ? row.integer(1) : -row.integer(1);
  return versions;
}

/// Rows of a workout are its versions without a gap, up to the latest; they may lack a beginning that was
/// pruned.
Findings outbox_equals_workouts(sql::Tx& tx) {
  EKIDEN_TRY(const sql::Rows oldest,
             tx.query("SELECT MIN(published_at) FROM outbox WHERE published_at IS NOT NULL"));
  const Timestamp since = oldest.at(0).maybe_time(0).value_or(Timestamp::max());
  EKIDEN_TRY(auto versions, read_versions(tx, since));
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT subject, MIN(sequence), MAX(sequence), COUNT(*), "
                                            "COUNT(DISTINCT sequence) FROM outbox WHERE topic = "
                                            "$1 GROUP BY subject",
                                            {events::kWorkoutsTopic}));
  std::vector<std::string> findings;
  const auto find = [&findings](std::string text) {
    if (std::cmp_less(findings.size(), kFindingsMax)) findings.push_back(std::move(text));
  };
  for (const sql::Row& row : rows) {
    const std::string& subject = row.text(0);
    const auto found = versions.find(subject);
    const std::int64_t count = row.integer(3);
    if (count != row.integer(4) || count != row.integer(2) - row.integer(1) + 1) {
      find("workout " + subject + ": its events have a gap or stand twice");
    }
    if (found == versions.end()) continue;  // erased with its owner
    const std::int64_t version = std::abs(found->second);
    if (row.integer(2) != version) {
      find("workout " + subject + ": version " + std::to_string(version) +
           ", yet its last event tells of version " + std::to_string(row.integer(2)));
    }
    versions.erase(found);
  }
  for (const auto& [subject, version] : versions) {
    if (version > 0) find("workout " + subject + ": no event tells of version " + std::to_string(version));
  }
  return findings;
}

Findings uploads_have_blobs(sql::Database& db, const blobs::Blobs& blobs) {
  std::vector<std::string> findings;
  std::string last;
  for (;;) {
    EKIDEN_TRY(const sql::Rows rows, db.read([&last](sql::Tx& tx) {
      return tx.query(
          "SELECT DISTINCT blob_hash FROM upload_files WHERE holds_blob AND blob_hash > $1 ORDER BY "
          "blob_hash LIMIT $2",
          {sql::Blob{last}, kHashesAtOnce});
    }));
    if (rows.empty()) return findings;
    for (const sql::Row& row : rows) {
      last = row.bytes(0);
      const blobs::Hash hash = hash_of(last);
      const auto size = blobs.size(hash);
      if (size) continue;
      if (size.error().code() != Errc::not_found) return size.error();
      findings.push_back("the original " + hash.to_hex() + " is missing");
      if (std::cmp_greater_equal(findings.size(), kFindingsMax)) return findings;
    }
  }
}

}  // namespace

std::vector<services::AuditCheck> audits(sql::Database& db, const blobs::Blobs& blobs) {
  return {
      {.name = "outbox-equals-workouts", .run = [&db](bool) { return db.read(outbox_equals_workouts); }},
      {.name = "uploads-have-blobs", .run = [&db, &blobs](bool) { return uploads_have_blobs(db, blobs); }}};
}

Result<std::vector<events::WorkoutState>> live_workouts(sql::Database& db, WorkoutId after,
                                                        std::int64_t limit) {
  EKIDEN_TRY(const auto workouts, db.read([&](sql::Tx& tx) { return list_all(tx, after, limit); }));
  std::vector<events::WorkoutState> states;
  states.reserve(workouts.size());
  for (const Workout& workout : workouts) states.push_back(state_of(workout));
  return states;
}

}  // namespace ekiden::workout
