#pragma once

#include "delivery/subscription.hpp"
#include "runtime/job_queue.hpp"

namespace ekiden::inventory {

inline constexpr std::string_view kPeopleGroup = "inventory.people";

/// Erases what is kept of people who have gone. Everything outlives the subscription.
delivery::Subscription people_subscription(const runtime::JobQueue& jobs, const Clock& clock);

}  // namespace ekiden::inventory
