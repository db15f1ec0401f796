#include "services/workout/domain/stream_codec.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace ekiden::workout {

namespace {

constexpr char kFormat = 1;
/// No file has more; bounds what a damaged row can make us allocate.
constexpr std::uint64_t kSamplesMax = 16'000'000;
/// Beyond this a double no longer tells neighbours apart at any of our scales.
constexpr double kQuantumMax = 4e15;

enum class Column : std::uint8_t {
  segments = 1,
  time_s,
  time_ms,
  distance,
  latitude,
  longitude,
  altitude,
  speed,
  heart_rate,
  cadence,
  power,
  temperature,
  grade,
};

/// Steps in a unit.
double scale_of(Column column) {
  switch (column) {
    case Column::latitude:
    case Column::longitude:
      return 1e6;
    case Column::distance:
    case Column::altitude:
    case Column::temperature:
    case Column::grade:
      return 10;
    case Column::speed:
      return 100;
    case Column::cadence:
      return 2;
    case Column::segments:
    case Column::time_s:
    case Column::time_ms:
    case Column::heart_rate:
    case Column::power:
      return 1;
  }
  return 1;
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80U));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

/// Appends up to `count` numbers without a look at the room for each byte. @param write calls its argument
/// with one number after another.
template <class Write>
void append_varints(std::string& out, std::size_t count, Write write) {
  constexpr std::size_t kLongest = 10;
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + count * kLongest, [&](char* data, std::size_t) {
    char* at = data + before;
    write([&at](std::uint64_t value) {
      for (; value >= 0x80; value >>= 7U) *at++ = static_cast<char>(value | 0x80U);
      *at++ = static_cast<char>(value);
    });
    return static_cast<std::size_t>(at - data);
  });
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

/// A column's place in the text is its number, the length of what follows, and that.
void put_column(std::string& out, Column column, const std::string& content) {
  out.push_back(static_cast<char>(column));
  put_varint(out, content.size());
  out += content;
}

/// Lengths of runs, present and absent in turn, the first being present ones.
template <class T>
void put_presence(std::string& content, const std::vector<T>& values) {
  if (std::ranges::none_of(values, [](T value) { return std::isnan(value); })) {
    content.push_back(0);
    return;
  }
  content.push_back(1);
  bool present = true;
  std::uint64_t run = 0;
  for (const T value : values) {
    if (std::isnan(value) == present) {
      put_varint(content, run);
      run = 0;
      present = !present;
    }
    ++run;
  }
  put_varint(content, run);
}

template <class T>
void put_values(std::string& out, Column column, const std::vector<T>& values) {
  if (values.empty()) return;
  std::string content;
  put_presence(content, values);
  const double scale = scale_of(column);
  append_varints(content, values.size(), [&](auto put) {
    std::int64_t last = 0;
    for (const T value : values) {
      if (std::isnan(value)) continue;
      const double scaled = std::clamp(static_cast<double>(value) * scale, -kQuantumMax, kQuantumMax);
      const auto quantum = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
      put(zigzag(quantum - last));
      last = quantum;
    }
  });
  put_column(out, column, content);
}

void put_times(std::string& out, const std::vector<std::int64_t>& time_ms) {
  if (time_ms.empty()) return;
  const bool whole_seconds = std::ranges::all_of(time_ms, [](std::int64_t ms) { return ms % 1000 == 0; });
  const std::int64_t unit = whole_seconds ? 1000 : 1;
  std::string content;
  append_varints(content, time_ms.size(), [&](auto put) {
    std::int64_t last = 0;
    for (const std::int64_t ms : time_ms) {
      put(zigzag(ms / unit - last));
      last = ms / unit;
    }
  });
  put_column(out, whole_seconds ? Column::time_s : Column::time_ms, content);
}

Error bad_streams() {
  return {Errc::internal, "bad-streams", "the samples in the database are damaged"};
}

/// Takes numbers off bytes; after the end, or a number that is too long, it is bad for good.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    bad_ = true;
    rest_ = {};
    return 0;
  }
  std::uint8_t byte() {
    if (rest_.empty()) {
      bad_ = true;
      return 0;
    }
    const char first = rest_.front();
    rest_.remove_prefix(1);
    return static_cast<std::uint8_t>(first);
  }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      bad_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool is_bad() const { return bad_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

/// Differences add up with wrap-around: a damaged row gives nonsense, not undefined behaviour.
std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <class T>
bool read_values(Reader reader, Column column, std::size_t size, std::vector<T>& values) {
  values.assign(size, std::numeric_limits<T>::quiet_NaN());
  const bool has_runs = reader.byte() != 0;
  const double scale = scale_of(column);
  std::vector<std::uint64_t> runs;
  std::uint64_t sum = 0;
  while (has_runs && sum < size && !reader.is_bad()) {
    runs.push_back(reader.varint());
    if (runs.back() > size - sum) return false;
    sum += runs.back();
  }
  if (!has_runs) runs.push_back(size);
  std::size_t at = 0;
  std::int64_t last = 0;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    for (std::uint64_t i = 0; i < runs[run]; ++i, ++at) {
      if (run % 2 != 0) continue;
      last = add(last, unzigzag(reader.varint()));
      values[at] = static_cast<T>(static_cast<double>(last) / scale);
    }
    if (reader.is_bad()) return false;
  }
  return reader.at_end();
}

bool read_times(Reader reader, std::int64_t unit, std::size_t size, std::vector<std::int64_t>& time_ms) {
  time_ms.resize(size);
  std::int64_t last = 0;
  for (std::int64_t& ms : time_ms) {
    last = add(last, unzigzag(reader.varint()));
    ms = static_cast<std::int64_t>(static_cast<std::uint64_t>(last) * static_cast<std::uint64_t>(unit));
  }
  return !reader.is_bad() && reader.at_end();
}

bool read_segments(Reader reader, std::size_t size, std::vector<std::uint32_t>& starts) {
  std::uint64_t last = 0;
  while (!reader.at_end()) {
    last += reader.varint();
    if (reader.is_bad() || last >= size) return false;
    starts.push_back(static_cast<std::uint32_t>(last));
  }
  return true;
}

bool read_column(Column column, std::string_view content, std::size_t size, activity::Streams& out) {
  const Reader reader(content);
  // A sample takes at least one byte of a time; of other columns absent ones take none, but a run does.
  switch (column) {
    case Column::segments:
      return read_segments(reader, size, out.segment_starts);
    case Column::time_s:
      return content.size() >= size && read_times(reader, 1000, size, out.time_ms);
    case Column::time_ms:
      return content.size() >= size && read_times(reader, 1, size, out.time_ms);
    case Column::distance:
      return read_values(reader, column, size, out.distance_m);
    case Column::latitude:
      return read_values(reader, column, size, out.latitude_deg);
    case Column::longitude:
      return read_values(reader, column, size, out.longitude_deg);
    case Column::altitude:
      return read_values(reader, column, size, out.altitude_m);
    case Column::speed:
      return read_values(reader, column, size, out.speed_mps);
    case Column::heart_rate:
      return read_values(reader, column, size, out.heart_rate_bpm);
    case Column::cadence:
      return read_values(reader, column, size, out.cadence_rpm);
    case Column::power:
      return read_values(reader, column, size, out.power_w);
    case Column::temperature:
      return read_values(reader, column, size, out.temperature_c);
    case Column::grade:
      return read_values(reader, column, size, out.grade_percent);
  }
  return true;  // A column that a newer program has added.
}

}  // namespace

std::string encode_streams(const activity::Streams& streams) {
  std::string out;
  out.reserve(streams.size() * 12 + 64);
  out.push_back(kFormat);
  put_varint(out, streams.size());
  std::string segments;
  std::uint32_t last = 0;
  for (const std::uint32_t start : streams.segment_starts) {
    put_varint(segments, start - last);
    last = start;
  }
  put_column(out, Column::segments, segments);
  put_times(out, streams.time_ms);
  put_values(out, Column::distance, streams.distance_m);
  put_values(out, Column::latitude, streams.latitude_deg);
  put_values(out, Column::longitude, streams.longitude_deg);
  put_values(out, Column::altitude, streams.altitude_m);
  put_values(out, Column::speed, streams.speed_mps);
  put_values(out, Column::heart_rate, streams.heart_rate_bpm);
  put_values(out, Column::cadence, streams.cadence_rpm);
  put_values(out, Column::power, streams.power_w);
  put_values(out, Column::temperature, streams.temperature_c);
  put_values(out, Column::grade, streams.grade_percent);
  return out;
}

Result<activity::Streams> decode_streams(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.byte() != kFormat) return bad_streams();
  const std::uint64_t size = reader.varint();
  if (reader.is_bad() || size > kSamplesMax) return bad_streams();
  activity::Streams streams;
  while (!reader.at_end()) {
    const auto column = static_cast<Column>(reader.byte());
    const std::uint64_t length = reader.varint();
    const std::string_view content = reader.take(length);
    if (reader.is_bad() || !read_column(column, content, static_cast<std::size_t>(size), streams))
      return bad_streams();
  }
  if (streams.distance_m.size() != size) return bad_streams();
  return streams;
}

}  // namespace ekiden::workout
