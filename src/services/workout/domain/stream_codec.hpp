#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/workout/activity/figures/streams.hpp"

namespace ekiden::workout {

/// The samples of a workout as they lie in the database: a column a quantity, rounded to what a sensor can
/// tell, differences as variable-length numbers. About 12 bytes a sample. The bytes: docs/formats/streams.md.
/// @threads any
std::string encode_streams(const activity::Streams& streams);

/// @errors internal `bad-streams`: the bytes are not what `encode_streams` makes.
Result<activity::Streams> decode_streams(std::string_view bytes);

}  // namespace ekiden::workout
