#pragma once

#include "delivery/subscription.hpp"
#include "services/inventory/settling.hpp"

namespace ekiden::inventory {

inline constexpr std::string_view kGearGroup = "inventory.gear";

/// Workouts change mileage: each version of a workout once, in order, and several of one batch in one update
/// of each piece. `settler` outlives the subscription.
delivery::Subscription workouts_subscription(const Settler& settler);

}  // namespace ekiden::inventory
