#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/figures/efforts.hpp"
#include "services/workout/activity/figures/load.hpp"
#include "services/workout/activity/figures/streams.hpp"

namespace ekiden::activity {

/// Why a workout is kept, yet not ranked.
struct Doubt {
  std::string_view slug;  ///< stable, in kebab case: `time-goes-back`
  std::string text;       ///< one sentence for the uploader
};

/// All numbers of one activity. Whole metres and milliseconds are rounded once, from the exact sums.
struct Figures {
  std::optional<std::int64_t> start_ms;  ///< since 1970 in UTC: the first sample's, else the recorded start;
                                         ///< nullopt where the file knows no date
  std::int64_t elapsed_ms = 0;           ///< pauses included
  std::int64_t timer_ms = 0;             ///< pauses excluded; never more than elapsed
  std::int64_t moving_ms = 0;            ///< never more than timer
  std::int64_t distance_m = 0;

  std::optional<double> elevation_gain_m;  ///< nullopt where the altitude is unknown or means nothing
  std::optional<double> elevation_loss_m;
  std::optional<double> average_speed_mps;       ///< distance over moving time
  std::optional<double> max_speed_mps;           ///< as recorded, else over a centred window of 5 s
  std::optional<double> average_heart_rate_bpm;  ///< means are by time, gaps count 30 s at most
  std::optional<double> max_heart_rate_bpm;
  std::optional<double> average_cadence_rpm;
  std::optional<double> average_power_w;
  std::optional<double> max_power_w;
  std::optional<double> average_temperature_c;
  std::optional<double> calories_kcal;  ///< recorded, never guessed

  std::vector<Split> km_splits;
  std::vector<Split> mile_splits;
  /// In the order of kEffortDistancesM; nullopt where the way is shorter or the effort beats the world.
  std::array<std::optional<Effort>, kEffortDistancesM.size()> best_efforts;
  std::optional<HeartLoad> heart_load;
  std::optional<PowerLoad> power_load;

  std::vector<Doubt> doubts;
  /// True where it may count for boards.
  bool is_ranked() const { return doubts.empty(); }
};

struct FigureOptions {
  AthleteProfile athlete;
  /// For what others see: totals of the device are of the whole track, so only the samples count.
  bool is_trimmed = false;
};

/// Everything there is to say about `activity`. Pure: no clock, no I/O. About 0.2 us a sample.
/// @param now  for workouts that lie in the future. @threads any   @source see each part
Figures compute_figures(const Activity& activity, const FigureOptions& options, std::chrono::sys_seconds now);

/// The same for who has cleaned it already. @param cleaned  `clean(activity)`
Figures compute_figures(const Activity& activity, const Cleaned& cleaned, const FigureOptions& options,
                        std::chrono::sys_seconds now);

/// Why not to rank: times that go back, are missing, before 1990 or more than a day after `now`; longer than
/// 30 days; a jump of a kilometre or more that nothing could have made; faster than the sport allows.
std::vector<Doubt> find_doubts(const Activity& activity, const Cleaned& cleaned, const Figures& figures,
                               std::chrono::sys_seconds now);

/// The day on which a workout began where it was done. @param offset  local time minus UTC.
std::chrono::year_month_day local_date(std::int64_t start_ms, std::chrono::minutes offset);

/// Which of `size` points to keep so that `most` remain: the first, the last, and of each bucket between them
/// the one that spans the largest triangle. All where `size` is not beyond `most`; `most` of 0 or 1 is 2.
/// @param x, y  of equal length; NaN counts as the value before. @source Steinarsson 2013 (LTTB)
std::vector<std::uint32_t> thin_out(std::span<const double> x, std::span<const double> y, std::size_t most);

/// `streams` at a lower resolution: at most `most` samples, the first and the last among them, chosen by the
/// shape of the way where there are positions, else by distance against time.
Streams resample(const Streams& streams, std::size_t most);

}  // namespace ekiden::activity
