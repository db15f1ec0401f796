#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ekiden::http {

struct Target {
  std::string path;  ///< percent-decoded once; begins with a slash
  std::vector<std::pair<std::string, std::string>> query;
};

/// Decodes an origin-form target (`/path?query`). It is taken as it stands or refused: nothing is normalised
/// into another path, so that what was authorised is what is served.
/// @errors malformed  `bad-path`: no leading slash, an empty, `.` or `..` segment (also escaped), an escaped
/// slash,
///         a backslash, a control character, a bad escape, or bytes that are not UTF-8;
///         `bad-query`: a bad escape, a control character or bytes that are not UTF-8 in the query, or more
///         than 64 parameters.
Result<Target> parse_target(std::string_view target);

/// True where the raw path equals its decoded form and parse_target() would accept it: only unreserved
/// characters, no empty or dot segments. What the fast path asks before it looks at a raw path.
bool is_plain_path(std::string_view path);
/// True where a raw query surely passes parse_target().
bool is_plain_query(std::string_view query);

/// Decodes `%XX` once, and `+` as a space where `plus_is_space`. nullopt at a bad escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Escapes all but unreserved characters.
std::string percent_encode(std::string_view text);

}  // namespace ekiden::http
