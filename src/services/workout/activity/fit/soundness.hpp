#pragma once

#include <span>

#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// Whether a sequence agrees with itself so well that its wrong checksum may be forgiven: it is an activity
/// with its closing `activity` message and as many sessions as that says, its times rise without a gap that
/// the sessions do not know, positions and distances make no leaps, and the totals that the device wrote are
/// those of its records.
bool agrees_with_itself(const Recording& recording);

}  // namespace ekiden::activity::fit
