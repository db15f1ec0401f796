#include "services/workout/activity/fit/totals.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ekiden::activity::fit {
namespace {

std::optional<double> given(double value) {
  if (std::isnan(value)) return std::nullopt;
  return value;
}

double first_of(double preferred, double otherwise) {
  return std::isnan(preferred) ? otherwise : preferred;
}

std::optional<std::int64_t> given_time(double fit_s) {
  const std::int64_t time_ms = to_ms(fit_s);
  if (time_ms == kNoTime) return std::nullopt;
  return time_ms;
}

std::uint64_t mix(std::uint64_t value) {  // @source splitmix64, public domain
  value += 0x9E37'79B9'7F4A'7C15U;
  value = (value ^ value >> 30U) * 0xBF58'476D'1CE4'E5B9U;
  value = (value ^ value >> 27U) * 0x94D0'49BB'1331'11EBU;
  return value ^ value >> 31U;
}

std::uint64_t whole(double value) {
  return value >= 0 && value < 1e18 ? static_cast<std::uint64_t>(value) : 0;
}

void append_hex(std::uint64_t value, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4)
    out += "0123456789abcdef"[value >> static_cast<unsigned>(shift) & 15U];
}

double pool_distance(const Slots& session, std::span<const Length> lengths) {
  const double counted = static_cast<double>(std::ranges::count_if(lengths, &Length::is_active));
  const double active = first_of(session[total::active_lengths], counted > 0 ? counted : kAbsentValue);
  return active * session[total::pool_length];
}

}  // namespace

Recorded read_recorded(const Slots& session, std::span<const Length> lengths) {
  Recorded recorded;
  recorded.start_ms = given_time(session[total::start_time]);
  recorded.distance_m = given(first_of(session[total::distance], pool_distance(session, lengths)));
  recorded.elapsed_s = given(session[total::elapsed]);
  recorded.timer_s = given(session[total::timer]);
  recorded.moving_s = given(session[total::moving]);
  recorded.ascent_m = given(session[total::ascent]);
  recorded.descent_m = given(session[total::descent]);
  recorded.max_speed_mps = given(first_of(session[total::enhanced_max_speed], session[total::max_speed]));
  recorded.average_heart_rate_bpm = given(session[total::average_heart_rate]);
  recorded.max_heart_rate_bpm = given(session[total::max_heart_rate]);
  recorded.average_cadence_rpm =
      given(session[total::average_cadence] + first_of(session[total::average_fractional_cadence], 0));
  recorded.average_power_w = given(session[total::average_power]);
  recorded.calories_kcal = given(session[total::calories]);
  return recorded;
}

Lap read_lap(const Slots& lap) {
  Lap out;
  out.start_ms = given_time(lap[total::start_time]);
  out.elapsed_s = given(lap[total::elapsed]);
  out.timer_s = given(lap[total::timer]);
  out.distance_m = given(lap[total::distance]);
  out.average_heart_rate_bpm = given(lap[total::average_heart_rate]);
  out.max_heart_rate_bpm = given(lap[total::max_heart_rate]);
  out.max_speed_mps = given(first_of(lap[total::enhanced_max_speed], lap[total::max_speed]));
  out.calories_kcal = given(lap[total::calories]);
  return out;
}

std::int64_t start_of(const Slots& totals) {
  const double computed = totals[kTimestamp] - first_of(totals[total::elapsed], 0);
  return to_ms(first_of(totals[total::start_time], computed));
}

std::optional<std::chrono::minutes> read_utc_offset(const Slots& activity) {
  const double utc_s = activity[kTimestamp];
  const double local_s = activity[activity_message::local_timestamp];
  if (!(utc_s >= kRelativeTimeEnd_s && local_s >= kRelativeTimeEnd_s)) return std::nullopt;
  constexpr double kQuarter_s = 900;
  constexpr double kSlack_s = 120;  // some devices take the two clocks apart from each other
  const double quarters = std::round((local_s - utc_s) / kQuarter_s);
  if (std::abs(local_s - utc_s - quarters * kQuarter_s) > kSlack_s) return std::nullopt;
  if (quarters < -48 || quarters > 56) return std::nullopt;
  return std::chrono::minutes{static_cast<int>(quarters) * 15};
}

std::string make_device_id(const Slots& file_id, const Slots& session) {
  const double created = file_id[file_id::time_created];
  if (std::isnan(created)) return {};
  const std::uint64_t serial = mix(whole(file_id[file_id::serial_number])) >> 48U;
  std::uint64_t state = mix(serial);
  for (const double part : {created, session[total::start_time], session[total::sport]})
    state = mix(state ^ whole(part));
  std::string out;
  append_hex(mix(state), out);
  append_hex(mix(~state), out);
  return out;
}

}  // namespace ekiden::activity::fit
