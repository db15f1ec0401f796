#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/figures/streams.hpp"

namespace ekiden::workout {

/// A quantity that can be asked for.
enum class StreamType : std::uint8_t {
  time_s,
  latlng,
  distance_m,
  altitude_m,
  speed_mps,
  heart_rate_bpm,
  cadence_rpm,
  power_w,
  temperature_c,
  grade,
};
inline constexpr std::size_t kStreamTypes = 10;
std::string_view to_string(StreamType type);
/// A list separated by commas; empty: all. @errors invalid `unknown-value`, field `types`.
Result<std::vector<StreamType>> parse_stream_types(std::string_view text);

/// How many samples to send: `low` 100, `medium` 1,000, `high` 10,000, `full` all.
/// @errors invalid `unknown-value`, field `resolution`.
Result<std::size_t> parse_resolution(std::string_view text);

/// `{"point_count":…,"time_s":[…],…}`: an array for each type, null in it where a sample lacks the quantity,
/// and null for the array where the whole workout does. `time_s` counts from the start, `latlng` has pairs.
std::string streams_json(const activity::Streams& streams, const std::vector<StreamType>& types);

}  // namespace ekiden::workout
