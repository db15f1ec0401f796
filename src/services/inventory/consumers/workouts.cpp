#include "services/inventory/consumers/workouts.hpp"

#include "events/workouts.hpp"

namespace ekiden::inventory {

namespace {

/// Nothing by itself: what events change is applied together, and where one of them cannot be, each alone.
Result<void> take(sql::Tx&, const delivery::Envelope&) {
  return {};
}

}  // namespace

delivery::Subscription workouts_subscription(const Settler& settler) {
  return {
      .group = kGearGroup,
      .topic = events::kWorkoutsTopic,
      .types = {events::WorkoutRecorded::kType, events::WorkoutChanged::kType, events::WorkoutDeleted::kType},
      .apply = delivery::Batched{.apply = take,
                                 .together =
                                     [&settler](sql::Tx& tx,
                                                const std::vector<const delivery::Envelope*>& events) {
                                       return settler.apply(tx, events);
                                     }},
      .in_sequence = true,
      .last_types = {events::WorkoutDeleted::kType}};
}

}  // namespace ekiden::inventory
