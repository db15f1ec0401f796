#include "services/workout/domain/stream_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace ekiden::workout {

namespace {

constexpr std::array<std::string_view, kStreamTypes> kNames = {
    "time_s",         "latlng",      "distance_m", "altitude_m",    "speed_mps",
    "heart_rate_bpm", "cadence_rpm", "power_w",    "temperature_c", "grade"};

std::string_view next_part(std::string_view& rest) {
  const std::size_t end = rest.find(',');
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

/// A decimal of at most `digits` behind the point, without zeros at its end: a fifth of the time of the
/// shortest form.
void append_decimal(std::string& out, double value, int digits) {
  constexpr std::array<double, 7> kPowers = {1, 10, 100, 1000, 1e4, 1e5, 1e6};
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const double scaled = std::clamp(value * kPowers[static_cast<std::size_t>(digits)], -9e18, 9e18);
  auto quantum = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  while (digits > 0 && quantum % 10 == 0) {
    quantum /= 10;
    --digits;
  }
  std::array<char, 24> text{};
  const std::int64_t positive = quantum < 0 ? -quantum : quantum;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), positive).ptr;
  const auto length = static_cast<int>(end - text.data());
  if (quantum < 0) out += '-';
  if (digits == 0) {
    out.append(text.data(), end);
    return;
  }
  if (length <= digits) {
    out += "0.";
    out.append(static_cast<std::size_t>(digits - length), '0');
    out.append(text.data(), end);
    return;
  }
  out.append(text.data(), end - digits);
  out += '.';
  out.append(end - digits, end);
}

template <class T>
void append_column(std::string& out, const std::vector<T>& values, int digits) {
  if (values.empty()) {
    out += "null";
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_decimal(out, static_cast<double>(values[i]), digits);
  }
  out += ']';
}

void append_times(std::string& out, const std::vector<std::int64_t>& time_ms) {
  if (time_ms.empty()) {
    out += "null";
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < time_ms.size(); ++i) {
    if (i > 0) out += ',';
    append_decimal(out, static_cast<double>(time_ms[i] - time_ms.front()) / 1000, 3);
  }
  out += ']';
}

void append_positions(std::string& out, const activity::Streams& streams) {
  if (streams.latitude_deg.empty() || streams.longitude_deg.size() != streams.latitude_deg.size()) {
    out += "null";
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < streams.latitude_deg.size(); ++i) {
    if (i > 0) out += ',';
    if (std::isnan(streams.latitude_deg[i]) || std::isnan(streams.longitude_deg[i])) {
      out += "null";
      continue;
    }
    out += '[';
    append_decimal(out, streams.latitude_deg[i], 6);
    out += ',';
    append_decimal(out, streams.longitude_deg[i], 6);
    out += ']';
  }
  out += ']';
}

void append_stream(std::string& out, const activity::Streams& streams, StreamType type) {
  switch (type) {
    case StreamType::time_s:
      return append_times(out, streams.time_ms);
    case StreamType::latlng:
      return append_positions(out, streams);
    case StreamType::distance_m:
      return append_column(out, streams.distance_m, 1);
    case StreamType::altitude_m:
      return append_column(out, streams.altitude_m, 1);
    case StreamType::speed_mps:
      return append_column(out, streams.speed_mps, 2);
    case StreamType::heart_rate_bpm:
      return append_column(out, streams.heart_rate_bpm, 0);
    case StreamType::cadence_rpm:
      return append_column(out, streams.cadence_rpm, 1);
    case StreamType::power_w:
      return append_column(out, streams.power_w, 0);
    case StreamType::temperature_c:
      return append_column(out, streams.temperature_c, 1);
    case StreamType::grade:
      return append_column(out, streams.grade_percent, 1);
  }
}

}  // namespace

std::string_view to_string(StreamType type) {
  return kNames[static_cast<std::size_t>(type)];
}

Result<std::vector<StreamType>> parse_stream_types(std::string_view text) {
  std::vector<StreamType> types;
  for (std::size_t i = 0; text.empty() && i < kStreamTypes; ++i) types.push_back(static_cast<StreamType>(i));
  while (!text.empty()) {
    const auto* const found = std::ranges::find(kNames, next_part(text));
    if (found == kNames.end()) {
      return Error{Errc::invalid, "unknown-value",
                   "give names of streams, separated by commas: time_s, latlng, …", "types"};
    }
    const auto type = static_cast<StreamType>(found - kNames.begin());
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
  }
  return types;
}

Result<std::size_t> parse_resolution(std::string_view text) {
  if (text == "low") return 100;
  if (text == "medium") return 1000;
  if (text == "high") return 10'000;
  if (text == "full") return std::numeric_limits<std::size_t>::max();
  return Error{Errc::invalid, "unknown-value", "give one of low, medium, high, full", "resolution"};
}

std::string streams_json(const activity::Streams& streams, const std::vector<StreamType>& types) {
  std::string out;
  out.reserve(64 + streams.size() * types.size() * 6);
  out += R"({"point_count":)" + std::to_string(streams.size());
  for (const StreamType type : types) {
    out += ",\"";
    out += to_string(type);
    out += "\":";
    append_stream(out, streams, type);
  }
  out += '}';
  return out;
}

}  // namespace ekiden::workout
