#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

enum class Sex : std::uint8_t { unknown, female, male };

/// What is known of the person; each absent value takes away what depends on it.
struct AthleteProfile {
  std::optional<double> max_heart_rate_bpm = {};
  std::optional<double> rest_heart_rate_bpm = {};  ///< 60 where it is not known
  Sex sex = Sex::unknown;
  std::optional<double> weight_kg = {};
  std::optional<double> threshold_power_w = {};  ///< FTP
};

/// What the heart did. @source Banister 1991 (TRIMP), Edwards 1993
struct HeartLoad {
  std::array<std::int64_t, 6>
      zone_ms{};       ///< below 50 %, then five zones of 10 % of the maximum, closed below
  double trimp = 0;    ///< Banister: the women's curve for women, the men's for all others
  double edwards = 0;  ///< minutes in zone times 1 to 5
};

/// What the legs did. @source Coggan 2003
struct PowerLoad {
  double normalized_w = 0;                 ///< fourth root of the mean fourth power of the 30 s running mean
  std::optional<double> intensity_factor;  ///< of the threshold power
  std::optional<double> training_stress;   ///< TSS
};

/// Gaps between samples count no longer than this.
constexpr std::int64_t kGapMaxMs = 30'000;

/// One quantity's samples with their times, in the order of time.
struct Series {
  std::span<const std::int64_t> time_ms;
  std::span<const float> values;         ///< of the whole activity
  std::span<const std::uint32_t> order;  ///< indices of `values` and `time_ms`
};

/// The mean by time: a sample counts until the next one that has a value, at most 30 s. Where no sample
/// lasts, the plain mean. nullopt without a value. @param above  only values above this are values (heart
/// rates of 0 are none).
std::optional<double> mean_over_time(const Series& series, float above);

/// The largest value above `above`. nullopt where there is none.
std::optional<double> largest(const Series& series, float above);

/// Heart rate zones and loads; nullopt without a maximum above the resting rate, or with fewer than two
/// values.
std::optional<HeartLoad> heart_load(const Series& heart_rates, const AthleteProfile& athlete);

/// Power figures; nullopt with less than 30 s of power. @param timer_s  the time that TSS is taken over
std::optional<PowerLoad> power_load(const Series& powers, const AthleteProfile& athlete, double timer_s);

}  // namespace ekiden::activity
