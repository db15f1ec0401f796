#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "delivery/event.hpp"
#include "events/workouts.hpp"
#include "ports/blobs/blobs.hpp"
#include "services/workout/activity/figures/figures.hpp"

namespace ekiden::workout {

using events::BestEffort;
using events::Visibility;

std::string_view to_string(Visibility visibility);
std::optional<Visibility> parse_visibility(std::string_view text);

/// Which activity of which file a workout was read from.
struct Origin {
  UploadId upload_id;
  std::int64_t file_number = 0;
  std::int64_t activity_index = 0;
  blobs::Hash content_hash;  ///< of the file, unpacked
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// A workout as it is kept: what its owner says of it, and its figures. Times in ms are rounded once, from
/// exact sums.
struct Workout {
  WorkoutId workout_id;
  UserId user_id;
  std::int64_t version = 1;  ///< the ETag, and the events' sequence
  activity::Sport sport = activity::Sport::workout;
  std::string name;
  std::string description;
  Timestamp start_time;
  std::optional<std::string> time_zone{};  ///< IANA name, where the person's own was taken
  std::optional<std::int64_t> utc_offset_s{};
  std::optional<std::string> local_date{};

  std::int64_t distance_m = 0;
  std::int64_t elapsed_ms = 0;
  std::int64_t timer_ms = 0;
  std::int64_t moving_ms = 0;
  std::optional<double> elevation_gain_m{};
  std::optional<double> elevation_loss_m{};
  std::optional<double> average_speed_mps{};
  std::optional<double> max_speed_mps{};
  std::optional<double> average_heart_rate_bpm{};
  std::optional<double> max_heart_rate_bpm{};
  std::optional<double> average_cadence_rpm{};
  std::optional<double> average_power_w{};
  std::optional<double> calories_kcal{};
  std::optional<double> training_load{};  ///< TRIMP of the heart rate, else TSS of the power
  std::vector<std::int64_t>
      heart_rate_zone_s{};  ///< below 50 % of the maximum, then five zones; empty: unknown
  std::vector<BestEffort> best_efforts{};
  std::int64_t point_count = 0;

  std::vector<Uuid> gear_ids{};
  Visibility visibility = Visibility::everyone;
  std::optional<std::string> unranked_reason{};  ///< a slug; nullopt: it counts on boards
  std::string source;                            ///< `gpx`, `tcx`, `fit`, `manual`
  std::optional<Origin> origin{};                ///< nullopt where it was entered by hand
  std::string device_id{};
  std::string external_id{};
  Timestamp created_at;
  Timestamp changed_at;

  bool is_manual() const { return !origin; }
  friend bool operator==(const Workout&, const Workout&) = default;
};

/// What only some requests read: the samples as `encode_streams` made them, laps and splits as the JSON that
/// is served.
struct Recording {
  std::string samples;
  std::string laps;
  std::string splits;
};

/// Sets the figures from `figures`, and what follows from the start: `start_time`.
/// @param fallback_start where the file knows no date.
void take_figures(Workout& workout, const activity::Figures& figures, Timestamp fallback_start);

/// Sets time zone, offset and local date. @param offset of the file, which wins over the person's zone.
void take_local_time(Workout& workout, std::optional<std::chrono::minutes> offset,
                     std::string_view person_zone);

/// `Morning run`, by the local time of the start.
std::string generated_name(const Workout& workout);

/// What other services hear. `traceparent` is the request's, or empty.
/// What events and audits tell of a workout.
events::WorkoutState state_of(const Workout& workout);
delivery::Envelope recorded(const Workout& workout, std::string traceparent);
delivery::Envelope changed(const Workout& workout, std::string traceparent);
delivery::Envelope deleted(WorkoutId workout_id, UserId user_id, std::int64_t version,
                           std::string traceparent);

/// What is known of a person, copied from `users`.
struct Person {
  std::string time_zone;
  Visibility visibility = Visibility::everyone;
  activity::AthleteProfile athlete{};
};

}  // namespace ekiden::workout
