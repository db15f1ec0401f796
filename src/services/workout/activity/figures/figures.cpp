#include "services/workout/activity/figures/figures.hpp"

#include <algorithm>
#include <cmath>

#include "services/workout/activity/figures/elevation.hpp"
#include "services/workout/activity/figures/sport_rules.hpp"

namespace ekiden::activity {
namespace {

constexpr std::int64_t kSpeedWindowMs = 2500;

std::int64_t to_ms(double seconds) {
  return std::llround(std::clamp(seconds, 0.0, 1e12) * 1000);
}

const Recorded& totals_of(const Activity& activity, const FigureOptions& options) {
  static const Recorded kNone;
  return options.is_trimmed ? kNone : activity.recorded;
}

/// The sum of the segments' durations.
std::int64_t segments_ms(const Streams& streams) {
  std::int64_t sum = 0;
  for (std::size_t s = 0; s < streams.segment_starts.size() && !streams.time_ms.empty(); ++s) {
    const std::size_t end =
        s + 1 < streams.segment_starts.size() ? streams.segment_starts[s + 1] : streams.size();
    sum += streams.time_ms[end - 1] - streams.time_ms[streams.segment_starts[s]];
  }
  return sum;
}

void take_times(const Activity& activity, const Cleaned& cleaned, const Recorded& recorded,
                Figures& figures) {
  const Streams& streams = cleaned.streams;
  if (!streams.time_ms.empty()) {
    figures.start_ms = streams.time_ms.front();
    figures.elapsed_ms = streams.time_ms.back() - streams.time_ms.front();
  } else {
    figures.start_ms = recorded.start_ms;
  }
  if (activity.clock_is_relative) figures.start_ms.reset();
  // Without samples to go by there is only the device's word.
  if (streams.time_ms.size() < 2) {
    const double longest = std::max(recorded.elapsed_s.value_or(0), recorded.timer_s.value_or(0));
    figures.elapsed_ms = to_ms(longest);
  }
  figures.timer_ms = recorded.timer_s.value_or(0) > 0 ? to_ms(*recorded.timer_s) : segments_ms(streams);
  figures.timer_ms = std::min(figures.timer_ms, figures.elapsed_ms);
}

/// Metres, not rounded: recorded total, else the recorded stream, else along the positions.
double take_distance(const Cleaned& cleaned, const Recorded& recorded, const FigureOptions& options) {
  if (recorded.distance_m.value_or(0) > 0) return *recorded.distance_m;
  if (!cleaned.has_recorded_distance) return cleaned.length_m;
  return options.is_trimmed ? cleaned.stream_m - cleaned.stream_start_m : cleaned.stream_m;
}

void take_elevation(const Activity& activity, const Recorded& recorded, Figures& figures) {
  const bool indoor = activity.indoor && activity.sport != Sport::virtual_ride;
  if (indoor || !sport_rules(activity.sport).altitude_counts) return;
  figures.elevation_gain_m = recorded.ascent_m;
  figures.elevation_loss_m = recorded.descent_m;
  if (recorded.ascent_m && recorded.descent_m) return;
  if (const auto climb = measured_climb(activity)) {
    if (!figures.elevation_gain_m) figures.elevation_gain_m = climb->gain_m;
    if (!figures.elevation_loss_m) figures.elevation_loss_m = climb->loss_m;
  }
}

/// The largest mean of recorded speeds over a centred window of 5 s inside a segment.
std::optional<double> max_window_speed(const Streams& streams) {
  std::optional<double> most;
  if (streams.time_ms.empty() || streams.speed_mps.empty()) return most;
  for (std::size_t s = 0; s < streams.segment_starts.size(); ++s) {
    const std::size_t end =
        s + 1 < streams.segment_starts.size() ? streams.segment_starts[s + 1] : streams.size();
    std::size_t low = streams.segment_starts[s];
    std::size_t high = low;
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = low; i < end; ++i) {
      for (; high < end && streams.time_ms[high] <= streams.time_ms[i] + kSpeedWindowMs; ++high) {
        if (std::isnan(streams.speed_mps[high])) continue;
        sum += static_cast<double>(streams.speed_mps[high]);
        ++count;
      }
      for (; streams.time_ms[low] < streams.time_ms[i] - kSpeedWindowMs; ++low) {
        if (std::isnan(streams.speed_mps[low])) continue;
        sum -= static_cast<double>(streams.speed_mps[low]);
        --count;
      }
      if (count != 0) most = std::max(most.value_or(0), sum / static_cast<double>(count));
    }
  }
  return most;
}

void take_speeds(const Activity& activity, const Cleaned& cleaned, const Recorded& recorded,
                 double distance_m, Figures& figures) {
  if (figures.moving_ms > 0 && distance_m > 0) {
    figures.average_speed_mps = distance_m * 1000 / static_cast<double>(figures.moving_ms);
  }
  if (recorded.max_speed_mps.value_or(0) > 0) {
    figures.max_speed_mps = recorded.max_speed_mps;
  } else if (!activity.samples.speed_mps.empty()) {
    figures.max_speed_mps = max_window_speed(cleaned.streams);
  } else {
    for (const float speed : cleaned.streams.speed_mps) {
      if (std::isnan(speed)) continue;
      figures.max_speed_mps = std::max(figures.max_speed_mps.value_or(0), static_cast<double>(speed));
    }
  }
}

void take_sensors(const Activity& activity, const Cleaned& cleaned, const Recorded& recorded,
                  const AthleteProfile& athlete, Figures& figures) {
  const Samples& samples = activity.samples;
  constexpr float kAny = -std::numeric_limits<float>::infinity();
  const auto series = [&](const std::vector<float>& column) {
    const std::span<const std::uint32_t> order{cleaned.by_time};
    return Series{samples.time_ms, column, column.empty() ? order.first(0) : order};
  };
  const bool timed = cleaned.untimed < samples.size();
  const Series rates = series(samples.heart_rate_bpm);
  const Series powers = series(samples.power_w);
  const auto either = [](std::optional<double> measured, std::optional<double> told) {
    return measured ? measured : told;
  };
  const auto mean = [&](const Series& of, float above) {
    return timed || of.order.empty() ? mean_over_time(of, above) : std::nullopt;
  };
  figures.average_heart_rate_bpm = either(mean(rates, 0), recorded.average_heart_rate_bpm);
  figures.max_heart_rate_bpm = either(largest(rates, 0), recorded.max_heart_rate_bpm);
  figures.average_cadence_rpm = either(mean(series(samples.cadence_rpm), -1), recorded.average_cadence_rpm);
  figures.average_power_w = either(mean(powers, -1), recorded.average_power_w);
  figures.max_power_w = largest(powers, -1);
  figures.average_temperature_c = mean(series(samples.temperature_c), kAny);
  if (!timed) return;
  figures.heart_load = heart_load(rates, athlete);
  figures.power_load = power_load(powers, athlete, static_cast<double>(figures.timer_ms) / 1000);
}

void take_efforts(const Activity& activity, const Track& track, const std::vector<std::int64_t>& moving_ms,
                  Figures& figures) {
  figures.km_splits = splits_of(track, moving_ms, 1000);
  figures.mile_splits = splits_of(track, moving_ms, kMileM);
  for (std::size_t i = 0; i < kEffortDistancesM.size(); ++i) {
    const auto effort = best_effort(track, kEffortDistancesM[i]);
    if (effort && !beats_the_world(*effort, activity.sport)) figures.best_efforts[i] = effort;
  }
}

}  // namespace

Figures compute_figures(const Activity& activity, const Cleaned& cleaned, const FigureOptions& options,
                        std::chrono::sys_seconds now) {
  const Recorded& recorded = totals_of(activity, options);
  Figures figures;
  take_times(activity, cleaned, recorded, figures);
  const std::vector<std::int64_t> moving_ms =
      moving_ms_up_to(cleaned.track, sport_rules(activity.sport).moving_mps);
  figures.moving_ms = figures.timer_ms;
  if (recorded.moving_s.value_or(0) > 0) {
    figures.moving_ms = std::min(figures.timer_ms, to_ms(*recorded.moving_s));
  } else if (cleaned.has_positions && !moving_ms.empty()) {
    figures.moving_ms = std::min(figures.timer_ms, moving_ms.back());
  }
  const double distance_m = take_distance(cleaned, recorded, options);
  figures.distance_m = std::llround(std::clamp(distance_m, 0.0, 1e15));
  take_elevation(activity, recorded, figures);
  take_speeds(activity, cleaned, recorded, distance_m, figures);
  take_sensors(activity, cleaned, recorded, options.athlete, figures);
  if (recorded.calories_kcal.value_or(0) > 0) figures.calories_kcal = recorded.calories_kcal;
  take_efforts(activity, cleaned.track, moving_ms, figures);
  figures.doubts = find_doubts(activity, cleaned, figures, now);
  return figures;
}

Figures compute_figures(const Activity& activity, const FigureOptions& options,
                        std::chrono::sys_seconds now) {
  return compute_figures(activity, clean(activity), options, now);
}

std::chrono::year_month_day local_date(std::int64_t start_ms, std::chrono::minutes offset) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{start_ms}};
  return std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(time + offset)};
}

}  // namespace ekiden::activity
