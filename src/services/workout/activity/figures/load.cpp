#include "services/workout/activity/figures/load.hpp"

#include <algorithm>
#include <cmath>

namespace ekiden::activity {
namespace {

constexpr double kRestFallbackBpm = 60;

/// Calls `take(value, duration_ms)` for every value, which counts until the next one.
template <class Take>
void each_value(const Series& series, float above, Take take) {
  float value = kAbsent;
  std::int64_t since_ms = 0;
  for (const std::uint32_t i : series.order) {
    if (!(series.values[i] > above)) continue;
    const std::int64_t now_ms = series.time_ms[i];
    if (!std::isnan(value)) take(value, std::clamp(now_ms - since_ms, std::int64_t{0}, kGapMaxMs));
    value = series.values[i];
    since_ms = now_ms;
  }
  if (!std::isnan(value)) take(value, std::int64_t{0});
}

std::size_t zone_of(double share) {
  if (share < 0.5) return 0;
  // A rate exactly on a bound belongs to the zone above, whatever the division made of it.
  const double zone = std::floor((share - 0.4) * 10 + 1e-9);
  return static_cast<std::size_t>(std::clamp(zone, 1.0, 5.0));
}

/// The sum of fourth powers of the running mean of 30 one-second values; each second has the last value seen.
class NormalizedPower {
 public:
  void take(double watts, std::int64_t duration_ms) {
    left_ms_ += duration_ms;
    for (; left_ms_ >= 1000; left_ms_ -= 1000) second(watts);
  }
  std::optional<double> result() const {
    if (means_ == 0) return std::nullopt;
    return std::pow(fourth_powers_ / static_cast<double>(means_), 0.25);
  }

 private:
  void second(double watts) {
    double& oldest = ring_[seconds_ % ring_.size()];
    sum_ += watts - oldest;
    oldest = watts;
    if (++seconds_ < ring_.size()) return;
    fourth_powers_ += std::pow(sum_ / static_cast<double>(ring_.size()), 4);
    ++means_;
  }

  std::array<double, 30> ring_{};
  std::size_t seconds_ = 0;
  std::size_t means_ = 0;
  std::int64_t left_ms_ = 0;
  double sum_ = 0;
  double fourth_powers_ = 0;
};

}  // namespace

std::optional<double> mean_over_time(const Series& series, float above) {
  double weighted = 0;
  double plain = 0;
  double weight = 0;
  std::size_t count = 0;
  each_value(series, above, [&](float value, std::int64_t duration_ms) {
    weighted += static_cast<double>(value) * static_cast<double>(duration_ms);
    weight += static_cast<double>(duration_ms);
    plain += static_cast<double>(value);
    ++count;
  });
  if (count == 0) return std::nullopt;
  return weight > 0 ? weighted / weight : plain / static_cast<double>(count);
}

std::optional<double> largest(const Series& series, float above) {
  std::optional<double> most;
  for (const std::uint32_t i : series.order) {
    const float value = series.values[i];
    if (value > above && (!most || static_cast<double>(value) > *most)) most = static_cast<double>(value);
  }
  return most;
}

std::optional<HeartLoad> heart_load(const Series& heart_rates, const AthleteProfile& athlete) {
  const double most = athlete.max_heart_rate_bpm.value_or(0);
  const double rest = athlete.rest_heart_rate_bpm.value_or(kRestFallbackBpm);
  if (!(rest >= 0 && most > rest)) return std::nullopt;
  const bool woman = athlete.sex == Sex::female;
  HeartLoad load;
  std::size_t count = 0;
  each_value(heart_rates, 0, [&](float value, std::int64_t duration_ms) {
    const double rate = static_cast<double>(value);
    const double minutes = static_cast<double>(duration_ms) / 60'000;
    const std::size_t zone = zone_of(rate / most);
    const double x = std::max(0.0, (rate - rest) / (most - rest));
    load.zone_ms[zone] += duration_ms;
    load.edwards += minutes * static_cast<double>(zone);
    load.trimp += minutes * x * (woman ? 0.86 * std::exp(1.67 * x) : 0.64 * std::exp(1.92 * x));
    ++count;
  });
  if (count < 2) return std::nullopt;
  return load;
}

std::optional<PowerLoad> power_load(const Series& powers, const AthleteProfile& athlete, double timer_s) {
  NormalizedPower normalized;
  each_value(powers, -1, [&](float watts, std::int64_t duration_ms) {
    // Each watt written holds until the next: the gap's last second has it too.
    normalized.take(static_cast<double>(watts), duration_ms);
  });
  const auto watts = normalized.result();
  if (!watts) return std::nullopt;
  PowerLoad load{.normalized_w = *watts, .intensity_factor = {}, .training_stress = {}};
  const double threshold = athlete.threshold_power_w.value_or(0);
  if (threshold > 0) {
    load.intensity_factor = *watts / threshold;
    load.training_stress = timer_s * *watts * *load.intensity_factor / (threshold * 36);
  }
  return load;
}

}  // namespace ekiden::activity
