#include "app/cross_audits.hpp"

#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/service.hpp"
#include "services/inventory/audit.hpp"
#include "services/workout/audit.hpp"

namespace ekiden::app {

namespace {

/// The living workouts one after another, read page by page.
class LivingWorkouts {
 public:
  explicit LivingWorkouts(AuditPlace& place) : database_(place.database("workout")) {}

  /// nullptr after the last.
  Result<const events::WorkoutState*> next() {
    if (at_ == page_.size()) {
      EKIDEN_TRY(page_, workout::live_workouts(database_, last_, kPage));
      at_ = 0;
      if (page_.empty()) return nullptr;
      last_ = page_.back().workout_id;
    }
    return &page_[at_++];
  }

 private:
  static constexpr std::int64_t kPage = 1000;
  sql::Database& database_;
  WorkoutId last_;
  std::vector<events::WorkoutState> page_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::string>> ledger_equals_workouts(AuditPlace& place) {
  LivingWorkouts living(place);
  return gamification::ledger_equals_workouts(
      place.database("gamification"), [&]() -> Result<std::optional<gamification::CountedWorkout>> {
        EKIDEN_TRY(const events::WorkoutState* state, living.next());
        if (state == nullptr) return std::optional<gamification::CountedWorkout>{};
        EKIDEN_TRY(gamification::CountedWorkout next, gamification::counted(*state));
        return std::optional{std::move(next)};
      });
}

Result<std::vector<std::string>> gear_ledger_equals_workouts(AuditPlace& place) {
  LivingWorkouts living(place);
  return inventory::ledger_equals_workouts(place.database("inventory"),
                                           [&]() -> Result<std::optional<inventory::Workout>> {
                                             EKIDEN_TRY(const events::WorkoutState* state, living.next());
                                             if (state == nullptr) return std::optional<inventory::Workout>{};
                                             EKIDEN_TRY(inventory::Workout next, inventory::counted(*state));
                                             return std::optional{std::move(next)};
                                           });
}

Result<std::vector<std::string>> ranking_equals_scores(AuditPlace& place) {
  const Result<void> done = place.run_job("gamification", gamification::kAuditRankingJob);
  if (done) return std::vector<std::string>{};
  if (done.error().slug() != "job-failed") return done.error();
  return std::vector<std::string>{done.error().text()};
}

}  // namespace ekiden::app
