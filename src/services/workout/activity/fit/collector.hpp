#pragma once

#include <cstdint>
#include <string_view>

#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// Turns decoded messages into the rows of a Recording.
class Collector {
 public:
  Collector(const ParseLimits& limits, Recording& out) : limits_(limits), out_(out) {}

  /// Takes one message. @return false beyond a limit: `excess()` then names it.
  bool add(const Definition& definition, const unsigned char* payload, const Slots& slots);

  /// The slug of the limit that was met.
  std::string_view excess() const { return excess_; }

 private:
  bool add_record(const Definition& definition, const unsigned char* payload, const Slots& slots);
  bool add_sample(const Slots& slots);
  bool admit_time(std::int64_t time_ms);
  void push_sample(std::int64_t time_ms, const Slots& slots);
  void push_position(const Slots& slots);
  double unpack_speed_distance(const RawField& field, const unsigned char* payload, double& speed);
  bool add_event(const Slots& slots);
  bool add_length(const Slots& slots);
  bool add_beats(const Definition& definition, const unsigned char* payload, const Slots& slots);
  void push_beat(std::uint64_t event_time, std::uint8_t bpm);
  bool beyond(std::string_view slug);

  const ParseLimits& limits_;
  Recording& out_;
  std::string_view excess_;
  double last_distance_ = 0;

  bool has_packed_distance_ = false;
  std::uint32_t packed_distance_ = 0;      ///< the last 12 bits seen
  std::uint64_t packed_distance_sum_ = 0;  ///< 1/16 m

  bool has_beat_anchor_ = false;
  double beat_anchor_s_ = 0;     ///< FIT time at which the strap's clock was 0
  std::uint64_t beat_time_ = 0;  ///< the strap's clock at its last value, 1/1024 s
};

}  // namespace ekiden::activity::fit
