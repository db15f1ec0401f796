#pragma once

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity::fit {

/// What FIT's sport and sub sport numbers mean here.
struct SportReading {
  Sport sport = Sport::workout;
  bool is_known = false;  ///< the file says what was done, be it something without a name of ours
  bool is_indoor = false;
  bool is_transition = false;  ///< the change of clothes between two legs of a multisport set
};

/// Reads the two numbers; NaN where absent. Numbers newer than this table are unknown, never an error.
SportReading read_sport(double sport, double sub_sport);

}  // namespace ekiden::activity::fit
