#include <cstdint>
#include <cstdlib>

#include "base/text.hpp"
#include "base/toml.hpp"
#include "base/utf8.hpp"

/// Whatever the bytes: no crash; a string that was read is written so that it reads back; a cleaned text is
/// clean.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const ekiden::TomlEntry& entry : ekiden::read_toml(text).entries) {
    const auto* value = std::get_if<std::string>(&entry.value);
    if (value == nullptr) continue;
    const ekiden::TomlFile again = ekiden::read_toml("k = " + ekiden::to_toml_string(*value));
    if (!again.faults.empty() || std::get<std::string>(again.entries.at(0).value) != *value) std::abort();
  }
  const ekiden::TextRules rules{.newlines = true};
  const auto clean = ekiden::clean_text(text, "f", rules);
  if (!clean) return 0;
  const auto again = ekiden::clean_text(*clean, "f", rules);
  if (!ekiden::is_utf8(*clean) || !again || *again != *clean) std::abort();
  return 0;
}
