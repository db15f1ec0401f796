#pragma once

#include <boost/json/value.hpp>

#include "json/document.hpp"

namespace ekiden::json {

/// `Document::parse` for code that needs Boost.JSON's own value; `json/json.hpp` is cheaper to compile.
/// @errors malformed  slug `bad-json`; the text names the reason and the byte.
Result<boost::json::value> parse(std::string_view text, const ParseLimits& limits = {});

}  // namespace ekiden::json
