#pragma once

#include <string>
#include <vector>

#include "http/route.hpp"

namespace ekiden::gateway {

/// The OpenAPI 3.1 document of these routes; internal ones are left out. Made once at start: it cannot drift
/// from what is served, for both come from the same rows.
std::string openapi_document(const std::vector<const http::Route*>& routes, std::string_view version);

}  // namespace ekiden::gateway
