#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery {

/// A record's headers as the bytes that outbox, parked and idempotency rows keep: for each header the length
/// of its name and of its value (four bytes each, big end first), then the two. Any bytes survive.
std::string pack_headers(const log::Headers& headers);
/// @errors internal: `bytes` were not made by `pack_headers`: the row is damaged.
Result<log::Headers> unpack_headers(std::string_view bytes);

}  // namespace ekiden::delivery
