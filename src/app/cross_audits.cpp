#include "app/cross_audits.hpp"

#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/service.hpp"
#include "services/workout/audit.hpp"

namespace ekiden::app {

Result<std::vector<std::string>> ledger_equals_workouts(AuditPlace& place) {
  WorkoutId last;
  std::vector<events::WorkoutState> page;
  std::size_t at = 0;
  return gamification::ledger_equals_workouts(
      place.database("gamification"), [&]() -> Result<std::optional<gamification::CountedWorkout>> {
        if (at == page.size()) {
          EKIDEN_TRY(page, workout::live_workouts(place.database("workout"), last, 1000));
          at = 0;
          if (page.empty()) return std::optional<gamification::CountedWorkout>{};
          last = page.back().workout_id;
        }
        EKIDEN_TRY(gamification::CountedWorkout next, gamification::counted(page[at++]));
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
