#include "services/workout/activity/figures/elevation.hpp"

#include <algorithm>
#include <cmath>

namespace ekiden::activity {
namespace {

constexpr double kAltitudeMaxM = 10'000;

}  // namespace

std::vector<double> mean_of_five(std::span<const double> values) {
  constexpr std::size_t kReach = kClimbWindow / 2;
  std::vector<double> means;
  means.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t from = i < kReach ? 0 : i - kReach;
    const std::size_t to = std::min(values.size(), i + kReach + 1);
    double sum = 0;
    for (std::size_t k = from; k < to; ++k) sum += values[k];
    means.push_back(sum / static_cast<double>(to - from));
  }
  return means;
}

Climb climb_of(std::span<const double> altitudes_m, double threshold_m) {
  Climb climb;
  if (altitudes_m.empty()) return climb;
  double reference = altitudes_m.front();
  for (const double altitude : altitudes_m) {
    if (altitude > reference + threshold_m) {
      climb.gain_m += altitude - reference;
      reference = altitude;
    } else if (altitude < reference - threshold_m) {
      climb.loss_m += reference - altitude;
      reference = altitude;
    }
  }
  return climb;
}

std::optional<Climb> measured_climb(const Activity& activity) {
  const std::vector<double>& column = activity.samples.altitude_m;
  Climb sum;
  bool any = false;
  std::vector<double> altitudes;
  const auto finish = [&] {
    any = any || !altitudes.empty();
    const Climb climb = climb_of(mean_of_five(altitudes), kClimbThresholdM);
    sum.gain_m += climb.gain_m;
    sum.loss_m += climb.loss_m;
    altitudes.clear();
  };
  std::size_t segment = 0;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (segment < activity.segment_starts.size() && activity.segment_starts[segment] == i) {
      finish();
      ++segment;
    }
    if (std::abs(column[i]) <= kAltitudeMaxM) altitudes.push_back(column[i]);
  }
  finish();
  return any ? std::optional{sum} : std::nullopt;
}

}  // namespace ekiden::activity
