#pragma once

#include <vector>

#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// The activities of one sequence: one for each session, each with the samples, laps and pauses of its own
/// time. Without a session there is one activity, of all samples. Sessions that hold nothing at all are left
/// out.
std::vector<Activity> assemble(Recording&& recording);

}  // namespace ekiden::activity::fit
