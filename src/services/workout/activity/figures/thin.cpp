#include <cmath>
#include <numbers>
#include <numeric>

#include "services/workout/activity/figures/figures.hpp"

namespace ekiden::activity {
namespace {

template <class T>
std::vector<T> pick(const std::vector<T>& column, const std::vector<std::uint32_t>& kept) {
  std::vector<T> out;
  if (column.empty()) return out;
  out.reserve(kept.size());
  for (const std::uint32_t i : kept) out.push_back(column[i]);
  return out;
}

std::vector<double> without_gaps(std::span<const double> values) {
  std::vector<double> out{values.begin(), values.end()};
  double before = 0;
  for (double& value : out) {
    if (std::isnan(value)) value = before;
    before = value;
  }
  return out;
}

/// The plane in which a line's shape is judged: degrees, the longitude shortened; else time and distance.
void plane_of(const Streams& streams, std::vector<double>& x, std::vector<double>& y) {
  if (!streams.latitude_deg.empty()) {
    x = without_gaps(streams.longitude_deg);
    y = without_gaps(streams.latitude_deg);
    const double narrow = std::cos(y[y.size() / 2] * std::numbers::pi / 180);
    for (double& value : x) value *= narrow;
    return;
  }
  y = streams.distance_m;
  x.resize(y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = streams.time_ms.empty() ? static_cast<double>(i)
                                   : static_cast<double>(streams.time_ms[i] - streams.time_ms[0]) / 1000;
  }
}

}  // namespace

std::vector<std::uint32_t> thin_out(std::span<const double> x, std::span<const double> y, std::size_t most) {
  const std::size_t size = x.size();
  most = std::max<std::size_t>(most, 2);
  std::vector<std::uint32_t> kept(std::min(size, most));
  if (size <= most) {
    std::iota(kept.begin(), kept.end(), 0U);
    return kept;
  }
  const auto bucket = [&](std::size_t k) { return 1 + k * (size - 2) / (most - 2); };
  std::size_t anchor = 0;
  for (std::size_t k = 0; k + 2 < most; ++k) {
    const std::size_t next_begin = bucket(k + 1);
    const std::size_t next_end = k + 3 < most ? bucket(k + 2) : size;
    double mean_x = 0;
    double mean_y = 0;
    for (std::size_t i = next_begin; i < next_end; ++i) {
      mean_x += x[i];
      mean_y += y[i];
    }
    mean_x /= static_cast<double>(next_end - next_begin);
    mean_y /= static_cast<double>(next_end - next_begin);
    double widest = -1;
    std::size_t chosen = bucket(k);
    for (std::size_t i = bucket(k); i < next_begin; ++i) {
      const double area =
          std::abs((x[anchor] - mean_x) * (y[i] - y[anchor]) - (x[anchor] - x[i]) * (mean_y - y[anchor]));
      if (area > widest) {
        widest = area;
        chosen = i;
      }
    }
    kept[k + 1] = static_cast<std::uint32_t>(chosen);
    anchor = chosen;
  }
  kept.front() = 0;
  kept.back() = static_cast<std::uint32_t>(size - 1);
  return kept;
}

Streams resample(const Streams& streams, std::size_t most) {
  if (streams.size() <= most || streams.size() < 3) return streams;
  std::vector<double> x;
  std::vector<double> y;
  plane_of(streams, x, y);
  const std::vector<std::uint32_t> kept = thin_out(x, y, most);
  Streams thin;
  thin.time_ms = pick(streams.time_ms, kept);
  thin.distance_m = pick(streams.distance_m, kept);
  thin.latitude_deg = pick(streams.latitude_deg, kept);
  thin.longitude_deg = pick(streams.longitude_deg, kept);
  thin.altitude_m = pick(streams.altitude_m, kept);
  thin.speed_mps = pick(streams.speed_mps, kept);
  thin.heart_rate_bpm = pick(streams.heart_rate_bpm, kept);
  thin.cadence_rpm = pick(streams.cadence_rpm, kept);
  thin.power_w = pick(streams.power_w, kept);
  thin.temperature_c = pick(streams.temperature_c, kept);
  thin.grade_percent = pick(streams.grade_percent, kept);
  std::size_t k = 0;
  for (const std::uint32_t start : streams.segment_starts) {
    while (k < kept.size() && kept[k] < start) ++k;
    const bool is_new = thin.segment_starts.empty() || thin.segment_starts.back() != k;
    if (k < kept.size() && is_new) thin.segment_starts.push_back(static_cast<std::uint32_t>(k));
  }
  return thin;
}

}  // namespace ekiden::activity
