#pragma once

#include "delivery/subscription.hpp"
#include "services/gamification/projection.hpp"

namespace ekiden::gamification {

inline constexpr std::string_view kBoardsGroup = "gamification.boards";

/// Workouts change boards: each version of a workout once, in order. `projection` outlives the subscription.
delivery::Subscription workouts_subscription(Projection& projection, const Clock& clock);

}  // namespace ekiden::gamification
