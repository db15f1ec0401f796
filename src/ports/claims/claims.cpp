#include "ports/claims/claims.hpp"

#include "base/utf8.hpp"

namespace ekiden::claims {

Result<void> check_name(std::string_view name, std::string_view field) {
  const bool sized = !name.empty() && name.size() <= kNameMax;
  if (!sized || name.find('\0') != std::string_view::npos || !is_utf8(name)) {
    return Error{Errc::invalid, "claim-name", "a claim's key and holder are 1 to 200 bytes of UTF-8",
                 std::string(field)};
  }
  return {};
}

Result<void> check_ttl(std::chrono::milliseconds ttl) {
  if (ttl < std::chrono::milliseconds{1} || ttl > kTtlMax) {
    return Error{Errc::invalid, "claim-ttl", "a claim lasts from 1 ms to 30 days", "ttl"};
  }
  return {};
}

}  // namespace ekiden::claims
