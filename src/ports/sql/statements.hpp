#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ekiden::sql {

/// The statements of a migration, without the `;` that ends each at the end of a line. Lines that are
/// comments as a whole end nothing, and a part that holds nothing else is dropped. The views point into
/// `text`.
std::vector<std::string_view> split_statements(std::string_view text);

/// What is kept of an applied step's text to find that it was changed: FNV-1a, 64 bits, as 16 hex digits. It
/// finds mistakes, not forgeries. @source Fowler, Noll and Vo, FNV-1a
std::string fingerprint(std::string_view text);

}  // namespace ekiden::sql
