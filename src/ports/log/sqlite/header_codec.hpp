#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log::sqlite {

/// Headers as bytes: for each, its name's length (2 bytes, little endian), the name, its value's length (2
/// bytes), the value. None are no bytes.
std::string encode_headers(const Headers& headers);

/// @errors internal: the bytes are damaged.
Result<Headers> decode_headers(std::string_view bytes);

}  // namespace ekiden::log::sqlite
