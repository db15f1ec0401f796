#include <cstdint>
#include <cstdlib>

#include "json/json.hpp"

/// Whatever the bytes: no crash, and what is accepted is written and read back as the same text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = ekiden::json::Document::parse({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  std::string once;
  document->root().append_to(once);
  const auto again = ekiden::json::Document::parse(once);
  if (!again) std::abort();
  std::string twice;
  again->root().append_to(twice);
  if (once != twice) std::abort();
  return 0;
}
