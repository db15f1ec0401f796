#include "services/inventory/consumers/workouts.hpp"

#include "events/workouts.hpp"

namespace ekiden::inventory {

namespace {

/// Alone, so that an event that cannot be read is found; what it changes is applied together with others.
Result<void> check(sql::Tx&, const delivery::Envelope& envelope) {
  EKIDEN_CHECK(read_event(envelope));
  return {};
}

}  // namespace

delivery::Subscription workouts_subscription(const Settler& settler) {
  return {
      .group = kGearGroup,
      .topic = events::kWorkoutsTopic,
      .types = {events::WorkoutRecorded::kType, events::WorkoutChanged::kType, events::WorkoutDeleted::kType},
      .apply = delivery::Batched{.apply = check,
                                 .together =
                                     [&settler](sql::Tx& tx,
                                                const std::vector<const delivery::Envelope*>& events) {
                                       return settler.apply(tx, events);
                                     }},
      .in_sequence = true,
      .last_types = {events::WorkoutDeleted::kType}};
}

}  // namespace ekiden::inventory
