#include "services/inventory/domain/counting.hpp"

#include <algorithm>

#include "base/time_zone.hpp"
#include "events/codec.hpp"

namespace ekiden::inventory {

namespace {

constexpr std::size_t kMonthChars = 7;

std::string month_of(const std::chrono::year_month_day& date) {
  const Timestamp midnight{std::chrono::sys_days{date}};
  return to_rfc3339(midnight).substr(0, kMonthChars);
}

Entry entry_of(const Workout& workout, GearId gear_id, Reason reason) {
  return {.gear_id = gear_id,
          .workout_id = workout.workout_id,
          .user_id = workout.user_id,
          .reason = reason,
          .started_at = workout.started_at,
          .month = workout.month,
          .distance_m = workout.distance_m,
          .moving_ms = workout.moving_ms};
}

bool is_own(const KnownGear& known, GearId gear_id, UserId user_id) {
  const auto found = known.gear.find(gear_id);
  return found != known.gear.end() && found->second.user_id == user_id;
}

template <class Event>
Result<WorkoutEvent> read_state(const delivery::Envelope& envelope) {
  EKIDEN_TRY(const Event event, events::decode<Event>(envelope));
  EKIDEN_TRY(Workout workout, counted(event));
  return WorkoutEvent{workout.workout_id, workout.user_id, std::move(workout)};
}

}  // namespace

Result<Workout> counted(const events::WorkoutState& state) {
  if (state.distance_m < 0 || state.moving_ms < 0) {
    return Error{Errc::invalid, "negative", "distance and moving time are not negative"};
  }
  if (state.distance_m > kDistanceMaxM || state.moving_ms > kMovingMaxMs) {
    return Error{Errc::invalid, "out-of-range", "no workout is as long"};
  }
  Workout workout{
      .workout_id = state.workout_id,
      .user_id = state.user_id,
      .sport = state.sport,
      .started_at = state.start_time,
      .month = month_of(local_date(state.start_time, std::chrono::seconds{state.utc_offset_s.value_or(0)})),
      .distance_m = state.distance_m,
      .moving_ms = state.moving_ms};
  if (state.local_date) {
    if (!parse_rfc3339(*state.local_date + "T00:00:00Z"))
      return Error{Errc::invalid, "bad-date", "a date is written 2026-11-22", "local_date"};
    workout.month = state.local_date->substr(0, kMonthChars);
  }
  for (const Uuid& id : state.gear_ids) {
    const GearId gear_id{id};
    if (std::ranges::find(workout.named, gear_id) == workout.named.end()) workout.named.push_back(gear_id);
  }
  return workout;
}

Result<WorkoutEvent> read_event(const delivery::Envelope& envelope) {
  if (envelope.type == events::WorkoutRecorded::kType) return read_state<events::WorkoutRecorded>(envelope);
  if (envelope.type == events::WorkoutChanged::kType) return read_state<events::WorkoutChanged>(envelope);
  EKIDEN_TRY(const auto event, events::decode<events::WorkoutDeleted>(envelope));
  return WorkoutEvent{event.workout_id, event.user_id, std::nullopt};
}

bool keeps_defaults(const Workout& before, const Workout& after) {
  return before.named.empty() && after.named.empty() && before.sport == after.sport;
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::named:
      return "named";
    case Reason::by_default:
      return "default";
    case Reason::mounted:
      return "mounted";
  }
  return "named";
}

Reason parse_reason(std::string_view text) {
  if (text == "default") return Reason::by_default;
  return text == "mounted" ? Reason::mounted : Reason::named;
}

std::vector<GearId> asked_for(const Workout& workout) {
  return workout.named.empty() ? workout.defaults : workout.named;
}

std::map<GearId, Entry> entries_of(const Workout& workout, const KnownGear& known) {
  std::map<GearId, Entry> entries;
  const Reason reason = workout.named.empty() ? Reason::by_default : Reason::named;
  for (const GearId gear_id : asked_for(workout)) {
    if (is_own(known, gear_id, workout.user_id)) entries.emplace(gear_id, entry_of(workout, gear_id, reason));
  }
  for (const GearId gear_id : asked_for(workout)) {
    const auto mountings = known.on_bike.find(gear_id);
    if (mountings == known.on_bike.end() || !entries.contains(gear_id)) continue;
    for (const Mounting& mounting : mountings->second) {
      if (mounting.covers(workout.started_at) && mounting.user_id == workout.user_id)
        entries.emplace(mounting.part_id, entry_of(workout, mounting.part_id, Reason::mounted));
    }
  }
  return entries;
}

}  // namespace ekiden::inventory
