#pragma once

#include "delivery/subscription.hpp"
#include "services/gamification/projection.hpp"
#include "services/gamification/store/people.hpp"

namespace ekiden::gamification {

inline constexpr std::string_view kPeopleGroup = "gamification.people";

/// Keeps display names, and takes erased people off every board. Everything outlives the subscription.
delivery::Subscription users_subscription(Projection& projection, NameDirectory& names, const Clock& clock);

}  // namespace ekiden::gamification
