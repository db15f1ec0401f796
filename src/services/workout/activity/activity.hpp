#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace ekiden::activity {

/// What was done. The names (`to_string`) are those of the HTTP interface and of the boards.
enum class Sport : std::uint8_t {
  run,
  trail_run,
  treadmill,
  ride,
  mountain_bike,
  gravel,
  indoor_ride,
  virtual_ride,
  walk,
  hike,
  mountaineering,
  swim,
  open_water_swim,
  row,
  indoor_row,
  paddle,
  ski,
  snowboard,
  skate,
  strength,
  yoga,
  dive,
  workout,
};
constexpr std::size_t kSportCount = 23;
std::string_view to_string(Sport sport);
std::optional<Sport> parse_sport(std::string_view name);
/// The sport that a device's or service's own word means (`Trail Running`, `MTB`, Strava's numbers); nullopt
/// where the word says nothing.
std::optional<Sport> guess_sport(std::string_view text);

/// Absent is NaN: 0 is a value. Counts stay below 2^24, so a float holds them exactly.
constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
constexpr double kAbsentPosition = std::numeric_limits<double>::quiet_NaN();

/// The samples of one activity, a column a quantity; every column is either empty or as long as `time_ms`.
/// A column stays empty while no sample has had the quantity, so that it costs nothing.
struct Samples {
  /// Since 1970 in UTC, in the file's order, which need not be that of time (figures/ cleans that); INT64_MIN
  /// where the file has no time.
  std::vector<std::int64_t> time_ms;
  std::vector<double> latitude_deg;  ///< WGS84, NaN where there is no position (both or neither)
  std::vector<double> longitude_deg;
  std::vector<double> altitude_m;  ///< a double: a climb hangs on differences that are exactly 1 m, or not
  std::vector<double> distance_m;  ///< as the device recorded it, from the start; it should not fall, yet may
  std::vector<float> speed_mps;    ///< as the device recorded it
  std::vector<float> heart_rate_bpm;
  std::vector<float> cadence_rpm;  ///< turns or strides a minute: per leg for running
  std::vector<float> power_w;
  std::vector<float> temperature_c;

  std::size_t size() const { return time_ms.size(); }
};
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

/// A stretch that the device marked. Totals as recorded; nullopt where it does not say.
struct Lap {
  std::optional<std::int64_t> start_ms = {};  ///< since 1970 in UTC
  std::optional<double> elapsed_s = {};
  std::optional<double> timer_s = {};
  std::optional<double> distance_m = {};
  std::optional<double> average_heart_rate_bpm = {};
  std::optional<double> max_heart_rate_bpm = {};
  std::optional<double> max_speed_mps = {};
  std::optional<double> calories_kcal = {};
};

/// Totals that the device itself recorded; they come before what we would compute (CONVENTIONS: "Take").
struct Recorded {
  std::optional<std::int64_t> start_ms = {};
  std::optional<double> distance_m = {};
  std::optional<double> elapsed_s = {};
  std::optional<double> timer_s = {};
  std::optional<double> moving_s = {};
  std::optional<double> ascent_m = {};
  std::optional<double> descent_m = {};
  std::optional<double> max_speed_mps = {};
  std::optional<double> average_heart_rate_bpm = {};
  std::optional<double> max_heart_rate_bpm = {};
  std::optional<double> average_cadence_rpm = {};
  std::optional<double> average_power_w = {};
  std::optional<double> calories_kcal = {};
};

/// One activity as a file tells it: what was recorded, nothing computed.
struct Activity {
  Sport sport = Sport::workout;
  bool sport_is_known = false;  ///< false where the file does not say: the uploader may.
  bool indoor = false;          ///< pool, trainer, treadmill: altitude means nothing.
  std::string name;  ///< UTF-8, at most 200 bytes, no control characters; empty where there is none.
  std::string description;
  std::string device_id;  ///< the device's own name for this activity (TCX Id, FIT serial and creation time),
                          ///< hashed where it would identify the device; empty where there is none. Equal ids
                          ///< of one person are one activity.
  std::optional<std::chrono::minutes> utc_offset;  ///< where the file tells the local time
  bool clock_is_relative = false;  ///< The device never knew the date: times count from its start, and only
                                   ///< durations mean something.
  Samples samples;
  /// Indices at which a new segment begins (the first is 0): nothing is measured across a pause.
  std::vector<std::uint32_t> segment_starts;
  std::vector<Lap> laps;
  Recorded recorded;
  std::vector<std::string> warnings;  ///< what was skipped, for the uploader: at most 16
};

/// What a parser may use up. Beyond them: Errc::too_large.
struct ParseLimits {
  std::size_t points_max = 2'000'000;  ///< per file; five million points are refused
  std::size_t activities_max = 64;
  std::size_t token_max = 64 * 1024;  ///< bytes of one XML tag, text, comment
  std::size_t depth_max = 32;
  std::size_t attributes_max = 32;
  std::size_t namespaces_max = 16;
  std::size_t fit_sequences_max = 16;
  bool forgive_fit_checksum =
      true;  ///< take a FIT file whose closing checksum is wrong, if it agrees with itself
};

}  // namespace ekiden::activity
