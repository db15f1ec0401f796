// Any bytes as a FIT file: no crash, no read outside, and whatever is accepted keeps the model's promises.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "services/workout/activity/fit/crc.hpp"
#include "services/workout/activity/fit/fit.hpp"

namespace {

using ekiden::activity::Activity;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Activity& activity) {
  const auto& samples = activity.samples;
  for (std::size_t i = 1; i < samples.size(); ++i) require(samples.time_ms[i] > samples.time_ms[i - 1]);
  double floor = -1e300;
  for (const double distance : samples.distance_m) {
    require(!(distance < floor));
    if (!std::isnan(distance)) floor = distance;
  }
  for (std::size_t i = 0; i < samples.latitude_deg.size(); ++i) {
    require(!(std::abs(samples.latitude_deg[i]) > 90) && !(std::abs(samples.longitude_deg[i]) > 180));
    require(std::isnan(samples.latitude_deg[i]) == std::isnan(samples.longitude_deg[i]));
  }
  for (const std::size_t size :
       {samples.latitude_deg.size(), samples.longitude_deg.size(), samples.altitude_m.size(),
        samples.distance_m.size(), samples.speed_mps.size(), samples.heart_rate_bpm.size(),
        samples.cadence_rpm.size(), samples.power_w.size(), samples.temperature_c.size()}) {
    require(size == 0 || size == samples.size());
  }
  std::uint32_t last = 0;
  for (const std::uint32_t start : activity.segment_starts) {
    require(start < samples.size() && (start == 0 || start > last));
    last = start;
  }
  require(activity.warnings.size() <= 16);
}

void parse(std::string_view bytes) {
  ekiden::activity::ParseLimits limits;
  limits.points_max = 10'000;
  const auto parsed = ekiden::activity::parse_fit(bytes, limits);
  if (!parsed) {
    require(!parsed.error().slug().empty() && parsed.error().text().find("at byte ") != std::string::npos);
    return;
  }
  require(!parsed->empty() && parsed->size() <= limits.activities_max);
  for (const Activity& activity : *parsed) check(activity);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  parse(bytes);
  // The same bytes as messages of a file whose header and checksum are right: behind those the parser is.
  std::string file("\x0c\x10\x08\x08", 4);
  for (unsigned shift = 0; shift < 32; shift += 8) file += static_cast<char>(size >> shift & 0xFFU);
  file += ".FIT";
  file += bytes;
  const unsigned crc = ekiden::activity::fit::crc16(file);
  file += static_cast<char>(crc & 0xFFU);
  file += static_cast<char>(crc >> 8U);
  parse(file);
  return 0;
}
