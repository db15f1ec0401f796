#include "services/inventory/audit.hpp"

#include <set>
#include <utility>

#include "services/inventory/store/gear.hpp"
#include "services/inventory/store/ledger.hpp"

namespace ekiden::inventory {

namespace {

using Findings = Result<std::vector<std::string>>;

constexpr std::int64_t kFindingsMax = 100;
constexpr std::int64_t kGearAtOnce = 1000;
constexpr std::size_t kWorkoutsAtOnce = 500;

constexpr std::string_view kWrongSums =
    "SELECT g.gear_id, g.distance_m, g.moving_ms, g.workout_count, COALESCE(l.distance_m, 0), "
    "COALESCE(l.moving_ms, 0), COALESCE(l.workouts, 0) FROM gear g LEFT JOIN (SELECT gear_id, "
    "CAST(SUM(distance_m) AS BIGINT) AS distance_m, CAST(SUM(moving_ms) AS BIGINT) AS moving_ms, COUNT(*) AS "
    "workouts FROM ledger GROUP BY gear_id) AS l ON l.gear_id = g.gear_id WHERE g.distance_m <> "
    "COALESCE(l.distance_m, 0) OR g.moving_ms <> COALESCE(l.moving_ms, 0) OR g.workout_count <> "
    "COALESCE(l.workouts, 0) LIMIT $1";

constexpr std::string_view kOwnerless =
    "SELECT l.gear_id, l.workout_id FROM ledger l WHERE NOT EXISTS (SELECT 1 FROM gear g WHERE g.gear_id = "
    "l.gear_id AND g.user_id = l.user_id) LIMIT $1";

/// What a bike did while a part was on it, and the part has not or otherwise.
constexpr std::string_view kMissing =
    "SELECT m.part_id, l.workout_id FROM mountings m JOIN ledger l ON l.gear_id = m.bike_id AND l.user_id = "
    "m.user_id AND l.started_at >= m.mounted_at AND (m.unmounted_at IS NULL OR l.started_at < "
    "m.unmounted_at) "
    "LEFT JOIN ledger p ON p.gear_id = m.part_id AND p.workout_id = l.workout_id WHERE p.gear_id IS NULL OR "
    "p.distance_m <> l.distance_m OR p.moving_ms <> l.moving_ms OR p.started_at <> l.started_at LIMIT $1";

/// What a part has of a bike that it was not on.
constexpr std::string_view kTooMuch =
    "SELECT p.gear_id, p.workout_id FROM ledger p WHERE p.reason = 'mounted' AND NOT EXISTS (SELECT 1 FROM "
    "mountings m JOIN ledger l ON l.gear_id = m.bike_id AND l.workout_id = p.workout_id WHERE m.part_id = "
    "p.gear_id AND l.started_at >= m.mounted_at AND (m.unmounted_at IS NULL OR l.started_at < "
    "m.unmounted_at)) LIMIT $1";

/// Counts one piece anew; nothing is told of it.
Result<void> put_right(sql::Tx& tx, GearId gear_id) {
  EKIDEN_CHECK(recount_part(tx, gear_id));
  EKIDEN_TRY(const Use sum, sum_of(tx, gear_id));
  EKIDEN_TRY(std::optional<Gear> gear, find_gear(tx, gear_id));
  if (!gear || gear->use == sum) return {};
  gear->use = sum;
  return update_gear(tx, *gear, GearMetrics{});
}

Findings run(sql::Database& db, bool repair, Findings (*check)(sql::Tx& tx, bool repair)) {
  if (repair) return db.write([check](sql::Tx& tx) { return check(tx, true); });
  return db.read([check](sql::Tx& tx) { return check(tx, false); });
}

std::string_view mended(bool repair) {
  return repair ? " (put right)" : "";
}

Findings gear_equals_ledger(sql::Tx& tx, bool repair) {
  std::vector<std::string> findings;
  EKIDEN_TRY(const sql::Rows ownerless, tx.query(kOwnerless, {kFindingsMax}));
  for (const sql::Row& row : ownerless) {
    findings.push_back("gear " + row.id<GearId>(0).to_string() + ": there is none, yet workout " +
                       row.id<WorkoutId>(1).to_string() + " counts for it" + std::string(mended(repair)));
    if (!repair) continue;
    EKIDEN_CHECK(tx.execute("DELETE FROM ledger WHERE gear_id = $1 AND workout_id = $2",
                            {row.id<GearId>(0), row.id<WorkoutId>(1)}));
  }
  EKIDEN_TRY(const sql::Rows rows, tx.query(kWrongSums, {kFindingsMax}));
  for (const sql::Row& row : rows) {
    const auto gear_id = row.id<GearId>(0);
    const auto use = [&row](std::size_t first) {
      return std::to_string(row.integer(first)) + " m, " + std::to_string(row.integer(first + 1)) + " ms, " +
             std::to_string(row.integer(first + 2)) + " workouts";
    };
    findings.push_back("gear " + gear_id.to_string() + ": the ledger sums to " + use(4) + "; it has " +
                       use(1) + std::string(mended(repair)));
    if (repair) EKIDEN_CHECK(put_right(tx, gear_id));
  }
  return findings;
}

Findings parts_equal_mountings(sql::Tx& tx, bool repair) {
  std::vector<std::string> findings;
  std::set<GearId> wrong;
  const auto look = [&](std::string_view statement, std::string_view words) -> Result<void> {
    EKIDEN_TRY(const sql::Rows rows, tx.query(statement, {kFindingsMax}));
    for (const sql::Row& row : rows) {
      wrong.insert(row.id<GearId>(0));
      findings.push_back("part " + row.id<GearId>(0).to_string() + ", workout " +
                         row.id<WorkoutId>(1).to_string() + ": " + std::string(words) +
                         std::string(mended(repair)));
    }
    return {};
  };
  EKIDEN_CHECK(
      look(kMissing, "its bike did it while the part was mounted, and the part has not counted it so"));
  EKIDEN_CHECK(look(kTooMuch, "the part has counted it, and was not mounted on a bike that did it"));
  if (!repair) return findings;
  for (const GearId part_id : wrong) EKIDEN_CHECK(put_right(tx, part_id));
  return findings;
}

Findings photos_are_kept(sql::Database& db, const blobs::Blobs& blobs) {
  std::vector<std::string> findings;
  GearId last;
  for (;;) {
    EKIDEN_TRY(const auto page, db.read([&](sql::Tx& tx) { return list_all_gear(tx, last, kGearAtOnce); }));
    if (page.empty()) return findings;
    last = page.back().gear_id;
    for (const Gear& gear : page) {
      if (!gear.photo) continue;
      const auto size = blobs.size(gear.photo->hash);
      if (size) continue;
      if (size.error().code() != Errc::not_found) return size.error();
      findings.push_back("gear " + gear.gear_id.to_string() + ": its photo is missing");
      if (std::cmp_greater_equal(findings.size(), kFindingsMax)) return findings;
    }
  }
}

/// Compares living workouts, some at a time, with what is kept of them and with the ledger.
class Comparison {
 public:
  explicit Comparison(sql::Tx& tx) : tx_(tx) {}

  Result<void> add(Workout workout) {
    page_.push_back(std::move(workout));
    return page_.size() < kWorkoutsAtOnce ? Result<void>{} : compare();
  }
  /// After the last of them: what is there of others, too.
  Result<std::vector<std::string>> finish();

 private:
  Result<void> compare();
  void compare_one(const Workout& living, const Workout* kept, std::map<GearId, Entry> given,
                   const KnownGear& known);
  void find(WorkoutId workout_id, std::string_view words) {
    if (std::cmp_less(findings_.size(), kFindingsMax))
      findings_.push_back("workout " + workout_id.to_string() + ": " + std::string(words));
  }

  sql::Tx& tx_;
  std::vector<Workout> page_;
  std::set<WorkoutId> seen_;
  std::vector<std::string> findings_;
};

Result<void> Comparison::compare() {
  std::vector<WorkoutId> ids;
  ids.reserve(page_.size());
  for (const Workout& workout : page_) ids.push_back(workout.workout_id);
  seen_.insert(ids.begin(), ids.end());
  EKIDEN_TRY(const auto kept, find_workouts(tx_, ids));
  EKIDEN_TRY(const auto entries, find_entries(tx_, ids));
  std::set<GearId> wanted;
  for (const auto& [workout_id, workout] : kept) {
    for (const GearId gear_id : asked_for(workout)) wanted.insert(gear_id);
  }
  EKIDEN_TRY(std::vector<Gear> gear, find_gear(tx_, std::vector<GearId>(wanted.begin(), wanted.end())));
  KnownGear known;
  for (Gear& one : gear) known.gear.emplace(one.gear_id, std::move(one));
  std::map<WorkoutId, std::map<GearId, Entry>> given;
  for (const Entry& entry : entries) {
    if (entry.reason != Reason::mounted) given[entry.workout_id].emplace(entry.gear_id, entry);
  }
  for (const Workout& living : page_) {
    const auto found = kept.find(living.workout_id);
    compare_one(living, found == kept.end() ? nullptr : &found->second, std::move(given[living.workout_id]),
                known);
  }
  page_.clear();
  return {};
}

void Comparison::compare_one(const Workout& living, const Workout* kept, std::map<GearId, Entry> given,
                             const KnownGear& known) {
  if (kept == nullptr) {
    find(living.workout_id, "gear has not heard of it");
    return;
  }
  Workout told = *kept;
  told.defaults.clear();
  if (told != living) find(living.workout_id, "gear knows it otherwise than it is");
  if (given != entries_of(*kept, known))
    find(living.workout_id, "the ledger holds something else than it gives");
}

Result<std::vector<std::string>> Comparison::finish() {
  EKIDEN_CHECK(compare());
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT workout_id FROM workouts UNION SELECT workout_id FROM ledger"));
  for (const sql::Row& row : rows) {
    if (!seen_.contains(row.id<WorkoutId>(0)))
      find(row.id<WorkoutId>(0), "gear still knows of it, but it is gone");
  }
  return findings_;
}

}  // namespace

std::vector<services::AuditCheck> audits(sql::Database& db, const blobs::Blobs& blobs) {
  return {
      {.name = "gear-equals-ledger",
       .run = [&db](bool repair) { return run(db, repair, gear_equals_ledger); }},
      {.name = "parts-equal-mountings",
       .run = [&db](bool repair) { return run(db, repair, parts_equal_mountings); }},
      {.name = "photos-are-kept", .run = [&db, &blobs](bool) { return photos_are_kept(db, blobs); }},
  };
}

Result<std::vector<std::string>> ledger_equals_workouts(
    sql::Database& db, std::move_only_function<Result<std::optional<Workout>>()> workouts) {
  return db.read([&](sql::Tx& tx) -> Findings {
    Comparison comparison(tx);
    for (;;) {
      EKIDEN_TRY(auto workout, workouts());
      if (!workout) return comparison.finish();
      EKIDEN_CHECK(comparison.add(*std::move(workout)));
    }
  });
}

}  // namespace ekiden::inventory
