#pragma once

#include "delivery/subscription.hpp"
#include "events/workouts.hpp"
#include "services/gamification/domain/boards.hpp"
#include "services/gamification/projection.hpp"

namespace ekiden::gamification {

inline constexpr std::string_view kBoardsGroup = "gamification.boards";

/// What a version of a workout counts for. @errors invalid: a date or a number that no workout has.
Result<CountedWorkout> counted(const events::WorkoutState& state);

/// Workouts change boards: each version of a workout once, in order. `projection` outlives the subscription.
delivery::Subscription workouts_subscription(Projection& projection, const Clock& clock);

}  // namespace ekiden::gamification
