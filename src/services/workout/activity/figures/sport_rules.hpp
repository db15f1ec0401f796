#pragma once

#include <optional>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// What is known of a sport before anybody has recorded it.
struct SportRules {
  double moving_mps = 0;         ///< faster than this is moving
  double plausible_mps = 0;      ///< no faster for a stretch worth measuring
  bool altitude_counts = true;   ///< false in pools, under water and indoors
  bool follows_ground = true;    ///< false where the positions are invented or absent
  bool has_run_records = false;  ///< on foot: no stretch may beat the running world records
};
const SportRules& sport_rules(Sport sport);

/// The world record over the longest listed distance that is not beyond `distance_m`, in metres a second.
/// nullopt below 400 m. @source World Athletics, men, 2025 (1 km 2:11.96, 5 km 12:35.36, 10 km 26:11.00)
std::optional<double> run_record_mps(double distance_m);

}  // namespace ekiden::activity
