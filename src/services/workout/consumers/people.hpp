#pragma once

#include "delivery/subscription.hpp"
#include "runtime/job_queue.hpp"

namespace ekiden::workout {

inline constexpr std::string_view kPeopleGroup = "workout.people";

/// Keeps a copy of people's time zones, limits and wishes, and erases all of a person whose account is gone.
delivery::Subscription people_subscription(const runtime::JobQueue& jobs, const Clock& clock);

}  // namespace ekiden::workout
