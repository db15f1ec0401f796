#include <algorithm>
#include <cmath>

#include "services/workout/activity/export/export.hpp"
#include "services/workout/activity/export/xml_writer.hpp"
#include "services/workout/activity/values.hpp"

namespace ekiden::activity {
namespace {

constexpr std::string_view kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\" "
    "xmlns:ns3=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\" "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:schemaLocation=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2 "
    "http://www.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd\">\n<Activities>\n";

template <class T>
T at(const std::vector<T>& column, std::size_t i) {
  return column.empty() ? static_cast<T>(kAbsent) : column[i];
}

bool is_on_foot(Sport sport) {
  return sport == Sport::run || sport == Sport::trail_run || sport == Sport::treadmill;
}

/// The three sports that TCX knows.
std::string_view tcx_sport(Sport sport) {
  if (is_on_foot(sport)) return "Running";
  const bool bike = sport == Sport::ride || sport == Sport::mountain_bike || sport == Sport::gravel ||
                    sport == Sport::indoor_ride || sport == Sport::virtual_ride;
  return bike ? "Biking" : "Other";
}

/// Counts are whole in TCX.
void append_count(std::string& out, std::string_view name, double value) {
  if (std::isfinite(value)) append_value(out, name, static_cast<double>(std::llround(value)));
}

void append_rate(std::string& out, std::string_view name, double value) {
  if (!(value > 0)) return;
  out.append("<").append(name).append(">");
  append_count(out, "Value", value);
  out.append("</").append(name).append(">");
}

/// The order of the elements is that of the schema.
void append_point(std::string& out, const Activity& activity, std::size_t i) {
  const Samples& samples = activity.samples;
  out += "<Trackpoint><Time>" + format_time(samples.time_ms[i]) + "</Time>";
  const double latitude = at(samples.latitude_deg, i);
  if (!std::isnan(latitude)) {
    out += "<Position>";
    append_value(out, "LatitudeDegrees", latitude);
    append_value(out, "LongitudeDegrees", at(samples.longitude_deg, i));
    out += "</Position>";
  }
  append_value(out, "AltitudeMeters", at(samples.altitude_m, i));
  append_value(out, "DistanceMeters", at(samples.distance_m, i));
  append_rate(out, "HeartRateBpm", static_cast<double>(at(samples.heart_rate_bpm, i)));
  const bool on_foot = is_on_foot(activity.sport);
  const auto cadence = static_cast<double>(at(samples.cadence_rpm, i));
  if (!on_foot) append_count(out, "Cadence", cadence);
  std::string extension;
  append_value(extension, "ns3:Speed", at(samples.speed_mps, i));
  if (on_foot) append_count(extension, "ns3:RunCadence", cadence);
  append_count(extension, "ns3:Watts", static_cast<double>(at(samples.power_w, i)));
  if (!extension.empty()) out += "<Extensions><ns3:TPX>" + extension + "</ns3:TPX></Extensions>";
  out += "</Trackpoint>\n";
}

void append_lap_head(std::string& out, const Lap& lap) {
  out += "<Lap StartTime=\"" + format_time(lap.start_ms.value_or(0)) + "\">";
  append_value(out, "TotalTimeSeconds", lap.timer_s.value_or(0));
  append_value(out, "DistanceMeters", lap.distance_m.value_or(0));
  append_value(out, "MaximumSpeed", lap.max_speed_mps.value_or(std::nan("")));
  append_count(out, "Calories", lap.calories_kcal.value_or(0));
  append_rate(out, "AverageHeartRateBpm", lap.average_heart_rate_bpm.value_or(0));
  append_rate(out, "MaximumHeartRateBpm", lap.max_heart_rate_bpm.value_or(0));
  out += "<Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod>\n";
}

/// The device's laps, if they can be told apart by time; else one for all.
std::vector<Lap> laps_of(const Activity& activity, const std::vector<std::size_t>& timed) {
  const auto has_start = [](const Lap& lap) { return lap.start_ms.has_value(); };
  const std::vector<Lap>& laps = activity.laps;
  const auto by_start = [](const Lap& a, const Lap& b) { return a.start_ms < b.start_ms; };
  if (!laps.empty() && std::ranges::all_of(laps, has_start) && std::ranges::is_sorted(laps, by_start))
    return laps;
  Lap whole;
  const std::vector<std::int64_t>& times = activity.samples.time_ms;
  whole.start_ms = timed.empty() ? activity.recorded.start_ms : std::optional{times[timed.front()]};
  whole.distance_m = activity.recorded.distance_m;
  whole.calories_kcal = activity.recorded.calories_kcal;
  whole.timer_s = activity.recorded.timer_s;
  if (!whole.timer_s && !timed.empty()) {
    whole.timer_s = static_cast<double>(times[timed.back()] - times[timed.front()]) / 1000;
  }
  return {whole};
}

}  // namespace

std::string to_tcx(const Activity& activity) {
  const Samples& samples = activity.samples;
  std::vector<std::size_t> timed;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples.time_ms[i] != kNoTime) timed.push_back(i);
  }
  const std::vector<Lap> laps = laps_of(activity, timed);
  std::string out{kHead};
  out.reserve(kHead.size() + timed.size() * 320);
  out.append("<Activity Sport=\"").append(tcx_sport(activity.sport)).append("\">\n");
  out += "<Id>" + format_time(laps.front().start_ms.value_or(0)) + "</Id>\n";
  std::size_t next = 0;
  for (std::size_t lap = 0; lap < laps.size(); ++lap) {
    append_lap_head(out, laps[lap]);
    bool is_open = false;
    const bool is_last = lap + 1 == laps.size();
    for (; next < timed.size(); ++next) {
      const std::size_t i = timed[next];
      if (!is_last && samples.time_ms[i] >= *laps[lap + 1].start_ms) break;
      const bool pause = std::ranges::binary_search(activity.segment_starts, static_cast<std::uint32_t>(i));
      if (is_open && pause) out += "</Track>\n";
      if (!is_open || pause) out += "<Track>\n";
      is_open = true;
      append_point(out, activity, i);
    }
    if (is_open) out += "</Track>\n";
    out += "</Lap>\n";
  }
  append_text(out, "Notes", activity.description.empty() ? activity.name : activity.description);
  return out + "</Activity>\n</Activities>\n</TrainingCenterDatabase>\n";
}

}  // namespace ekiden::activity
