#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/workout/activity/archive/inflate.hpp"

namespace ekiden::activity {

/// Decompresses a gzip file of one or more members into `sink`; lengths and checksums are verified by then.
/// @return the bytes that came out.
/// @errors invalid bad-archive: no gzip, damaged, cut short, followed by something else, an archive itself,
/// or beyond
///         `limits`. The sink may have had a part: nothing of it is to be kept.
/// @threads any
Result<std::uint64_t> gunzip(std::string_view bytes, const InflateLimits& limits, const Sink& sink);

/// The same into memory, which grows only by what really comes out.
Result<std::string> gunzip(std::string_view bytes, const InflateLimits& limits = {});

}  // namespace ekiden::activity
