#include "services/workout/activity/figures/efforts.hpp"

#include <cmath>

#include "services/workout/activity/figures/sport_rules.hpp"

namespace ekiden::activity {
namespace {

/// An effort neither begins nor ends inside a step longer than this.
constexpr double kLongStepMs = 60'000;
/// What is left behind the last full split belongs to it where it is shorter than both: a track of 10 km that
/// ends a step later has ten kilometres, and not an eleventh of one second.
constexpr double kRestMinM = 10;
constexpr double kRestMinMs = 2'000;

/// When the track passes `distance_m` on the step from `i` to `i + 1`; the whole step counts where it is
/// long.
double time_on_step(const Track& track, std::size_t i, double distance_m, bool is_start) {
  const double from_ms = static_cast<double>(track.time_ms[i] - track.time_ms[0]);
  const double to_ms = static_cast<double>(track.time_ms[i + 1] - track.time_ms[0]);
  const double from_m = track.distance_m[i];
  const double to_m = track.distance_m[i + 1];
  if (distance_m == to_m) return to_ms;
  if (distance_m == from_m) return from_ms;
  if (to_ms - from_ms > kLongStepMs) return is_start ? from_ms : to_ms;
  return from_ms + (to_ms - from_ms) * (distance_m - from_m) / (to_m - from_m);
}

struct Best {
  double elapsed_ms = -1;
  double start_offset_ms = 0;
  double start_m = 0;

  void offer(double from_ms, double to_ms, double from_m) {
    if (elapsed_ms >= 0 && to_ms - from_ms >= elapsed_ms) return;
    *this = {to_ms - from_ms, from_ms, from_m};
  }
};

double offset_ms(const Track& track, std::size_t i) {
  return static_cast<double>(track.time_ms[i] - track.time_ms[0]);
}

/// Windows that begin at a sample: the last of its distance.
void try_starts(const Track& track, double distance_m, Best& best) {
  const std::size_t size = track.size();
  std::size_t end = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i + 1 < size && track.distance_m[i + 1] == track.distance_m[i]) continue;
    const double goal = track.distance_m[i] + distance_m;
    if (goal > track.distance_m.back()) return;
    while (track.distance_m[end] < goal) ++end;
    const double to_ms = track.distance_m[end] == goal || end == 0
                             ? offset_ms(track, end)
                             : time_on_step(track, end - 1, goal, false);
    best.offer(offset_ms(track, i), to_ms, track.distance_m[i]);
  }
}

/// Windows that end at a sample: the first of its distance.
void try_ends(const Track& track, double distance_m, Best& best) {
  std::size_t start = 0;
  for (std::size_t j = 0; j < track.size(); ++j) {
    if (j > 0 && track.distance_m[j] == track.distance_m[j - 1]) continue;
    const double from = track.distance_m[j] - distance_m;
    if (from < track.distance_m.front()) continue;
    while (start + 1 < track.size() && track.distance_m[start + 1] <= from) ++start;
    const double from_ms =
        track.distance_m[start] == from ? offset_ms(track, start) : time_on_step(track, start, from, true);
    // The stretch has to be `distance_m` long in the numbers, too: rounding may put its end behind the
    // sample.
    std::size_t end = j;
    while (end < track.size() && track.distance_m[end] < from + distance_m) ++end;
    if (end == track.size()) continue;
    const bool is_exact = end == 0 || track.distance_m[end] == from + distance_m;
    const double to_ms =
        is_exact ? offset_ms(track, end) : time_on_step(track, end - 1, from + distance_m, false);
    best.offer(from_ms, to_ms, from);
  }
}

}  // namespace

std::vector<std::int64_t> moving_ms_up_to(const Track& track, double faster_than_mps) {
  std::vector<std::int64_t> sums;
  sums.reserve(track.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < track.size(); ++i) {
    if (i > 0 && !track.after_pause[i]) {
      const std::int64_t step_ms = track.time_ms[i] - track.time_ms[i - 1];
      const double step_m = track.distance_m[i] - track.distance_m[i - 1];
      if (step_m * 1000 / static_cast<double>(step_ms) > faster_than_mps) sum += step_ms;
    }
    sums.push_back(sum);
  }
  return sums;
}

std::vector<Split> splits_of(const Track& track, const std::vector<std::int64_t>& moving_ms,
                             double length_m) {
  std::vector<Split> splits;
  if (track.size() < 2) return splits;
  const double begin_m = track.distance_m.front();
  const double whole_m = track.distance_m.back() - begin_m;
  const double full = std::floor(whole_m / length_m);
  if (full > static_cast<double>(kSplitsMax)) return splits;
  double last_ms = 0;
  double last_moving_ms = 0;
  const auto add = [&](double split_m, double at_ms, double at_moving_ms) {
    splits.push_back({split_m, std::llround(at_ms) - std::llround(last_ms),
                      std::llround(at_moving_ms) - std::llround(last_moving_ms)});
    last_ms = at_ms;
    last_moving_ms = at_moving_ms;
  };
  std::size_t i = 0;
  for (std::size_t k = 1; k <= static_cast<std::size_t>(full); ++k) {
    const double goal = begin_m + length_m * static_cast<double>(k);
    while (i + 1 < track.size() && track.distance_m[i] < goal) ++i;
    const std::size_t before = i - 1;
    const double step_m = track.distance_m[i] - track.distance_m[before];
    const double part = step_m > 0 ? std::min(1.0, (goal - track.distance_m[before]) / step_m) : 1;
    const double step_ms = static_cast<double>(track.time_ms[i] - track.time_ms[before]);
    const auto moving_step_ms = static_cast<double>(moving_ms[i] - moving_ms[before]);
    add(length_m, offset_ms(track, before) + part * step_ms,
        static_cast<double>(moving_ms[before]) + part * moving_step_ms);
  }
  const double rest_m = whole_m - length_m * full;
  const double end_ms = offset_ms(track, track.size() - 1);
  if (full > 0 && rest_m < kRestMinM && end_ms - last_ms < kRestMinMs) {
    splits.back().elapsed_ms += std::llround(end_ms) - std::llround(last_ms);
    splits.back().moving_ms += moving_ms.back() - std::llround(last_moving_ms);
  } else if (rest_m > 0 || end_ms > last_ms) {
    add(rest_m, end_ms, static_cast<double>(moving_ms.back()));
  }
  return splits;
}

std::optional<Effort> best_effort(const Track& track, double distance_m) {
  if (track.size() < 2 || track.distance_m.back() - track.distance_m.front() < distance_m)
    return std::nullopt;
  Best best;
  try_starts(track, distance_m, best);
  try_ends(track, distance_m, best);
  if (best.elapsed_ms < 0) return std::nullopt;
  return Effort{.distance_m = distance_m,
                .elapsed_ms = std::llround(best.elapsed_ms),
                .start_m = best.start_m - track.distance_m.front(),
                .start_ms = track.time_ms[0] + std::llround(best.start_offset_ms)};
}

bool beats_the_world(const Effort& effort, Sport sport) {
  const SportRules& rules = sport_rules(sport);
  const double limit_mps = rules.has_run_records
                               ? run_record_mps(effort.distance_m).value_or(rules.plausible_mps)
                               : rules.plausible_mps;
  return effort.distance_m * 1000 > limit_mps * static_cast<double>(effort.elapsed_ms);
}

}  // namespace ekiden::activity
