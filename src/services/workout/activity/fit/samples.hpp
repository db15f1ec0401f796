#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// Which samples were left out, and why.
struct Drops {
  std::uint32_t out_of_order = 0;  ///< the time was not after the one before (of equal times the last stays)
  std::uint32_t falling = 0;       ///< the recorded distance fell
  std::uint32_t falling_values = 0;  ///< distances taken away because too many samples would have gone
};

/// The rows among `rows` that stay, so that time strictly rises and the distance never falls. Of rows at one
/// time the last stays, completed from the others.
std::vector<std::uint32_t> keep_in_order(Samples& samples, std::span<const std::uint32_t> rows, Drops& drops);

/// The given rows as samples of their own; a column without a value stays empty.
Samples gather(const Samples& samples, std::span<const std::uint32_t> rows);

/// Takes away positions of exactly 0/0 where the others are thousands of km away. @return how many.
std::uint32_t blank_null_island(Samples& samples);

/// Where segments begin: after every stop of the timer, after its next start, and at each sample while it
/// stood.
/// @param events  sorted by time.
std::vector<std::uint32_t> find_segments(std::span<const std::int64_t> time_ms,
                                         std::span<const TimerEvent> events);

/// The samples of a pool swim whose records carry no time: one at the start and one at the end of every
/// length.
/// @param pool_length_m NaN where it is not known: then there is no distance.
Samples samples_of_lengths(std::span<const Length> lengths, double pool_length_m);

/// Gives samples without a heart rate the one that the strap stored: the mean of the second before, else the
/// latest of the last five seconds. @param beats sorted by time.
void merge_beats(std::span<const Beat> beats, Samples& samples);

}  // namespace ekiden::activity::fit
