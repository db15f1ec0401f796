#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/fit/protocol.hpp"

namespace ekiden::activity::fit {

/// The timer was started or stopped by hand or by the device. Milliseconds as in Samples::time_ms.
struct TimerEvent {
  std::int64_t time_ms;
  bool is_start;
};

/// One pool length.
struct Length {
  double start_s;  ///< s since the FIT epoch, NaN where absent; so is the end
  double end_s;
  bool is_active;
};

/// One value of a heart rate strap that stored on its own (swims).
struct Beat {
  std::int64_t time_ms;
  float bpm;
};

/// What one sequence of a file holds, message by message, in the order of the file: nothing is sorted, split
/// or judged.
struct Recording {
  std::size_t offset = 0;  ///< of the sequence in the file
  std::optional<Slots> file_id;
  std::optional<Slots> sport;
  std::optional<Slots> activity;
  std::vector<Slots> sessions;  ///< slots: total::
  std::vector<Slots> laps;      ///< slots: total::
  std::vector<TimerEvent> timer_events;
  std::vector<Length> lengths;
  std::vector<Beat> beats;
  Samples samples;
  bool in_order = true;  ///< sample times strictly rise and recorded distances never fall

  std::uint32_t records = 0;  ///< with and without a time
  std::uint32_t records_without_time = 0;
  std::uint32_t records_before_clock = 0;     ///< counted from power-on, in a file whose clock was set later
  std::uint32_t compressed_without_time = 0;  ///< compressed timestamps before any whole one
  std::uint32_t undescribed_developer_fields = 0;
  std::uint32_t bad_positions = 0;
};

/// The latest time that is relative (counted from power-on), in the scale of Samples::time_ms.
constexpr std::int64_t kRelativeTimeEnd_ms = std::int64_t{kRelativeTimeEnd_s} * 1000;

/// FIT seconds to the scale of Samples::time_ms: Unix milliseconds, or milliseconds since power-on for
/// relative times; kNoTime for NaN.
std::int64_t to_ms(double fit_s);
constexpr bool is_relative(std::int64_t time_ms) {
  return time_ms < kRelativeTimeEnd_ms;
}

}  // namespace ekiden::activity::fit
