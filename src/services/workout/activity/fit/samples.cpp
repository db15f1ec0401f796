#include "services/workout/activity/fit/samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ekiden::activity::fit {
namespace {

constexpr std::int64_t kDay_ms = 86'400'000;

double distance_at(const Samples& samples, std::uint32_t row) {
  return samples.distance_m.empty() ? kAbsentPosition : samples.distance_m[row];
}

/// A single sample far in the future, with the next one back in line: it would take all the others with it.
bool is_time_spike(const Samples& samples, std::span<const std::uint32_t> rows, std::size_t i,
                   std::int64_t last_ms) {
  if (i + 1 >= rows.size()) return false;
  const std::int64_t now_ms = samples.time_ms[rows[i]];
  const std::int64_t next_ms = samples.time_ms[rows[i + 1]];
  return now_ms - last_ms > kDay_ms && next_ms < now_ms && next_ms > last_ms;
}

class Keeper {
 public:
  Keeper(const Samples& samples, std::size_t rows, bool check_distance)
      : samples_(samples), check_distance_(check_distance) {
    kept_.reserve(rows);
  }

  /// @return the row that this one replaces, or itself.
  std::uint32_t offer(std::span<const std::uint32_t> rows, std::size_t i, Drops& drops) {
    const std::uint32_t row = rows[i];
    const std::int64_t time_ms = samples_.time_ms[row];
    bool replaces = false;
    if (!kept_.empty()) {
      const std::int64_t last_ms = samples_.time_ms[kept_.back()];
      if (time_ms < last_ms || is_time_spike(samples_, rows, i, last_ms)) {
        ++drops.out_of_order;
        return row;
      }
      replaces = time_ms == last_ms;
    }
    const double floor = replaces ? floor_before_ : floor_;
    const double distance = distance_at(samples_, row);
    if (check_distance_ && distance < floor) {
      ++drops.falling;
      return row;
    }
    const std::uint32_t replaced = replaces ? kept_.back() : row;
    if (replaces) {
      kept_.pop_back();
      ++drops.out_of_order;
    }
    floor_before_ = floor;
    floor_ = std::isnan(distance) ? floor : distance;
    kept_.push_back(row);
    return replaced;
  }

  std::vector<std::uint32_t> take() { return std::move(kept_); }

 private:
  const Samples& samples_;
  bool check_distance_;
  std::vector<std::uint32_t> kept_;
  double floor_ = -std::numeric_limits<double>::infinity();
  double floor_before_ = floor_;
};

template <class T>
std::vector<T> gather_column(const std::vector<T>& column, std::span<const std::uint32_t> rows) {
  std::vector<T> out;
  if (column.empty()) return out;
  const auto has_value = [&](std::uint32_t row) { return !std::isnan(column[row]); };
  if (std::ranges::none_of(rows, has_value)) return out;
  out.reserve(rows.size());
  for (const std::uint32_t row : rows) out.push_back(column[row]);
  return out;
}

template <class T>
void fill(std::vector<T>& column, std::uint32_t from, std::uint32_t to) {
  if (!column.empty() && std::isnan(column[to])) column[to] = column[from];
}

/// Of two samples at one time the later counts; what it lacks is taken from the earlier.
void fill_from(Samples& samples, std::uint32_t from, std::uint32_t to) {
  fill(samples.latitude_deg, from, to);
  fill(samples.longitude_deg, from, to);
  fill(samples.altitude_m, from, to);
  fill(samples.distance_m, from, to);
  fill(samples.speed_mps, from, to);
  fill(samples.heart_rate_bpm, from, to);
  fill(samples.cadence_rpm, from, to);
  fill(samples.power_w, from, to);
  fill(samples.temperature_c, from, to);
}

std::vector<std::uint32_t> keep(Samples& samples, std::span<const std::uint32_t> rows, bool check_distance,
                                Drops& drops) {
  Keeper keeper(samples, rows.size(), check_distance);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t replaced = keeper.offer(rows, i, drops);
    if (replaced != rows[i]) fill_from(samples, replaced, rows[i]);
  }
  return keeper.take();
}

}  // namespace

std::vector<std::uint32_t> keep_in_order(Samples& samples, std::span<const std::uint32_t> rows,
                                         Drops& drops) {
  Drops strict;
  std::vector<std::uint32_t> kept = keep(samples, rows, true, strict);
  drops = strict;
  // A distance that is reset on the way (or leaps once) would take a large part of the activity with it.
  if (std::size_t{strict.falling} * 10 <= rows.size()) return kept;
  Drops lenient;
  kept = keep(samples, rows, false, lenient);
  double floor = -std::numeric_limits<double>::infinity();
  for (const std::uint32_t row : kept) {
    double& distance = samples.distance_m[row];
    if (distance < floor) {
      distance = kAbsentPosition;
      ++lenient.falling_values;
    } else if (!std::isnan(distance)) {
      floor = distance;
    }
  }
  drops = lenient;
  return kept;
}

Samples gather(const Samples& samples, std::span<const std::uint32_t> rows) {
  Samples out;
  out.time_ms.reserve(rows.size());
  for (const std::uint32_t row : rows) out.time_ms.push_back(samples.time_ms[row]);
  out.latitude_deg = gather_column(samples.latitude_deg, rows);
  out.longitude_deg = gather_column(samples.longitude_deg, rows);
  out.altitude_m = gather_column(samples.altitude_m, rows);
  out.distance_m = gather_column(samples.distance_m, rows);
  out.speed_mps = gather_column(samples.speed_mps, rows);
  out.heart_rate_bpm = gather_column(samples.heart_rate_bpm, rows);
  out.cadence_rpm = gather_column(samples.cadence_rpm, rows);
  out.power_w = gather_column(samples.power_w, rows);
  out.temperature_c = gather_column(samples.temperature_c, rows);
  return out;
}

std::uint32_t blank_null_island(Samples& samples) {
  constexpr double kFar_deg = 18;  // 2000 km
  const auto is_null = [&](std::size_t i) {
    return samples.latitude_deg[i] == 0 && samples.longitude_deg[i] == 0;
  };
  std::uint32_t nulls = 0;
  bool others_far = false;
  bool others_near = false;
  for (std::size_t i = 0; i < samples.latitude_deg.size(); ++i) {
    if (is_null(i)) {
      ++nulls;
    } else if (!std::isnan(samples.latitude_deg[i])) {
      const bool is_far =
          std::abs(samples.latitude_deg[i]) > kFar_deg || std::abs(samples.longitude_deg[i]) > kFar_deg;
      (is_far ? others_far : others_near) = true;
    }
  }
  if (nulls == 0 || !others_far || others_near) return 0;
  for (std::size_t i = 0; i < samples.latitude_deg.size(); ++i) {
    if (is_null(i)) samples.latitude_deg[i] = samples.longitude_deg[i] = kAbsentPosition;
  }
  return nulls;
}

std::vector<std::uint32_t> find_segments(std::span<const std::int64_t> time_ms,
                                         std::span<const TimerEvent> events) {
  std::vector<std::uint32_t> starts;
  // Without any start, a stop says nothing: one watch writes a lone stop at the time of its first sample.
  if (std::ranges::none_of(events, &TimerEvent::is_start)) events = {};
  std::size_t next = 0;
  bool is_paused = false;
  for (std::size_t i = 0; i < time_ms.size(); ++i) {
    bool breaks = i == 0 || is_paused;
    while (next < events.size()) {
      const TimerEvent& event = events[next];
      if (event.is_start ? event.time_ms > time_ms[i] : event.time_ms >= time_ms[i]) break;
      ++next;
      if (event.is_start) {
        breaks = breaks || is_paused;
        is_paused = false;
      } else {
        breaks = true;
        // A stop that no start follows is the end, or its start was lost: what comes is measured.
        is_paused = next < events.size() && events[next].is_start;
      }
    }
    if (breaks) starts.push_back(static_cast<std::uint32_t>(i));
  }
  return starts;
}

Samples samples_of_lengths(std::span<const Length> lengths, double pool_length_m) {
  Samples samples;
  double distance_m = 0;
  const auto add = [&](double fit_s) {
    const std::int64_t time_ms = to_ms(fit_s);
    if (time_ms == kNoTime) return;
    const bool is_new = samples.time_ms.empty() || time_ms > samples.time_ms.back();
    if (is_new) samples.time_ms.push_back(time_ms);
    if (std::isnan(pool_length_m)) return;
    if (is_new) samples.distance_m.push_back(distance_m);
    samples.distance_m.back() = distance_m;
  };
  for (const Length& length : lengths) {
    if (samples.time_ms.empty()) add(length.start_s);
    if (length.is_active) distance_m += std::isnan(pool_length_m) ? 0 : pool_length_m;
    add(length.end_s);
  }
  return samples;
}

void merge_beats(std::span<const Beat> beats, Samples& samples) {
  constexpr std::int64_t kMean_ms = 1000;
  constexpr std::int64_t kStale_ms = 5000;
  if (beats.empty()) return;
  const std::size_t rows = samples.size();
  const bool had_column = !samples.heart_rate_bpm.empty();
  std::vector<float> column = had_column ? samples.heart_rate_bpm : std::vector<float>(rows, kAbsent);
  bool has_any = had_column;
  std::size_t end = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t now_ms = samples.time_ms[i];
    while (end < beats.size() && beats[end].time_ms <= now_ms) ++end;
    if (!std::isnan(column[i]) || end == 0 || now_ms - beats[end - 1].time_ms > kStale_ms) continue;
    float sum = 0;
    float count = 0;
    // At most a second's worth, and never so many that a crafted file makes this quadratic.
    for (std::size_t b = end; b > 0 && count < 16 && now_ms - beats[b - 1].time_ms < kMean_ms; --b) {
      sum += beats[b - 1].bpm;
      count += 1;
    }
    column[i] = count > 0 ? sum / count : beats[end - 1].bpm;
    has_any = true;
  }
  if (has_any) samples.heart_rate_bpm = std::move(column);
}

}  // namespace ekiden::activity::fit
