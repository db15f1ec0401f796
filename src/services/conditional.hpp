#pragma once

#include <cstdint>

#include "http/etag.hpp"
#include "http/message.hpp"

namespace ekiden::services {

/// For things whose editors may say which version they saw, but need not.
/// @errors precondition_failed: If-Match names another version than `version`; read again.
inline Result<void> check_if_match(const http::Request& request, std::int64_t version) {
  if (!request.headers.get("If-Match")) return {};
  EKIDEN_TRY(const std::int64_t seen, http::if_match_version(request));
  if (seen == version) return {};
  return Error{Errc::precondition_failed, "version-mismatch",
               "this has changed since you read it: read it again", "If-Match"};
}

}  // namespace ekiden::services
