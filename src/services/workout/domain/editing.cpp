#include "services/workout/domain/editing.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/time_zone.hpp"
#include "services/workout/domain/limits.hpp"

namespace ekiden::workout {

namespace {

constexpr double kElapsedMaxS = 30.0 * 86'400;
constexpr double kDistanceMaxM = 20'000'000;
constexpr double kElevationMaxM = 100'000;
constexpr double kCaloriesMax = 100'000;
constexpr double kHeartRateMin = 20;
constexpr double kHeartRateMax = 300;
/// 1990; and as far ahead as clocks are apart.
constexpr Timestamp kEarliest = from_micros(631'152'000'000'000);
constexpr std::chrono::hours kAhead{24};

/// What a person enters of a workout's figures.
struct Numbers {
  Timestamp start_time;
  std::optional<std::string> time_zone;
  std::optional<double> elapsed_s;
  std::optional<double> moving_s;
  std::optional<double> distance_m;
  std::optional<double> elevation_gain_m;
  std::optional<double> calories_kcal;
  std::optional<double> average_heart_rate_bpm;
  std::optional<double> max_heart_rate_bpm;
};

Error out_of_range(std::string_view field, std::string_view bounds) {
  return {Errc::invalid, "out-of-range", "give " + std::string(bounds), std::string(field)};
}

Result<void> check_number(std::optional<double> value, std::string_view field, double least, double most) {
  if (!value || (*value >= least && *value <= most)) return {};
  return out_of_range(field, "a number from " + std::to_string(static_cast<std::int64_t>(least)) + " to " +
                                 std::to_string(static_cast<std::int64_t>(most)));
}

Result<void> check_numbers(const Numbers& numbers, Timestamp now) {
  if (numbers.start_time < kEarliest || numbers.start_time > now + kAhead) {
    return out_of_range("start_time", "a time between 1990 and now");
  }
  if (numbers.time_zone && !is_time_zone(*numbers.time_zone)) {
    return Error{Errc::invalid, "unknown-value", "give the IANA name of a time zone, as `Europe/Berlin`",
                 "time_zone"};
  }
  if (!numbers.elapsed_s) return Error{Errc::invalid, "missing-field", "this must be given", "elapsed_s"};
  EKIDEN_CHECK(check_number(numbers.elapsed_s, "elapsed_s", 1, kElapsedMaxS));
  EKIDEN_CHECK(check_number(numbers.moving_s, "moving_s", 0, *numbers.elapsed_s));
  EKIDEN_CHECK(check_number(numbers.distance_m, "distance_m", 0, kDistanceMaxM));
  EKIDEN_CHECK(check_number(numbers.elevation_gain_m, "elevation_gain_m", 0, kElevationMaxM));
  EKIDEN_CHECK(check_number(numbers.calories_kcal, "calories_kcal", 0, kCaloriesMax));
  EKIDEN_CHECK(
      check_number(numbers.average_heart_rate_bpm, "average_heart_rate_bpm", kHeartRateMin, kHeartRateMax));
  return check_number(numbers.max_heart_rate_bpm, "max_heart_rate_bpm", kHeartRateMin, kHeartRateMax);
}

/// The figures of a workout without samples are made by the same rules as all others.
Result<void> set_numbers(Workout& workout, const Numbers& numbers, const Person& person, Timestamp now) {
  EKIDEN_CHECK(check_numbers(numbers, now));
  const auto start = std::chrono::floor<std::chrono::milliseconds>(numbers.start_time);
  activity::Activity activity;
  activity.sport = workout.sport;
  activity.recorded = {.start_ms = start.time_since_epoch().count(),
                       .distance_m = numbers.distance_m,
                       .elapsed_s = numbers.elapsed_s,
                       .timer_s = numbers.moving_s ? numbers.moving_s : numbers.elapsed_s,
                       .moving_s = numbers.moving_s,
                       .ascent_m = numbers.elevation_gain_m,
                       .descent_m = {},
                       .max_speed_mps = {},
                       .average_heart_rate_bpm = numbers.average_heart_rate_bpm,
                       .max_heart_rate_bpm = numbers.max_heart_rate_bpm,
                       .average_cadence_rpm = {},
                       .average_power_w = {},
                       .calories_kcal = numbers.calories_kcal};
  const auto figures = activity::compute_figures(activity, {.athlete = person.athlete},
                                                 std::chrono::floor<std::chrono::seconds>(now));
  take_figures(workout, figures, start);
  take_local_time(workout, {}, numbers.time_zone.value_or(person.time_zone));
  return {};
}

Result<activity::Sport> read_sport(std::string_view text) {
  const auto sport = activity::parse_sport(text);
  if (sport) return *sport;
  return Error{Errc::invalid, "unknown-value", "give one of the sports, as `run`, `ride`, `swim`", "sport"};
}

Result<Visibility> read_visibility(std::string_view text) {
  const auto visibility = parse_visibility(text);
  if (visibility) return *visibility;
  return Error{Errc::invalid, "unknown-value", "give one of everyone, followers, only_me", "visibility"};
}

Result<std::vector<Uuid>> read_gear(std::vector<Uuid> gear_ids) {
  std::vector<Uuid> once;
  for (const Uuid& id : gear_ids) {
    if (std::ranges::find(once, id) == once.end()) once.push_back(id);
  }
  if (once.size() <= kGearMax) return once;
  return Error{Errc::invalid, "too-many", "a workout has at most 10 pieces of gear", "gear_ids"};
}

Result<std::string> read_name(std::string_view text) {
  return clean_text(text, "name", {.chars_max = kNameChars});
}
Result<std::string> read_description(std::string_view text) {
  return clean_text(text, "description", {.chars_max = kDescriptionChars, .newlines = true});
}

Numbers numbers_of(const Workout& workout) {
  Numbers numbers{.start_time = workout.start_time,
                  .time_zone = workout.time_zone,
                  .elapsed_s = static_cast<double>(workout.elapsed_ms) / 1000,
                  .moving_s = static_cast<double>(workout.moving_ms) / 1000,
                  .distance_m = static_cast<double>(workout.distance_m),
                  .elevation_gain_m = workout.elevation_gain_m,
                  .calories_kcal = workout.calories_kcal,
                  .average_heart_rate_bpm = workout.average_heart_rate_bpm,
                  .max_heart_rate_bpm = workout.max_heart_rate_bpm};
  // It was not entered apart: it follows the elapsed time.
  if (workout.moving_ms == workout.elapsed_ms) numbers.moving_s.reset();
  return numbers;
}

/// Names the first number that the edit touches; empty: none.
std::string_view touched_number(const ChangeBody& body) {
  if (!body.start_time.is_absent()) return "start_time";
  if (!body.time_zone.is_absent()) return "time_zone";
  if (!body.elapsed_s.is_absent()) return "elapsed_s";
  if (!body.moving_s.is_absent()) return "moving_s";
  if (!body.distance_m.is_absent()) return "distance_m";
  if (!body.elevation_gain_m.is_absent()) return "elevation_gain_m";
  if (!body.calories_kcal.is_absent()) return "calories_kcal";
  if (!body.average_heart_rate_bpm.is_absent()) return "average_heart_rate_bpm";
  if (!body.max_heart_rate_bpm.is_absent()) return "max_heart_rate_bpm";
  return {};
}

Result<void> change_numbers(Workout& workout, const ChangeBody& body, const Person& person, Timestamp now) {
  Numbers numbers = numbers_of(workout);
  if (body.start_time.is_null())
    return Error{Errc::invalid, "wrong-type", "this cannot be null", "start_time"};
  if (body.elapsed_s.is_null()) return Error{Errc::invalid, "wrong-type", "this cannot be null", "elapsed_s"};
  body.start_time.apply_to(numbers.start_time);
  body.time_zone.apply_to(numbers.time_zone);
  body.elapsed_s.apply_to(numbers.elapsed_s);
  body.moving_s.apply_to(numbers.moving_s);
  body.distance_m.apply_to(numbers.distance_m);
  body.elevation_gain_m.apply_to(numbers.elevation_gain_m);
  body.calories_kcal.apply_to(numbers.calories_kcal);
  body.average_heart_rate_bpm.apply_to(numbers.average_heart_rate_bpm);
  body.max_heart_rate_bpm.apply_to(numbers.max_heart_rate_bpm);
  return set_numbers(workout, numbers, person, now);
}

Result<void> change_words(Workout& workout, const ChangeBody& body, const Person& person) {
  if (!body.name.is_absent()) {
    EKIDEN_TRY(workout.name, read_name(body.name.has_value() ? body.name.value() : ""));
    if (workout.name.empty()) workout.name = generated_name(workout);
  }
  if (!body.description.is_absent()) {
    EKIDEN_TRY(workout.description,
               read_description(body.description.has_value() ? body.description.value() : ""));
  }
  if (body.visibility.is_null()) workout.visibility = person.visibility;
  if (body.visibility.has_value()) {
    EKIDEN_TRY(workout.visibility, read_visibility(body.visibility.value()));
  }
  if (body.gear_ids.is_null()) workout.gear_ids.clear();
  if (body.gear_ids.has_value()) {
    EKIDEN_TRY(workout.gear_ids, read_gear(body.gear_ids.value()));
  }
  return {};
}

}  // namespace

Result<Workout> make_manual(const CreateBody& body, const Person& person, Timestamp now) {
  Workout workout;
  EKIDEN_TRY(workout.sport, read_sport(body.sport));
  workout.source = "manual";
  workout.created_at = workout.changed_at = now;
  workout.visibility = person.visibility;
  if (body.visibility) {
    EKIDEN_TRY(workout.visibility, read_visibility(*body.visibility));
  }
  EKIDEN_TRY(workout.gear_ids, read_gear(body.gear_ids.value_or(std::vector<Uuid>{})));
  EKIDEN_TRY(workout.description, read_description(body.description.value_or("")));
  EKIDEN_TRY(workout.external_id,
             clean_text(body.external_id.value_or(""), "external_id", {.chars_max = kExternalIdChars}));
  EKIDEN_CHECK(set_numbers(workout,
                           {.start_time = body.start_time,
                            .time_zone = body.time_zone,
                            .elapsed_s = body.elapsed_s,
                            .moving_s = body.moving_s,
                            .distance_m = body.distance_m,
                            .elevation_gain_m = body.elevation_gain_m,
                            .calories_kcal = body.calories_kcal,
                            .average_heart_rate_bpm = body.average_heart_rate_bpm,
                            .max_heart_rate_bpm = body.max_heart_rate_bpm},
                           person, now));
  EKIDEN_TRY(workout.name, read_name(body.name.value_or("")));
  if (workout.name.empty()) workout.name = generated_name(workout);
  return workout;
}

Result<Edited> apply_change(const Workout& workout, const ChangeBody& body, const Person& person,
                            Timestamp now) {
  Edited edited{.workout = workout};
  Workout& next = edited.workout;
  if (body.sport.is_null()) return Error{Errc::invalid, "wrong-type", "this cannot be null", "sport"};
  if (body.sport.has_value()) {
    EKIDEN_TRY(next.sport, read_sport(body.sport.value()));
  }
  const std::string_view number = touched_number(body);
  if (!number.empty() && !workout.is_manual()) {
    return Error{Errc::invalid, "not-editable", "this comes from the file and cannot be changed",
                 std::string(number)};
  }
  const bool new_sport = next.sport != workout.sport;
  edited.read_again = new_sport && !workout.is_manual();
  if (workout.is_manual() && (new_sport || !number.empty()))
    EKIDEN_CHECK(change_numbers(next, body, person, now));
  EKIDEN_CHECK(change_words(next, body, person));
  return edited;
}

}  // namespace ekiden::workout
