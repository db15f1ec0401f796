#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"
#include "services/workout/activity/fit/recording.hpp"

namespace ekiden::activity::fit {

/// Decodes the messages of one sequence: bytes `begin` to `end` of `file`, without header and CRC.
/// The work is linear in the bytes, and nothing is allocated for a message but the row that it adds.
/// @errors invalid   fit-undefined-message: a data message whose local type was never defined;
///                   fit-bad-definition: an architecture that is neither little nor big endian;
///                   fit-truncated: a message runs past `end`.
///         too_large too-many-points, too-many-activities, too-many-messages: beyond `limits`.
/// @threads any
Result<Recording> decode_sequence(std::string_view file, std::size_t begin, std::size_t end,
                                  const ParseLimits& limits);

}  // namespace ekiden::activity::fit
