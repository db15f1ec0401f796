#include <algorithm>
#include <cmath>

#include "services/workout/activity/figures/elevation.hpp"
#include "services/workout/activity/figures/streams.hpp"

namespace ekiden::activity {
namespace {

constexpr std::int64_t kHalfWindowMs = 2500;
constexpr std::int64_t kSeenMinMs = 1000;
constexpr double kGradeHalfM = 25;
constexpr double kGradeMinM = 10;

/// The distance of `track` at `time_ms` on the step from `i` to `i + 1`.
double distance_at(const Track& track, std::size_t i, std::int64_t time_ms) {
  const auto whole = static_cast<double>(track.time_ms[i + 1] - track.time_ms[i]);
  const auto part = static_cast<double>(time_ms - track.time_ms[i]);
  return track.distance_m[i] + (track.distance_m[i + 1] - track.distance_m[i]) * part / whole;
}

/// Fills `speeds` for one stretch without a pause: points [`begin`, `end`).
void stretch_speed(const Track& track, std::size_t begin, std::size_t end, std::vector<float>& speeds) {
  std::size_t low = begin;
  std::size_t high = begin;
  for (std::size_t i = begin; i < end && end - begin > 1; ++i) {
    const std::int64_t from = std::max(track.time_ms[i] - kHalfWindowMs, track.time_ms[begin]);
    const std::int64_t to = std::min(track.time_ms[i] + kHalfWindowMs, track.time_ms[end - 1]);
    if (to - from < kSeenMinMs) continue;
    while (low + 2 < end && track.time_ms[low + 1] <= from) ++low;
    while (high + 2 < end && track.time_ms[high + 1] < to) ++high;
    const double way = distance_at(track, high, to) - distance_at(track, low, from);
    speeds[i] = static_cast<float>(way * 1000 / static_cast<double>(to - from));
  }
}

}  // namespace

std::vector<float> window_speed(const Track& track) {
  std::vector<float> speeds(track.size(), kAbsent);
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= track.size(); ++i) {
    if (i < track.size() && !track.after_pause[i]) continue;
    stretch_speed(track, begin, i, speeds);
    begin = i;
  }
  return speeds;
}

std::vector<float> grade_percent(std::span<const double> altitude_m, std::span<const double> distance_m) {
  std::vector<float> grades(altitude_m.size(), kAbsent);
  std::vector<std::uint32_t> rows;
  std::vector<double> altitudes;
  for (std::size_t i = 0; i < altitude_m.size(); ++i) {
    if (std::isnan(altitude_m[i])) continue;
    rows.push_back(static_cast<std::uint32_t>(i));
    altitudes.push_back(altitude_m[i]);
  }
  const std::vector<double> smooth = mean_of_five(altitudes);
  std::size_t low = 0;
  std::size_t high = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const double here = distance_m[rows[k]];
    while (here - distance_m[rows[low]] > kGradeHalfM) ++low;
    while (high + 1 < rows.size() && distance_m[rows[high]] - here < kGradeHalfM) ++high;
    const double way = distance_m[rows[high]] - distance_m[rows[low]];
    if (way >= kGradeMinM) grades[rows[k]] = static_cast<float>((smooth[high] - smooth[low]) / way * 100);
  }
  return grades;
}

}  // namespace ekiden::activity
