#include <cmath>

#include "services/workout/activity/export/export.hpp"
#include "services/workout/activity/export/xml_writer.hpp"
#include "services/workout/activity/values.hpp"

namespace ekiden::activity {
namespace {

constexpr std::string_view kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<gpx version=\"1.1\" creator=\"Ekiden\" xmlns=\"http://www.topografix.com/GPX/1/1\" "
    "xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\" "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:schemaLocation=\"http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd "
    "http://www.garmin.com/xmlschemas/TrackPointExtension/v2 "
    "http://www.garmin.com/xmlschemas/TrackPointExtensionv2.xsd\">\n";

template <class T>
T at(const std::vector<T>& column, std::size_t i) {
  return column.empty() ? static_cast<T>(kAbsent) : column[i];
}

void append_extensions(std::string& out, const Samples& samples, std::size_t i) {
  std::string garmin;
  append_value(garmin, "gpxtpx:atemp", at(samples.temperature_c, i));
  append_value(garmin, "gpxtpx:hr", at(samples.heart_rate_bpm, i));
  append_value(garmin, "gpxtpx:cad", at(samples.cadence_rpm, i));
  append_value(garmin, "gpxtpx:speed", at(samples.speed_mps, i));
  const float power = at(samples.power_w, i);
  if (garmin.empty() && std::isnan(power)) return;
  out += "<extensions>";
  append_value(out, "power", power);
  if (!garmin.empty()) {
    out += "<gpxtpx:TrackPointExtension>" + garmin + "</gpxtpx:TrackPointExtension>";
  }
  out += "</extensions>";
}

void append_point(std::string& out, const Samples& samples, std::size_t i) {
  out += "<trkpt lat=\"";
  append_number(out, samples.latitude_deg[i]);
  out += "\" lon=\"";
  append_number(out, samples.longitude_deg[i]);
  out += "\">";
  append_value(out, "ele", at(samples.altitude_m, i));
  if (samples.time_ms[i] != kNoTime) out += "<time>" + format_time(samples.time_ms[i]) + "</time>";
  append_extensions(out, samples, i);
  out += "</trkpt>\n";
}

}  // namespace

std::string to_gpx(const Activity& activity) {
  const Samples& samples = activity.samples;
  std::string out{kHead};
  out.reserve(kHead.size() + samples.size() * 256);
  out += "<trk>\n";
  append_text(out, "name", activity.name);
  append_text(out, "desc", activity.description);
  append_text(out, "type", to_string(activity.sport));
  bool is_open = false;
  std::size_t segment = 0;
  for (std::size_t i = 0; i < samples.size() && !samples.latitude_deg.empty(); ++i) {
    while (segment < activity.segment_starts.size() && activity.segment_starts[segment] <= i) {
      ++segment;
      if (is_open) out += "</trkseg>\n";
      is_open = false;
    }
    if (std::isnan(samples.latitude_deg[i]) || std::isnan(samples.longitude_deg[i])) continue;
    if (!is_open) out += "<trkseg>\n";
    is_open = true;
    append_point(out, samples, i);
  }
  if (is_open) out += "</trkseg>\n";
  return out + "</trk>\n</gpx>\n";
}

}  // namespace ekiden::activity
