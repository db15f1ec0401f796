#include "services/workout/activity/gpx/gpx_handler.hpp"

#include <utility>

namespace ekiden::activity {
namespace {

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kDescriptionBytesMax = 2000;

void keep_first(std::string& kept, std::string_view text, std::size_t bytes_max) {
  if (kept.empty()) kept = plain_text(text, bytes_max);
}

}  // namespace

GpxHandler::Place GpxHandler::child_of(Place parent, std::string_view name) const {
  switch (parent) {
    case Place::gpx:
      return child_of_gpx(name);
    case Place::metadata:
      if (name == "name") return Place::file_name;
      return name == "desc" ? Place::file_description : Place::ignored;
    case Place::track:
      if (name == "trkseg") return Place::segment;
      if (name == "name") return Place::track_name;
      if (name == "desc") return Place::track_description;
      return name == "type" ? Place::track_type : Place::ignored;
    case Place::segment:
      return name == "trkpt" ? Place::point : Place::ignored;
    case Place::point:
      return child_of_point(name);
    case Place::point_extensions:
      return child_of_extensions(name);
    default:
      return Place::ignored;
  }
}

GpxHandler::Place GpxHandler::child_of_gpx(std::string_view name) const {
  if (name == "trk") return Place::track;
  if (name == "metadata") return Place::metadata;
  // GPX 1.0 has them here.
  if (name == "name") return Place::file_name;
  return name == "desc" ? Place::file_description : Place::ignored;
}

GpxHandler::Place GpxHandler::child_of_point(std::string_view name) const {
  switch (name.size()) {
    case 3:
      return name == "ele" ? Place::elevation : Place::ignored;
    case 4:
      return name == "time" ? Place::time : Place::ignored;
    case 5:
      // GPX 1.0 has the speed here, gpx.studio the power.
      if (name == "speed") return Place::speed;
      return name == "power" ? Place::power : Place::ignored;
    case 10:
      return name == "extensions" ? Place::point_extensions : Place::ignored;
    default:
      return Place::ignored;
  }
}

GpxHandler::Place GpxHandler::child_of_extensions(std::string_view name) {
  switch (name.size()) {
    case 2:
      if (name == "hr") return Place::heart_rate;
      break;
    case 3:
      if (name == "cad") return Place::cadence;
      break;
    case 4:
      if (name == "temp") return Place::temperature;
      break;
    case 5:
      if (name == "power" || name == "watts") return Place::power;
      if (name == "atemp") return Place::temperature;
      if (name == "speed") return Place::speed;
      break;
    case 7:
      if (name == "cadence") return Place::cadence;
      break;
    case 9:
      if (name == "heartrate") return Place::heart_rate;
      break;
    case 12:
      if (name == "PowerInWatts") return Place::power;
      break;
    default:
      break;
  }
  return Place::point_extensions;
}

bool GpxHandler::open(const xml::Name& name, std::span<const xml::Attribute> attributes) {
  const Place parent = stack_[depth_];
  Place place = Place::ignored;
  if (parent == Place::document) {
    if (name.local != "gpx") {
      return fail({Errc::invalid, "not-gpx", "the root element is not <gpx>: this is no GPX file", "file"});
    }
    place = Place::gpx;
  } else {
    place = child_of(parent, name.local);
  }
  stack_[++depth_] = place;
  text_.clear();
  if (place == Place::point) return begin_point(attributes);
  if (place == Place::segment) begins_segment_ = true;
  return true;
}

bool GpxHandler::close() {
  const Place place = stack_[depth_--];
  if (place == Place::point) return end_point();
  if (place >= Place::first_value) take_value(place, text_.view());
  text_.clear();
  return true;
}

bool GpxHandler::begin_point(std::span<const xml::Attribute> attributes) {
  std::string_view latitude;
  std::string_view longitude;
  for (const xml::Attribute& attribute : attributes) {
    if (attribute.name == "lat") latitude = attribute.value;
    if (attribute.name == "lon") longitude = attribute.value;
  }
  std::array<char, 128> latitude_buffer;
  std::array<char, 128> longitude_buffer;
  return begin_point(xml::unescape(latitude, latitude_buffer), xml::unescape(longitude, longitude_buffer));
}

bool GpxHandler::begin_point(std::string_view latitude, std::string_view longitude) {
  const auto position = read_position(latitude, longitude, points_seen_, error_);
  if (!position) return false;
  ++points_seen_;
  is_pause_ = position->is_pause;
  Sample& sample = samples_.next();
  sample.latitude_deg = position->latitude_deg;
  sample.longitude_deg = position->longitude_deg;
  return true;
}

bool GpxHandler::end_point() {
  if (is_pause_) {
    samples_.discard();
    begins_segment_ = true;
    return true;
  }
  if (samples_.size() == points_max_) return fail(too_many_points(points_max_));
  if (begins_segment_) {
    activity_.segment_starts.push_back(static_cast<std::uint32_t>(samples_.size()));
    begins_segment_ = false;
  }
  samples_.commit();
  return true;
}

bool GpxHandler::record(std::span<const xml::Slot> slots, const xml::Record::Values& values) {
  std::string_view latitude;
  std::string_view longitude;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].place == static_cast<std::uint8_t>(Place::latitude)) latitude = values[i];
    if (slots[i].place == static_cast<std::uint8_t>(Place::longitude)) longitude = values[i];
  }
  if (samples_.size() == points_max_ || !begin_point(latitude, longitude)) {
    error_.reset();
    return false;
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto place = static_cast<Place>(slots[i].place);
    if (place >= Place::first_value && place < Place::latitude) take_value(place, values[i]);
  }
  return end_point();
}

void GpxHandler::take_time(std::string_view text) {
  const auto time = times_.parse(text);
  if (!time) {
    if (!trim(text).empty()) skipped_.add("times");
    return;
  }
  samples_.next().time_ms = time->unix_ms;
  if (time->utc_offset && !activity_.utc_offset) activity_.utc_offset = time->utc_offset;
}

void GpxHandler::take_value(Place place, std::string_view text) {
  Sample& sample = samples_.next();
  switch (place) {
    case Place::elevation:
      return measure(sample.altitude_m, text, "elevations");
    case Place::time:
      return take_time(text);
    case Place::heart_rate:
      return measure(sample.heart_rate_bpm, text, "heart rates");
    case Place::cadence:
      return measure(sample.cadence_rpm, text, "cadences");
    case Place::speed:
      return measure(sample.speed_mps, text, "speeds");
    case Place::power:
      return measure(sample.power_w, text, "powers");
    case Place::temperature:
      return measure(sample.temperature_c, text, "temperatures");
    case Place::file_name:
      return keep_first(file_name_, text, kNameBytesMax);
    case Place::file_description:
      return keep_first(file_description_, text, kDescriptionBytesMax);
    case Place::track_name:
      return keep_first(activity_.name, text, kNameBytesMax);
    case Place::track_description:
      return keep_first(activity_.description, text, kDescriptionBytesMax);
    case Place::track_type:
      if (const auto sport = guess_sport(trim(text)); sport && !activity_.sport_is_known) {
        activity_.sport = *sport;
        activity_.sport_is_known = true;
      }
      return;
    default:
      return;
  }
}

Result<std::vector<Activity>> GpxHandler::take() {
  if (samples_.size() == 0) {
    return Error{
        Errc::invalid, "no-track-points",
        "the file holds no recorded track: only <trk> with <trkpt> is an activity, routes and waypoints are "
        "not",
        "file"};
  }
  if (activity_.name.empty()) activity_.name = std::move(file_name_);
  if (activity_.description.empty()) activity_.description = std::move(file_description_);
  activity_.samples = samples_.take();
  activity_.warnings = skipped_.warnings();
  std::vector<Activity> activities;
  activities.push_back(std::move(activity_));
  return activities;
}

}  // namespace ekiden::activity
