#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// Reads a FIT file: the activities in it, one for each session, in the order of their starts.
/// A leg called "Transition" is the change between two sports of a multisport set. Where the device never
/// knew the date, `clock_is_relative` is set, `recorded.start_ms` is absent and `time_ms` counts from the
/// device's start. Chained sequences are read one after the other; what a heart rate strap stored on its own
/// fills in samples that have no heart rate; bytes behind the last sequence that are no FIT header are
/// ignored. Neither the user's profile nor the device's serial number can be had from the result. A wrong
/// closing checksum is forgiven, with a warning, only where every message can be read to the last byte and
/// the totals that the device wrote agree with its records.
/// @param bytes  the whole file; the work is linear in its size, and what is kept is bounded by `limits`.
/// @errors invalid   fit-bad-header, fit-bad-crc, fit-undefined-message, fit-bad-definition, fit-truncated:
/// damaged;
///                   not-an-activity: a workout, a course, settings, or nothing that was recorded.
///         too_large fit-too-many-sequences, too-many-points, too-many-activities, too-many-messages.
///         Every text names the byte at fault.
/// @threads any
/// @source the public description of the FIT protocol; what devices do
Result<std::vector<Activity>> parse_fit(std::string_view bytes, const ParseLimits& limits = {});

}  // namespace ekiden::activity
