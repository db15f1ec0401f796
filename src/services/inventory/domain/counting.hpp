#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "delivery/event.hpp"
#include "events/workouts.hpp"
#include "services/inventory/domain/gear.hpp"

namespace ekiden::inventory {

/// What counts of a workout, as its event tells.
struct Workout {
  WorkoutId workout_id;
  UserId user_id;
  std::string sport;
  Timestamp started_at;
  std::string month;  ///< `2026-11`, by the local date where it began
  std::int64_t distance_m = 0;
  std::int64_t moving_ms = 0;
  std::vector<GearId> named{};     ///< by the workout itself
  std::vector<GearId> defaults{};  ///< what it was given because it names none
  friend bool operator==(const Workout&, const Workout&) = default;

  Use use() const { return {.distance_m = distance_m, .moving_ms = moving_ms, .workouts = 1}; }
};

/// An event of the topic, read: the workout's new state, or that it is gone.
struct WorkoutEvent {
  WorkoutId workout_id;
  UserId user_id;
  std::optional<Workout> state;  ///< nullopt: deleted
};

/// What counts of a workout. `defaults` are not filled in.
/// @errors invalid: a date or a number that no workout has.
Result<Workout> counted(const events::WorkoutState& state);
/// @errors as `counted` and `events::decode`.
Result<WorkoutEvent> read_event(const delivery::Envelope& envelope);

/// Sport -> pieces, in the owner's order.
using Defaults = std::map<std::string, std::vector<GearId>>;

/// A person's, as they are kept.
struct DefaultSet {
  std::int64_t version = 0;  ///< 0: nobody has set any yet
  Defaults sports{};
};

/// Whether a new state of a workout keeps the defaults that it was given: as long as it names no gear and its
/// sport stays. Else they are decided anew.
bool keeps_defaults(const Workout& before, const Workout& after);

enum class Reason : std::uint8_t { named, by_default, mounted };
std::string_view to_string(Reason reason);
Reason parse_reason(std::string_view text);

/// What a workout gives to one piece of gear.
struct Entry {
  GearId gear_id;
  WorkoutId workout_id;
  UserId user_id;
  Reason reason = Reason::named;
  Timestamp started_at;
  std::string month;
  std::int64_t distance_m = 0;
  std::int64_t moving_ms = 0;
  friend bool operator==(const Entry&, const Entry&) = default;

  Use use() const { return {.distance_m = distance_m, .moving_ms = moving_ms, .workouts = 1}; }
};

/// What a piece did in one month.
struct MonthUse {
  std::string month;  ///< `2026-11`
  Use use;
};

/// What is known of the gear that a workout may concern.
struct KnownGear {
  std::map<GearId, Gear> gear{};
  std::map<GearId, std::vector<Mounting>> on_bike{};  ///< by bike
};

/// What a workout gives to each piece: to those that it names, or else to its defaults, and to the parts that
/// were on a bike among them when it began. Pieces that are not there or somebody else's get nothing; each
/// piece gets it once.
std::map<GearId, Entry> entries_of(const Workout& workout, const KnownGear& known);

/// Of the same, what needs only the pieces themselves: without parts that were on a bike.
std::vector<GearId> asked_for(const Workout& workout);

}  // namespace ekiden::inventory
