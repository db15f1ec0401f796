#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "events/users.hpp"

/// Topic `workouts`: what people did. Keyed by the person; a workout's events are numbered 1, 2, 3 … by
/// `version`.
namespace ekiden::events {

inline constexpr std::string_view kWorkoutsTopic = "workouts";

/// The shortest time for a distance within a workout.
struct BestEffort {
  double distance_m = 0;  ///< one of the distances that the workout service looks for: 400, 1000, 1609.344 …
  std::int64_t elapsed_ms = 0;
  Timestamp started_at;
  friend bool operator==(const BestEffort&, const BestEffort&) = default;
};
BOOST_DESCRIBE_STRUCT(BestEffort, (), (distance_m, elapsed_ms, started_at))

/// All that consumers need of a workout, as it is after the event. Figures of what was done, not of what
/// everyone may see: a consumer that shows them asks `visibility` first. No positions.
struct WorkoutState {
  WorkoutId workout_id;
  UserId user_id;
  std::int64_t version = 0;
  std::string sport;  ///< `run`, `ride`, …
  std::string name;
  Timestamp start_time;
  Timestamp end_time;
  std::optional<std::string>
      local_date;  ///< `2026-11-22` where it began; absent: take the person's time zone
  std::optional<std::int32_t> utc_offset_s;
  std::int64_t distance_m = 0;
  std::int64_t moving_ms = 0;
  std::int64_t elapsed_ms = 0;
  std::optional<std::int64_t> elevation_gain_m;  ///< absent: not measured
  std::optional<std::int64_t> calories_kcal;
  std::optional<std::int64_t> average_heart_rate_bpm;
  std::optional<std::int64_t> average_power_w;
  std::vector<Uuid> gear_ids;
  Visibility visibility = Visibility::everyone;
  bool ranked = true;                          ///< false: it counts on no board
  std::optional<std::string> unranked_reason;  ///< a slug (`implausible-speed`), where it is not ranked
  std::string source;                          ///< `gpx`, `tcx`, `fit`, `manual`
  std::vector<BestEffort> best_efforts;

  std::string subject() const { return workout_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return version; }
  friend bool operator==(const WorkoutState&, const WorkoutState&) = default;
};
BOOST_DESCRIBE_STRUCT(WorkoutState, (),
                      (workout_id, user_id, version, sport, name, start_time, end_time, local_date,
                       utc_offset_s, distance_m, moving_ms, elapsed_ms, elevation_gain_m, calories_kcal,
                       average_heart_rate_bpm, average_power_w, gear_ids, visibility, ranked, unranked_reason,
                       source, best_efforts))

struct WorkoutRecorded : WorkoutState {
  static constexpr std::string_view kTopic = kWorkoutsTopic;
  static constexpr std::string_view kType = "workout.recorded";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "A workout was uploaded or entered; its version is 1.";
};
BOOST_DESCRIBE_STRUCT(WorkoutRecorded, (WorkoutState), ())

struct WorkoutChanged : WorkoutState {
  static constexpr std::string_view kTopic = kWorkoutsTopic;
  static constexpr std::string_view kType = "workout.changed";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout =
      "A workout was edited or computed anew; the whole new state replaces the old one.";
};
BOOST_DESCRIBE_STRUCT(WorkoutChanged, (WorkoutState), ())

struct WorkoutDeleted {
  static constexpr std::string_view kTopic = kWorkoutsTopic;
  static constexpr std::string_view kType = "workout.deleted";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "A workout is gone: take back all that it gave.";

  WorkoutId workout_id;
  UserId user_id;
  std::int64_t version = 0;

  std::string subject() const { return workout_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return version; }
  friend bool operator==(const WorkoutDeleted&, const WorkoutDeleted&) = default;
};
BOOST_DESCRIBE_STRUCT(WorkoutDeleted, (), (workout_id, user_id, version))

using WorkoutsEvents = boost::mp11::mp_list<WorkoutRecorded, WorkoutChanged, WorkoutDeleted>;

}  // namespace ekiden::events
