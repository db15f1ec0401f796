#include "services/gamification/consumers/workouts.hpp"

#include "base/time_zone.hpp"
#include "events/codec.hpp"
#include "events/workouts.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

std::optional<std::chrono::year_month_day> parse_date(std::string_view text) {
  const auto midnight = parse_rfc3339(std::string(text) + "T00:00:00Z");
  if (!midnight) return std::nullopt;
  return local_date(*midnight, std::chrono::seconds{0});
}

}  // namespace

Result<CountedWorkout> counted(const events::WorkoutState& state) {
  CountedWorkout workout{
      .workout_id = state.workout_id,
      .user_id = state.user_id,
      .sport = state.sport,
      .local_date = local_date(state.start_time, std::chrono::seconds{state.utc_offset_s.value_or(0)}),
      .ended_at = state.end_time,
      .distance_m = state.distance_m,
      .moving_s = state.moving_ms / 1000,
      .elevation_gain_m = state.elevation_gain_m.value_or(0),
      .counts = state.ranked};
  if (state.local_date) {
    const auto date = parse_date(*state.local_date);
    if (!date) return Error{Errc::invalid, "bad-date", "a date is written 2026-11-22", "local_date"};
    workout.local_date = *date;
  }
  if (workout.distance_m < 0 || workout.moving_s < 0 || workout.elevation_gain_m < 0) {
    return Error{Errc::invalid, "negative", "distance, moving time and elevation gain are not negative"};
  }
  return workout;
}

namespace {

/// What the event makes of the workout: its new state, or one that is worth nothing.
Result<CountedWorkout> read_event(const delivery::Envelope& envelope) {
  if (envelope.type == events::WorkoutRecorded::kType) {
    EKIDEN_TRY(const auto event, events::decode<events::WorkoutRecorded>(envelope));
    return counted(event);
  }
  if (envelope.type == events::WorkoutChanged::kType) {
    EKIDEN_TRY(const auto event, events::decode<events::WorkoutChanged>(envelope));
    return counted(event);
  }
  EKIDEN_TRY(const auto event, events::decode<events::WorkoutDeleted>(envelope));
  CountedWorkout gone{};
  gone.workout_id = event.workout_id;
  gone.user_id = event.user_id;
  gone.ended_at = envelope.time;
  gone.counts = false;
  return gone;
}

Result<void> apply(sql::Tx& tx, const delivery::Envelope& envelope, Projection& projection,
                   const Clock& clock) {
  EKIDEN_TRY(const CountedWorkout workout, read_event(envelope));
  EKIDEN_TRY(const bool erased, is_erased(tx, workout.user_id));
  if (erased) return {};
  EKIDEN_TRY(auto changes, settle_workout(tx, envelope.id, workout, clock.now()));
  projection.note(envelope.id, std::move(changes));
  return {};
}

}  // namespace

delivery::Subscription workouts_subscription(Projection& projection, const Clock& clock) {
  return {
      .group = kBoardsGroup,
      .topic = events::kWorkoutsTopic,
      .types = {events::WorkoutRecorded::kType, events::WorkoutChanged::kType, events::WorkoutDeleted::kType},
      .apply = delivery::Batched{.apply =
                                     [&projection, &clock](sql::Tx& tx, const delivery::Envelope& envelope) {
                                       return apply(tx, envelope, projection, clock);
                                     }},
      .after_death = delivery::AfterDeath::go_on,
      .in_sequence = true,
      .last_types = {events::WorkoutDeleted::kType},
      .after_commit = [&projection](const std::vector<delivery::Envelope>& fresh) {
        return projection.apply_noted(fresh);
      }};
}

}  // namespace ekiden::gamification
