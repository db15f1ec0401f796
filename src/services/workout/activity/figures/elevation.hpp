#pragma once

#include <span>
#include <vector>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// Metres climbed and descended.
struct Climb {
  double gain_m = 0;
  double loss_m = 0;
};

/// How altitudes become a climb: phones (GPS altitude) may want more of both than watches (barometer).
constexpr std::size_t kClimbWindow = 5;
constexpr double kClimbThresholdM = 1;

/// The centred mean of 5 values, of fewer at the ends.
std::vector<double> mean_of_five(std::span<const double> values);

/// Hysteresis: the reference moves only when the altitude leaves it by more than `threshold_m`, and then by
/// the whole difference.
Climb climb_of(std::span<const double> altitudes_m, double threshold_m);

/// The climb of all segments: mean of 5, then hysteresis of 1 m, in the file's order; altitudes beyond ±10 km
/// are left out. nullopt where there is no altitude. @threads any
std::optional<Climb> measured_climb(const Activity& activity);

}  // namespace ekiden::activity
