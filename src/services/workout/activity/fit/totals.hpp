#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// The totals of a session message, as recorded.
Recorded read_recorded(const Slots& session, std::span<const Length> lengths);

/// A lap message, as recorded.
Lap read_lap(const Slots& lap);

/// When a session or lap began, in the scale of Samples::time_ms; kNoTime where nothing says.
std::int64_t start_of(const Slots& totals);

/// How far local time was ahead of UTC, from the `activity` message; whole quarters of an hour, -12 h..+14 h.
std::optional<std::chrono::minutes> read_utc_offset(const Slots& activity);

/// A name for the session that is the same for every copy of the file and from which the device's serial
/// number cannot be had: of the serial only 16 mixed bits go in. Empty where the file does not say when it
/// was made.
std::string make_device_id(const Slots& file_id, const Slots& session);

}  // namespace ekiden::activity::fit
