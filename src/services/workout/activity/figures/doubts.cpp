#include <algorithm>
#include <cmath>

#include "services/workout/activity/figures/figures.hpp"
#include "services/workout/activity/figures/sport_rules.hpp"
#include "services/workout/activity/values.hpp"

namespace ekiden::activity {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kLongestMs = 30 * kDayMs;
/// 1990: before it no receiver recorded, and clocks that count from power-on show such dates.
constexpr std::int64_t kEarliestMs = 631'152'000'000;
/// A track may lack some times, and have some jumps: not more than these shares.
constexpr double kUntimedShare = 0.01;
constexpr double kTooFastShare = 0.05;
constexpr double kTooFastMinM = 200;

std::string whole(double value) {
  return std::to_string(std::llround(value));
}

void doubt_times(const Activity& activity, const Cleaned& cleaned, const Figures& figures,
                 std::chrono::sys_seconds now, std::vector<Doubt>& doubts) {
  if (activity.clock_is_relative) {
    doubts.push_back({"no-date", "the device did not know the date"});
    return;
  }
  const std::size_t size = activity.samples.size();
  if (!figures.start_ms || (size != 0 && cleaned.untimed == size)) {
    doubts.push_back({"no-times", "the file has no times: it may be a planned route"});
    return;
  }
  if (static_cast<double>(cleaned.untimed) > kUntimedShare * static_cast<double>(size)) {
    doubts.push_back({"times-missing", std::to_string(cleaned.untimed) + " points have no time"});
  }
  if (cleaned.time_goes_back) doubts.push_back({"time-goes-back", "the points are not in the order of time"});
  const std::int64_t now_ms = std::chrono::milliseconds{now.time_since_epoch()}.count();
  if (*figures.start_ms < kEarliestMs) {
    doubts.push_back({"date-too-early", "it began before 1990: " + format_time(*figures.start_ms)});
  }
  if (*figures.start_ms + figures.elapsed_ms > now_ms + kDayMs) {
    doubts.push_back({"date-in-future", "it ends in the future"});
  }
  if (figures.elapsed_ms > kLongestMs) doubts.push_back({"too-long", "it lasts longer than 30 days"});
}

/// Metres covered by steps that are faster than `limit_mps`.
double too_fast_m(const Track& track, double limit_mps) {
  double sum = 0;
  for (std::size_t i = 1; i < track.size(); ++i) {
    if (track.after_pause[i]) continue;
    const double step_m = track.distance_m[i] - track.distance_m[i - 1];
    const auto step_ms = static_cast<double>(track.time_ms[i] - track.time_ms[i - 1]);
    if (step_m * 1000 > limit_mps * step_ms) sum += step_m;
  }
  return sum;
}

void doubt_speed(const Activity& activity, const Cleaned& cleaned, const Figures& figures,
                 std::vector<Doubt>& doubts) {
  const SportRules& rules = sport_rules(activity.sport);
  const auto distance_m = static_cast<double>(figures.distance_m);
  if (rules.follows_ground && cleaned.worst_step_m > 0) {
    doubts.push_back({"position-jumps", "the position jumps by " + whole(cleaned.worst_step_m / 1000) +
                                            " km faster than anything on the ground moves"});
  }
  if (distance_m <= 0) return;
  if (figures.elapsed_ms == 0) {
    doubts.push_back({"no-duration", "it has a distance, but lasts no time"});
    return;
  }
  double limit_mps = rules.plausible_mps;
  if (rules.has_run_records) limit_mps = run_record_mps(distance_m).value_or(limit_mps);
  const std::int64_t time_ms = figures.moving_ms > 0 ? figures.moving_ms : figures.elapsed_ms;
  const double mean_mps = distance_m * 1000 / static_cast<double>(time_ms);
  if (mean_mps > limit_mps) {
    doubts.push_back({"too-fast", whole(mean_mps * 3.6) + " km/h on average is more than the sport allows"});
    return;
  }
  const double fast_m = too_fast_m(cleaned.track, rules.plausible_mps);
  if (fast_m > kTooFastMinM && fast_m > kTooFastShare * distance_m) {
    doubts.push_back({"too-fast", whole(fast_m) + " m of it are faster than the sport allows"});
  }
}

}  // namespace

std::vector<Doubt> find_doubts(const Activity& activity, const Cleaned& cleaned, const Figures& figures,
                               std::chrono::sys_seconds now) {
  std::vector<Doubt> doubts;
  doubt_times(activity, cleaned, figures, now, doubts);
  doubt_speed(activity, cleaned, figures, doubts);
  return doubts;
}

}  // namespace ekiden::activity
