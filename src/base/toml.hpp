#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ekiden {

using TomlValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct TomlEntry {
  std::string key;  ///< with its table: `consumer.prefetch`
  TomlValue value;
  int line = 0;  ///< from 1
};

struct TomlFile {
  std::vector<TomlEntry> entries;   ///< in the file's order; no key stands twice
  std::vector<std::string> faults;  ///< sentences that begin with `line N: `; reading goes on behind each
};

/// Reads the part of TOML 1.0 that the configuration uses: tables, bare dotted keys, one-line strings of both
/// kinds, decimal integers, floats, booleans, arrays of strings (over several lines too), comments. Anything
/// else is a fault, never a guess. @source toml.io/en/v1.0.0
TomlFile read_toml(std::string_view text);

/// `text` as a basic string with its quotes.
std::string to_toml_string(std::string_view text);

}  // namespace ekiden
