#include "services/workout/activity/fit/collector.hpp"

#include <cmath>
#include <limits>
#include <vector>

namespace ekiden::activity::fit {
namespace {

/// No watch writes more; each row here outweighs its bytes in the file many times.
constexpr std::size_t kLapsMax = 10'000;
constexpr std::size_t kTimerEventsMax = 100'000;
constexpr std::size_t kLengthsMax = 100'000;
constexpr std::size_t kBeatsPerPoint = 4;

constexpr double kDegreesPerSemicircle = 180.0 / 2147483648.0;
constexpr double kStrapTicks = 1024.0;

enum TimerEventType { kStart = 0, kStop = 1, kStopAll = 4, kStopDisable = 8, kStopDisableAll = 9 };

double first_of(double preferred, double otherwise) {
  return std::isnan(preferred) ? otherwise : preferred;
}

/// Appends to a column that stays empty until its first value; `rows` is its length so far, if it is not
/// empty.
template <class T>
void push(std::vector<T>& column, std::size_t rows, double value) {
  if (column.empty() && rows > 0) {
    if (std::isnan(value)) return;
    column.assign(rows, std::numeric_limits<T>::quiet_NaN());
  } else if (column.empty() && std::isnan(value)) {
    return;
  }
  column.push_back(static_cast<T>(value));
}

double cadence_of(const Slots& slots) {
  const double cadence = slots[record::cadence];
  if (std::isnan(cadence)) return slots[record::cadence256];
  return cadence + first_of(slots[record::fractional_cadence], 0);
}

}  // namespace

std::int64_t to_ms(double fit_s) {
  if (!(fit_s >= 0 && fit_s <= 4294967295.0)) return kNoTime;
  const auto time_ms = static_cast<std::int64_t>(std::llround(fit_s * 1000));
  return fit_s < kRelativeTimeEnd_s ? time_ms : time_ms + std::int64_t{kFitEpoch_s} * 1000;
}

bool Collector::beyond(std::string_view slug) {
  excess_ = slug;
  return false;
}

bool Collector::add(const Definition& definition, const unsigned char* payload, const Slots& slots) {
  switch (definition.message) {
    case Message::record:
      return add_record(definition, payload, slots);
    case Message::event:
      return add_event(slots);
    case Message::length:
      return add_length(slots);
    case Message::hr:
      return add_beats(definition, payload, slots);
    case Message::file_id:
      if (!out_.file_id) out_.file_id = slots;
      return true;
    case Message::sport:
      if (!out_.sport) out_.sport = slots;
      return true;
    case Message::activity:
      out_.activity = slots;
      return true;
    case Message::session:
      if (out_.sessions.size() >= limits_.activities_max) return beyond("too-many-activities");
      out_.sessions.push_back(slots);
      return true;
    case Message::lap:
      if (out_.laps.size() >= kLapsMax) return beyond("too-many-messages");
      out_.laps.push_back(slots);
      return true;
    case Message::field_description:
    case Message::other:
      return true;
  }
  return true;
}

/// True where the sample may be kept. A clock that is set on the way makes what it said before worthless.
bool Collector::admit_time(std::int64_t time_ms) {
  Samples& samples = out_.samples;
  if (samples.time_ms.empty()) return true;
  const bool was_relative = is_relative(samples.time_ms.back());
  if (was_relative == is_relative(time_ms)) return true;
  if (!was_relative) {
    ++out_.records_before_clock;
    return false;
  }
  out_.records_before_clock += static_cast<std::uint32_t>(samples.size());
  samples = Samples{};
  out_.in_order = true;
  last_distance_ = 0;
  return true;
}

bool Collector::add_record(const Definition& definition, const unsigned char* payload, const Slots& slots) {
  ++out_.records;
  const RawField& packed = definition.raw[record::kCompressedSpeedDistance];
  if (packed.size < 3) return add_sample(slots);
  Slots values = slots;
  double speed = kAbsentValue;
  const double distance = unpack_speed_distance(packed, payload, speed);
  values[record::distance] = first_of(values[record::distance], distance);
  values[record::speed] = first_of(values[record::speed], speed);
  return add_sample(values);
}

bool Collector::add_sample(const Slots& slots) {
  const std::int64_t time_ms = to_ms(slots[kTimestamp]);
  if (time_ms == kNoTime) {
    ++out_.records_without_time;
    return true;
  }
  if (!admit_time(time_ms)) return true;
  if (out_.samples.size() >= limits_.points_max) return beyond("too-many-points");
  push_sample(time_ms, slots);
  return true;
}

void Collector::push_sample(std::int64_t time_ms, const Slots& slots) {
  Samples& samples = out_.samples;
  const std::size_t rows = samples.size();
  if (rows > 0 && time_ms <= samples.time_ms.back()) out_.in_order = false;
  const double distance = slots[record::distance];
  if (distance < last_distance_) out_.in_order = false;
  if (!std::isnan(distance)) last_distance_ = distance;

  push_position(slots);
  push(samples.altitude_m, rows, first_of(slots[record::enhanced_altitude], slots[record::altitude]));
  push(samples.distance_m, rows, distance);
  push(samples.speed_mps, rows, first_of(slots[record::enhanced_speed], slots[record::speed]));
  push(samples.heart_rate_bpm, rows, slots[record::heart_rate]);
  push(samples.cadence_rpm, rows, cadence_of(slots));
  push(samples.power_w, rows, slots[record::power]);
  push(samples.temperature_c, rows, slots[record::temperature]);
  samples.time_ms.push_back(time_ms);
}

void Collector::push_position(const Slots& slots) {
  double latitude = slots[record::latitude] * kDegreesPerSemicircle;
  double longitude = slots[record::longitude] * kDegreesPerSemicircle;
  if (!(std::abs(latitude) <= 90 && std::abs(longitude) <= 180)) {
    if (!std::isnan(latitude) && !std::isnan(longitude)) ++out_.bad_positions;
    latitude = longitude = kAbsentPosition;
  }
  push(out_.samples.latitude_deg, out_.samples.size(), latitude);
  push(out_.samples.longitude_deg, out_.samples.size(), longitude);
}

/// Three bytes: 12 bits of speed, then 12 bits of a distance that wraps every 256 m.
double Collector::unpack_speed_distance(const RawField& field, const unsigned char* payload, double& speed) {
  const auto packed = static_cast<std::uint32_t>(read_uint(payload + field.position, 3, false));
  if (packed == 0xFF'FFFF) return kAbsentValue;
  const std::uint32_t speed_part = packed & 0xFFFU;
  const std::uint32_t distance_part = packed >> 12U;
  if (speed_part != 0xFFF) speed = speed_part / 100.0;
  if (has_packed_distance_) {
    packed_distance_sum_ += (distance_part - packed_distance_) & 0xFFFU;
  } else {
    packed_distance_sum_ = distance_part;
    has_packed_distance_ = true;
  }
  packed_distance_ = distance_part;
  return static_cast<double>(packed_distance_sum_) / 16.0;
}

bool Collector::add_event(const Slots& slots) {
  constexpr double kTimer = 0;
  if (slots[event::event] != kTimer || std::isnan(slots[event::event_type])) return true;
  const std::int64_t time_ms = to_ms(slots[kTimestamp]);
  if (time_ms == kNoTime) return true;
  if (out_.timer_events.size() >= kTimerEventsMax) return beyond("too-many-messages");
  switch (static_cast<int>(slots[event::event_type])) {
    case kStart:
      out_.timer_events.push_back({time_ms, true});
      break;
    case kStop:
    case kStopAll:
    case kStopDisable:
    case kStopDisableAll:
      out_.timer_events.push_back({time_ms, false});
      break;
    default:
      break;
  }
  return true;
}

bool Collector::add_length(const Slots& slots) {
  constexpr double kActive = 1;
  if (out_.lengths.size() >= kLengthsMax) return beyond("too-many-messages");
  double end_s = slots[length::start_time] + slots[length::elapsed];
  end_s = first_of(end_s, slots[kTimestamp]);
  out_.lengths.push_back({slots[length::start_time], end_s, slots[length::type] == kActive});
  return true;
}

/// A strap that stored values itself gives its own clock; one message of them also has the watch's time.
bool Collector::add_beats(const Definition& definition, const unsigned char* payload, const Slots& slots) {
  const RawField& bpm = definition.raw[hr::kFilteredBpm];
  const RawField& whole = definition.raw[hr::kEventTimestamp];
  const RawField& packed = definition.raw[hr::kEventTimestamp12];
  if (out_.beats.size() / kBeatsPerPoint >= limits_.points_max) return beyond("too-many-points");
  const auto bpm_at = [&](std::size_t i) {
    return i < bpm.size ? payload[bpm.position + i] : std::uint8_t{0};
  };

  const std::size_t whole_count = whole.type == BaseType::uint32 ? whole.size / 4U : 0U;
  for (std::size_t i = 0; i < whole_count; ++i) {
    const std::uint64_t time = read_uint(payload + whole.position + 4 * i, 4, definition.big_endian);
    if (time == 0xFFFF'FFFF) continue;
    if (i == 0 && !std::isnan(slots[kTimestamp])) {
      const double fraction = first_of(slots[hr::fractional_timestamp], first_of(slots[hr::time256], 0));
      beat_anchor_s_ = slots[kTimestamp] + fraction - static_cast<double>(time) / kStrapTicks;
      has_beat_anchor_ = true;
    }
    push_beat(time, bpm_at(i));
  }
  if (whole_count > 0 || !has_beat_anchor_) return true;
  for (std::size_t i = 0; 3 * (i / 2) + 3 <= packed.size; ++i) {
    const unsigned char* bytes = payload + packed.position + 3 * (i / 2);
    const unsigned low = i % 2 == 0 ? bytes[0] | (bytes[1] & 0x0FU) << 8U
                                    : bytes[1] >> 4U | static_cast<unsigned>(bytes[2]) << 4U;
    const std::uint64_t ahead = (low - beat_time_) & 0xFFFU;
    push_beat(beat_time_ + ahead, bpm_at(i));
  }
  return true;
}

void Collector::push_beat(std::uint64_t event_time, std::uint8_t bpm) {
  beat_time_ = event_time;
  if (!has_beat_anchor_ || bpm == 0 || bpm == 0xFF) return;
  const std::int64_t time_ms = to_ms(beat_anchor_s_ + static_cast<double>(event_time) / kStrapTicks);
  if (time_ms != kNoTime) out_.beats.push_back({time_ms, static_cast<float>(bpm)});
}

}  // namespace ekiden::activity::fit
