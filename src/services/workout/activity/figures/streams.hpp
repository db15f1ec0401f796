#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// The cleaned samples of an activity, a column a quantity; every column is either empty or as long as
/// `distance_m`. Absent values are NaN.
struct Streams {
  std::vector<std::int64_t>
      time_ms;                     ///< strictly rising, since 1970 in UTC; empty where the file has no times
  std::vector<double> distance_m;  ///< never falling; no NaN: where a sample has none, the one before it
  std::vector<double> latitude_deg;
  std::vector<double> longitude_deg;
  std::vector<double> altitude_m;  ///< within ±10 km
  std::vector<float> speed_mps;    ///< as recorded, else over a centred window of 5 s
  std::vector<float> heart_rate_bpm;
  std::vector<float> cadence_rpm;
  std::vector<float> power_w;
  std::vector<float> temperature_c;
  std::vector<float> grade_percent;           ///< of the smoothed altitude over 50 m of the way
  std::vector<std::uint32_t> segment_starts;  ///< indices; the first is 0

  std::size_t size() const { return distance_m.size(); }
};

/// A distance against a time: the samples that have both. What splits and best efforts are taken from.
struct Track {
  std::vector<std::int64_t> time_ms;  ///< strictly rising
  std::vector<double> distance_m;     ///< never falling
  std::vector<bool> after_pause;      ///< nothing is measured on the step that ends here

  std::size_t size() const { return time_ms.size(); }
};

/// An activity put in order.
struct Cleaned {
  Streams streams;
  Track track;
  /// Samples in the order of time, as indices into the activity; falling distances are still among them.
  std::vector<std::uint32_t> by_time;
  double length_m = 0;  ///< along all positions of the file inside its segments, whatever their times
  double stream_m = 0;  ///< the largest recorded distance; 0 where there is none
  double stream_start_m = 0;
  bool has_positions = false;
  bool has_recorded_distance = false;  ///< the device's distance is used, not the positions'
  bool time_goes_back = false;
  std::size_t untimed = 0;  ///< samples without a time
  double worst_step_m = 0;  ///< the longest step between neighbours that nothing could have made; 0: none
};

/// Orders and cleans: of samples whose time is not after the one before the earlier are dropped (of equal
/// times the last stays), and those whose recorded distance falls; 0/0 in a jump of a thousand kilometres is
/// no position. Without any time all samples stay, in the file's order. @threads any
Cleaned clean(const Activity& activity);

/// Speed over a centred window of 5 s, in m/s, at every point of `track`; NaN where less than 1 s can be
/// seen.
std::vector<float> window_speed(const Track& track);

/// Slope in percent at every sample, from the altitude (mean of 5 samples) over 50 m of the way around it;
/// NaN where there is too little way or no altitude. @param altitude_m, distance_m  of equal length
std::vector<float> grade_percent(std::span<const double> altitude_m, std::span<const double> distance_m);

}  // namespace ekiden::activity
