#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "json/types.hpp"
#include "services/workout/domain/workout.hpp"

namespace ekiden::workout {

/// A workout as somebody enters it by hand.
struct CreateBody {
  std::string sport;
  Timestamp start_time;
  std::optional<std::string> time_zone;
  double elapsed_s = 0;
  std::optional<double> moving_s;
  std::optional<double> distance_m;
  std::optional<double> elevation_gain_m;
  std::optional<double> calories_kcal;
  std::optional<double> average_heart_rate_bpm;
  std::optional<double> max_heart_rate_bpm;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> visibility;
  std::optional<std::vector<Uuid>> gear_ids;
  std::optional<std::string> external_id;
};
BOOST_DESCRIBE_STRUCT(CreateBody, (),
                      (sport, start_time, time_zone, elapsed_s, moving_s, distance_m, elevation_gain_m,
                       calories_kcal, average_heart_rate_bpm, max_heart_rate_bpm, name, description,
                       visibility, gear_ids, external_id))

/// An edit. The numbers are for workouts that were entered by hand.
struct ChangeBody {
  json::Patch<std::string> sport;
  json::Patch<std::string> name;
  json::Patch<std::string> description;
  json::Patch<std::string> visibility;
  json::Patch<std::vector<Uuid>> gear_ids;
  json::Patch<Timestamp> start_time;
  json::Patch<std::string> time_zone;
  json::Patch<double> elapsed_s;
  json::Patch<double> moving_s;
  json::Patch<double> distance_m;
  json::Patch<double> elevation_gain_m;
  json::Patch<double> calories_kcal;
  json::Patch<double> average_heart_rate_bpm;
  json::Patch<double> max_heart_rate_bpm;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (),
                      (sport, name, description, visibility, gear_ids, start_time, time_zone, elapsed_s,
                       moving_s, distance_m, elevation_gain_m, calories_kcal, average_heart_rate_bpm,
                       max_heart_rate_bpm))

/// A workout out of what was entered; ids are the caller's to fill in.
/// @errors invalid: the field that is out of bounds, and the bounds.
Result<Workout> make_manual(const CreateBody& body, const Person& person, Timestamp now);

/// What an edit comes to.
struct Edited {
  Workout workout;          ///< the version is still the old one
  bool read_again = false;  ///< the figures must be computed anew from the file, under the new sport
};
/// @errors as `make_manual`; invalid `not-editable`: a number of a workout that was read from a file.
Result<Edited> apply_change(const Workout& workout, const ChangeBody& body, const Person& person,
                            Timestamp now);

}  // namespace ekiden::workout
