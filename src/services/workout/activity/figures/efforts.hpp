#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "services/workout/activity/figures/streams.hpp"

namespace ekiden::activity {

/// A stretch of a fixed length; the last of its kind is what was left.
struct Split {
  double distance_m = 0;
  std::int64_t elapsed_ms = 0;
  std::int64_t moving_ms = 0;
};

/// The fastest stretch of a length.
struct Effort {
  double distance_m = 0;        ///< one of kEffortDistancesM
  std::int64_t elapsed_ms = 0;  ///< pauses count
  double start_m = 0;           ///< from the track's beginning
  std::int64_t start_ms = 0;    ///< since 1970 in UTC
};

constexpr double kMileM = 1609.344;
constexpr std::array<double, 8> kEffortDistancesM = {400, 800, 1000, kMileM, 5000, 10'000, 21'097.5, 42'195};
/// More splits than this are none: the distance is nonsense.
constexpr std::size_t kSplitsMax = 10'000;

/// Milliseconds of `track` faster than `faster_than_mps`, up to each of its points; steps across a pause are
/// none.
std::vector<std::int64_t> moving_ms_up_to(const Track& track, double faster_than_mps);

/// Every full `length_m` of the track, the crossing interpolated in time, and what is left as the last.
/// @param moving_ms  as `moving_ms_up_to` gave. Empty where the track is shorter than 2 points or beyond
/// kSplitsMax.
std::vector<Split> splits_of(const Track& track, const std::vector<std::int64_t>& moving_ms, double length_m);

/// The fastest stretch of at least `distance_m`: both ends interpolated, at a standstill from its end and to
/// its beginning, never cutting into a step longer than 60 s. O(n). nullopt where the track is shorter.
std::optional<Effort> best_effort(const Track& track, double distance_m);

/// True for an effort that nobody can have made: it beats the world record (on foot) or the sport's plausible
/// speed.
bool beats_the_world(const Effort& effort, Sport sport);

}  // namespace ekiden::activity
