#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ekiden::http {

/// 32 bytes.
std::string sha256(std::string_view data);
/// 32 bytes. @param key any length; 32 random bytes are right.
std::string hmac_sha256(std::string_view key, std::string_view data);
/// Compares in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Without padding. @source RFC 4648 5
std::string to_base64url(std::string_view bytes);
/// Takes only what to_base64url() writes: no padding, no spare bits.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace ekiden::http
