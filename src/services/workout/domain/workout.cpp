#include "services/workout/domain/workout.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/time_zone.hpp"
#include "events/codec.hpp"

namespace ekiden::workout {

namespace {

/// As it stands behind the time of day.
constexpr std::array<std::string_view, activity::kSportCount> kSportWords = {
    "run",         "trail run",   "treadmill run",   "ride",  "mountain bike ride",
    "gravel ride", "indoor ride", "virtual ride",    "walk",  "hike",
    "climb",       "swim",        "open water swim", "row",   "indoor row",
    "paddle",      "ski",         "snowboard",       "skate", "strength training",
    "yoga",        "dive",        "workout"};

std::string_view time_of_day(std::int64_t hour) {
  if (hour < 5 || hour >= 22) return "Night";
  if (hour < 11) return "Morning";
  if (hour < 14) return "Lunch";
  if (hour < 17) return "Afternoon";
  return "Evening";
}

std::string date_text(std::chrono::year_month_day date) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::optional<std::int64_t> rounded(std::optional<double> value) {
  if (!value) return std::nullopt;
  return std::llround(*value);
}

}  // namespace

events::WorkoutState state_of(const Workout& workout) {
  events::WorkoutState state{.workout_id = workout.workout_id,
                             .user_id = workout.user_id,
                             .version = workout.version,
                             .sport = std::string(activity::to_string(workout.sport)),
                             .name = workout.name,
                             .start_time = workout.start_time,
                             .end_time = workout.start_time + std::chrono::milliseconds{workout.elapsed_ms},
                             .local_date = workout.local_date,
                             .utc_offset_s = {},
                             .distance_m = workout.distance_m,
                             .moving_ms = workout.moving_ms,
                             .elapsed_ms = workout.elapsed_ms,
                             .elevation_gain_m = rounded(workout.elevation_gain_m),
                             .calories_kcal = rounded(workout.calories_kcal),
                             .average_heart_rate_bpm = rounded(workout.average_heart_rate_bpm),
                             .average_power_w = rounded(workout.average_power_w),
                             .gear_ids = workout.gear_ids,
                             .visibility = workout.visibility,
                             .ranked = !workout.unranked_reason,
                             .unranked_reason = workout.unranked_reason,
                             .source = workout.source,
                             .best_efforts = workout.best_efforts};
  if (workout.utc_offset_s) state.utc_offset_s = static_cast<std::int32_t>(*workout.utc_offset_s);
  return state;
}

std::string_view to_string(Visibility visibility) {
  switch (visibility) {
    case Visibility::everyone:
      return "everyone";
    case Visibility::followers:
      return "followers";
    case Visibility::only_me:
      return "only_me";
  }
  return "only_me";
}

std::optional<Visibility> parse_visibility(std::string_view text) {
  for (const Visibility visibility : {Visibility::everyone, Visibility::followers, Visibility::only_me}) {
    if (to_string(visibility) == text) return visibility;
  }
  return std::nullopt;
}

void take_figures(Workout& workout, const activity::Figures& figures, Timestamp fallback_start) {
  workout.start_time =
      figures.start_ms ? Timestamp{std::chrono::milliseconds{*figures.start_ms}} : fallback_start;
  workout.distance_m = figures.distance_m;
  workout.elapsed_ms = figures.elapsed_ms;
  workout.timer_ms = figures.timer_ms;
  workout.moving_ms = figures.moving_ms;
  workout.elevation_gain_m = figures.elevation_gain_m;
  workout.elevation_loss_m = figures.elevation_loss_m;
  workout.average_speed_mps = figures.average_speed_mps;
  workout.max_speed_mps = figures.max_speed_mps;
  workout.average_heart_rate_bpm = figures.average_heart_rate_bpm;
  workout.max_heart_rate_bpm = figures.max_heart_rate_bpm;
  workout.average_cadence_rpm = figures.average_cadence_rpm;
  workout.average_power_w = figures.average_power_w;
  workout.calories_kcal = figures.calories_kcal;
  workout.training_load.reset();
  workout.heart_rate_zone_s.clear();
  if (figures.power_load) workout.training_load = figures.power_load->training_stress;
  if (figures.heart_load) {
    workout.training_load = figures.heart_load->trimp;
    for (const std::int64_t ms : figures.heart_load->zone_ms)
      workout.heart_rate_zone_s.push_back((ms + 500) / 1000);
  }
  workout.best_efforts.clear();
  for (const auto& effort : figures.best_efforts) {
    if (!effort) continue;
    workout.best_efforts.push_back({.distance_m = effort->distance_m,
                                    .elapsed_ms = effort->elapsed_ms,
                                    .started_at = Timestamp{std::chrono::milliseconds{effort->start_ms}}});
  }
  workout.unranked_reason.reset();
  if (!figures.is_ranked()) workout.unranked_reason = std::string(figures.doubts.front().slug);
}

void take_local_time(Workout& workout, std::optional<std::chrono::minutes> offset,
                     std::string_view person_zone) {
  workout.time_zone.reset();
  workout.utc_offset_s.reset();
  workout.local_date.reset();
  std::optional<std::chrono::seconds> ahead;
  if (offset) {
    ahead = *offset;
  } else if (ahead = utc_offset_of(person_zone, workout.start_time); ahead) {
    workout.time_zone = std::string(person_zone);
  }
  if (!ahead) return;
  workout.utc_offset_s = ahead->count();
  workout.local_date = date_text(local_date(workout.start_time, *ahead));
}

std::string generated_name(const Workout& workout) {
  const Timestamp local = workout.start_time + std::chrono::seconds{workout.utc_offset_s.value_or(0)};
  const auto since_midnight = local - std::chrono::floor<std::chrono::days>(local);
  std::string name(time_of_day(std::chrono::duration_cast<std::chrono::hours>(since_midnight).count()));
  name += ' ';
  name += kSportWords[static_cast<std::size_t>(workout.sport)];
  return name;
}

delivery::Envelope recorded(const Workout& workout, std::string traceparent) {
  return events::encode(events::WorkoutRecorded{state_of(workout)}, std::move(traceparent),
                        workout.created_at);
}

delivery::Envelope changed(const Workout& workout, std::string traceparent) {
  return events::encode(events::WorkoutChanged{state_of(workout)}, std::move(traceparent),
                        workout.changed_at);
}

delivery::Envelope deleted(WorkoutId workout_id, UserId user_id, std::int64_t version,
                           std::string traceparent) {
  const events::WorkoutDeleted event{.workout_id = workout_id, .user_id = user_id, .version = version};
  return events::encode(event, std::move(traceparent));
}

}  // namespace ekiden::workout
