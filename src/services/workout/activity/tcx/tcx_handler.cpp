#include "services/workout/activity/tcx/tcx_handler.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::activity {
namespace {

constexpr std::size_t kDescriptionBytesMax = 2000;
/// A lap's border is no pause, but a gap beyond this is one: between laps no device records slower than that.
constexpr std::int64_t kLapGapMs = 60'000;

std::optional<double> positive(double value) {
  return value > 0 ? std::optional{value} : std::nullopt;
}

void keep(std::string_view text, std::array<char, 80>& buffer, std::size_t& size) {
  size = std::min(text.size(), buffer.size());
  std::copy_n(text.begin(), size, buffer.begin());
}

}  // namespace

const TcxHandler::Child TcxHandler::kChildren[] = {
    {Place::database, "Activities", Place::activities},
    // MultiSportSession, FirstSport and NextSport only hold activities.
    {Place::activities, "Activity", Place::activity},
    {Place::activities, "MultiSportSession", Place::activities},
    {Place::activities, "FirstSport", Place::activities},
    {Place::activities, "NextSport", Place::activities},
    {Place::activity, "Id", Place::id},
    {Place::activity, "Notes", Place::notes},
    {Place::activity, "Lap", Place::lap},
    {Place::lap, "Track", Place::track},
    {Place::lap, "TotalTimeSeconds", Place::lap_time},
    {Place::lap, "DistanceMeters", Place::lap_distance},
    {Place::lap, "MaximumSpeed", Place::lap_max_speed},
    {Place::lap, "Calories", Place::lap_calories},
    {Place::lap, "AverageHeartRateBpm", Place::lap_average_heart_rate},
    {Place::lap, "MaximumHeartRateBpm", Place::lap_max_heart_rate},
    {Place::lap_average_heart_rate, "Value", Place::lap_average_bpm},
    {Place::lap_max_heart_rate, "Value", Place::lap_max_bpm},
    {Place::track, "Trackpoint", Place::point},
};

TcxHandler::Place TcxHandler::child_of(Place parent, std::string_view name) {
  if (parent >= Place::track && parent <= Place::point_extensions) return child_of_point(parent, name);
  for (const Child& child : kChildren) {
    if (child.parent == parent && child.name == name) return child.place;
  }
  return Place::ignored;
}

TcxHandler::Place TcxHandler::child_of_point(Place parent, std::string_view name) {
  switch (parent) {
    case Place::track:
      return name == "Trackpoint" ? Place::point : Place::ignored;
    case Place::point:
      if (name == "Time") return Place::time;
      if (name == "Position") return Place::position;
      if (name == "AltitudeMeters") return Place::altitude;
      if (name == "DistanceMeters") return Place::distance;
      if (name == "HeartRateBpm") return Place::point_heart_rate;
      if (name == "Cadence") return Place::cadence;
      return name == "Extensions" ? Place::point_extensions : Place::ignored;
    case Place::position:
      if (name == "LatitudeDegrees") return Place::latitude;
      return name == "LongitudeDegrees" ? Place::longitude : Place::ignored;
    case Place::point_heart_rate:
      return name == "Value" ? Place::heart_rate : Place::ignored;
    default:
      if (name == "Speed") return Place::speed;
      if (name == "RunCadence") return Place::run_cadence;
      return name == "Watts" ? Place::power : Place::point_extensions;
  }
}

bool TcxHandler::open(const xml::Name& name, std::span<const xml::Attribute> attributes) {
  const Place parent = stack_[depth_];
  Place place = Place::ignored;
  if (parent == Place::document) {
    if (name.local != "TrainingCenterDatabase") {
      return fail({Errc::invalid, "not-tcx",
                   "the root element is not <TrainingCenterDatabase>: this is no TCX file", "file"});
    }
    place = Place::database;
  } else {
    place = child_of(parent, name.local);
    has_other_ = has_other_ || (parent == Place::database && place == Place::ignored &&
                                (name.local == "Courses" || name.local == "Workouts"));
  }
  stack_[++depth_] = place;
  text_.clear();
  return begin(place, attributes);
}

bool TcxHandler::begin(Place place, std::span<const xml::Attribute> attributes) {
  switch (place) {
    case Place::activity:
      return begin_activity(attributes);
    case Place::lap:
      begin_lap(attributes);
      return true;
    case Place::track:
      begins_segment_ = begins_segment_ || !begins_lap_;
      return true;
    case Place::point:
      has_position_ = false;
      return true;
    case Place::position:
      latitude_size_ = 0;
      longitude_size_ = 0;
      return true;
    default:
      return true;
  }
}

bool TcxHandler::close() {
  const Place place = stack_[depth_--];
  switch (place) {
    case Place::position:
      return end_position();
    case Place::point:
      return end_point();
    case Place::track:
      begins_lap_ = false;
      return true;
    case Place::activity:
      end_activity();
      return true;
    default:
      if (place >= Place::first_value) take_value(place, text_.view());
      text_.clear();
      return true;
  }
}

bool TcxHandler::begin_activity(std::span<const xml::Attribute> attributes) {
  if (++activities_seen_ > limits_.activities_max) {
    return fail({Errc::too_large, "too-many-activities",
                 "the file has more than " + std::to_string(limits_.activities_max) + " activities: split it",
                 "file"});
  }
  activity_ = Activity{};
  begins_segment_ = true;
  last_time_ms_ = kNoTime;
  skipped_ = Skipped{};
  for (const xml::Attribute& attribute : attributes) {
    if (attribute.name != "Sport") continue;
    const auto sport = guess_sport(attribute.value);
    activity_.sport_is_known = sport.has_value();
    activity_.sport = sport.value_or(Sport::workout);
  }
  return true;
}

void TcxHandler::begin_lap(std::span<const xml::Attribute> attributes) {
  begins_lap_ = true;
  Lap lap;
  for (const xml::Attribute& attribute : attributes) {
    if (attribute.name != "StartTime") continue;
    if (const auto time = times_.parse(attribute.value)) lap.start_ms = time->unix_ms;
  }
  activity_.laps.push_back(lap);
}

bool TcxHandler::end_position() {
  return take_position({latitude_.data(), latitude_size_}, {longitude_.data(), longitude_size_});
}

bool TcxHandler::take_position(std::string_view latitude, std::string_view longitude) {
  // What Garmin's "invalid" of semicircles becomes.
  if (parse_number(latitude) == 180.0 && parse_number(longitude) == 180.0) return true;
  const auto position = read_position(latitude, longitude, points_seen_, error_);
  if (!position) return false;
  if (position->is_pause) return true;
  samples_.next().latitude_deg = position->latitude_deg;
  samples_.next().longitude_deg = position->longitude_deg;
  return true;
}

bool TcxHandler::record(std::span<const xml::Slot> slots, const xml::Record::Values& values) {
  std::string_view latitude;
  std::string_view longitude;
  std::size_t halves = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto place = static_cast<Place>(slots[i].place);
    if (place == Place::latitude) latitude = values[i];
    if (place == Place::longitude) longitude = values[i];
    halves += place == Place::latitude || place == Place::longitude ? 1U : 0U;
  }
  // Two positions, or half of one, are for the slower way to judge.
  const bool plain = halves == 0 || (halves == 2 && !latitude.empty() && !longitude.empty());
  if (!plain || points_kept_ == limits_.points_max || (halves == 2 && !take_position(latitude, longitude))) {
    error_.reset();
    return false;
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto place = static_cast<Place>(slots[i].place);
    if (place >= Place::time && place != Place::latitude && place != Place::longitude)
      take_value(place, values[i]);
  }
  return end_point();
}

bool TcxHandler::is_gap(std::int64_t time_ms) const {
  return time_ms != kNoTime && last_time_ms_ != kNoTime && time_ms - last_time_ms_ > kLapGapMs;
}

bool TcxHandler::end_point() {
  ++points_seen_;
  if (points_kept_ == limits_.points_max) return fail(too_many_points(limits_.points_max));
  const std::int64_t time_ms = samples_.next().time_ms;
  // Between laps only: inside a track a device that stands still may record nothing for an hour.
  const bool border = begins_lap_ && is_gap(time_ms);
  if (begins_segment_ || border)
    activity_.segment_starts.push_back(static_cast<std::uint32_t>(samples_.size()));
  begins_segment_ = false;
  begins_lap_ = begins_lap_ && time_ms == kNoTime;
  if (time_ms != kNoTime) last_time_ms_ = time_ms;
  ++points_kept_;
  samples_.commit();
  return true;
}

void TcxHandler::end_activity() {
  if (samples_.size() == 0) {
    ++activities_empty_;
    return;
  }
  activity_.samples = samples_.take();
  activity_.indoor = activity_.samples.latitude_deg.empty();
  activity_.warnings = skipped_.warnings();
  total_up();
  activities_.push_back(std::move(activity_));
}

void TcxHandler::total_up() {
  Recorded& recorded = activity_.recorded;
  double distance_m = 0;
  double timer_s = 0;
  double calories_kcal = 0;
  double max_speed_mps = 0;
  double max_heart_rate_bpm = 0;
  for (const Lap& lap : activity_.laps) {
    distance_m += lap.distance_m.value_or(0);
    timer_s += lap.timer_s.value_or(0);
    calories_kcal += lap.calories_kcal.value_or(0);
    max_speed_mps = std::max(max_speed_mps, lap.max_speed_mps.value_or(0));
    max_heart_rate_bpm = std::max(max_heart_rate_bpm, lap.max_heart_rate_bpm.value_or(0));
  }
  if (!activity_.laps.empty()) recorded.start_ms = activity_.laps.front().start_ms;
  recorded.distance_m = positive(distance_m);
  recorded.timer_s = positive(timer_s);
  recorded.calories_kcal = positive(calories_kcal);
  recorded.max_speed_mps = positive(max_speed_mps);
  recorded.max_heart_rate_bpm = positive(max_heart_rate_bpm);
}

void TcxHandler::take_value(Place place, std::string_view text) {
  Sample& sample = samples_.next();
  switch (place) {
    case Place::time:
      if (const auto time = times_.parse(text)) {
        sample.time_ms = time->unix_ms;
        if (time->utc_offset && !activity_.utc_offset) activity_.utc_offset = time->utc_offset;
      } else {
        skipped_.add("times");
      }
      return;
    case Place::latitude:
      return keep(text, latitude_, latitude_size_);
    case Place::longitude:
      return keep(text, longitude_, longitude_size_);
    case Place::altitude:
      return measure(sample.altitude_m, text, "elevations");
    case Place::distance:
      if (const auto value = parse_number(text); value && *value >= 0 && *value < 1e9) {
        sample.distance_m = *value;
      } else {
        skipped_.add("distances");
      }
      return;
    case Place::heart_rate:
      return measure(sample.heart_rate_bpm, text, "heart rates");
    case Place::cadence:
    case Place::run_cadence:
      return measure(sample.cadence_rpm, text, "cadences");
    case Place::speed:
      return measure(sample.speed_mps, text, "speeds");
    case Place::power:
      return measure(sample.power_w, text, "powers");
    default:
      return take_lap_value(place, text);
  }
}

void TcxHandler::take_lap_value(Place place, std::string_view text) {
  if (place == Place::notes) {
    if (activity_.description.empty()) activity_.description = plain_text(text, kDescriptionBytesMax);
    return;
  }
  if (place == Place::id) {
    const std::string id = plain_text(text, 64);
    if (!id.empty()) activity_.device_id = "tcx:" + id;
    return;
  }
  auto value = parse_number(text);
  if (value && (*value < 0 || *value > 1e9)) value.reset();
  if (!value) {
    if (!trim(text).empty()) skipped_.add("lap totals");
    return;
  }
  Lap& lap = activity_.laps.back();
  switch (place) {
    case Place::lap_time:
      lap.timer_s = value;
      break;
    case Place::lap_distance:
      lap.distance_m = value;
      break;
    case Place::lap_max_speed:
      lap.max_speed_mps = value;
      break;
    case Place::lap_calories:
      lap.calories_kcal = value;
      break;
    case Place::lap_average_bpm:
      lap.average_heart_rate_bpm = value;
      break;
    case Place::lap_max_bpm:
      lap.max_heart_rate_bpm = value;
      break;
    default:
      break;
  }
}

Result<std::vector<Activity>> TcxHandler::take() {
  if (activities_.empty()) {
    if (activities_seen_ == 0 && has_other_) {
      return Error{Errc::invalid, "not-an-activity",
                   "the file holds a course or a planned workout, not a recorded activity", "file"};
    }
    return Error{Errc::invalid, "no-track-points", "the file holds no activity with a track point", "file"};
  }
  if (activities_empty_ != 0) {
    activities_.front().warnings.push_back(std::to_string(activities_empty_) +
                                           " activities without a track point were left out");
  }
  return std::move(activities_);
}

}  // namespace ekiden::activity
