#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ekiden::activity::fit {

/// The messages that we take something from; all others are stepped over (their timestamp still counts).
enum class Message : std::uint8_t {
  other,
  file_id,
  sport,
  session,
  lap,
  record,
  event,
  activity,
  length,
  hr,
  field_description,
};

constexpr std::size_t kSlotCount = 20;
constexpr std::size_t kRawCount = 3;

/// Slots of each message. Slot 0 is the timestamp (field 253) of every message, in s since the FIT epoch.
constexpr std::uint8_t kTimestamp = 0;
namespace file_id {
enum Slot : std::uint8_t { type = 1, manufacturer, product, serial_number, time_created };
}
namespace sport_message {
enum Slot : std::uint8_t { sport = 1, sub_sport };
}
/// Sessions and laps share their slots, so that both are read by the same code. Units: s, m, m/s, bpm, rpm,
/// W, kcal.
namespace total {
enum Slot : std::uint8_t {
  start_time = 1,
  sport,
  sub_sport,
  elapsed,
  timer,
  moving,
  distance,
  calories,
  ascent,
  descent,
  max_speed,
  enhanced_max_speed,
  average_heart_rate,
  max_heart_rate,
  average_cadence,
  average_fractional_cadence,
  average_power,
  pool_length,
  active_lengths,
};
}
namespace record {
enum Slot : std::uint8_t {
  latitude = 1,
  longitude,
  altitude,
  enhanced_altitude,
  heart_rate,
  cadence,
  fractional_cadence,
  cadence256,
  distance,
  speed,
  enhanced_speed,
  power,
  temperature,
};
constexpr std::size_t kCompressedSpeedDistance = 0;  ///< raw: 12 bits of 1/100 m/s, 12 bits of 1/16 m
}  // namespace record
namespace event {
enum Slot : std::uint8_t { event = 1, event_type };
}
namespace activity_message {
enum Slot : std::uint8_t { sessions = 1, local_timestamp };
}
namespace length {
enum Slot : std::uint8_t { start_time = 1, elapsed, type };
}
namespace hr {
enum Slot : std::uint8_t { fractional_timestamp = 1, time256 };
constexpr std::size_t kFilteredBpm = 0;       ///< raw: uint8 each
constexpr std::size_t kEventTimestamp = 1;    ///< raw: uint32 each, 1/1024 s
constexpr std::size_t kEventTimestamp12 = 2;  ///< raw: 12 bits each, 1/1024 s, the low bits of the above
}  // namespace hr
namespace field_description {
enum Slot : std::uint8_t { developer_index = 1, field_number };
}

/// One field of a message that we take. value = raw / scale - offset.
struct FieldSpec {
  std::uint8_t number;
  std::uint8_t slot;  ///< or, where `raw`, the index among the raw fields
  double scale = 1;
  double offset = 0;
  bool raw = false;
};

/// What we know about one message.
struct MessageSpec {
  Message message;
  std::span<const FieldSpec> fields;
};

/// The specification of a global message number; `Message::other` with only the timestamp where we take
/// nothing.
/// @source the public FIT protocol and the field numbers that devices write
const MessageSpec& message_spec(std::uint16_t global_number);

/// The number that FIT gives an activity file, and what its other files are called.
constexpr int kActivityFile = 4;
const char* file_type_name(int type);

}  // namespace ekiden::activity::fit
