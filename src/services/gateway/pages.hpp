#pragma once

#include <string>
#include <vector>

#include "http/route.hpp"

namespace ekiden::gateway {

/// `/`: what runs here and the first steps. Plain HTML with its style inside; no script.
std::string start_page(const std::vector<std::pair<std::string, std::string>>& services_and_models,
                       std::string_view version);

/// `/api`: every call with its parameters and schemas, to browse.
std::string api_page(const std::vector<const http::Route*>& routes);

/// A page's response: HTML, with the Content-Security-Policy that fits it.
http::Response html(std::string page);

}  // namespace ekiden::gateway
