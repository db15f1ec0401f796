#include <cstdlib>

#include "http/framing.hpp"
#include "http/text.hpp"

/// Whatever is taken must be what it claims: one length, one host, an origin-form target, clean fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const FramingLimits limits;
  std::size_t searched = 0;
  const auto [length, early] = find_head(bytes, limits, searched);
  if (early || length == 0) return 0;
  if (length > size || !bytes.substr(0, length).ends_with("\r\n\r\n")) std::abort();
  HeadView head;
  if (parse_head(bytes.substr(0, length), limits, head)) return 0;
  if (head.chunked && head.content_length) std::abort();
  if (head.target.empty() || (head.target.front() != '/' && head.target != "*")) std::abort();
  if (head.version_minor == 1 && head.count("host") != 1) std::abort();
  if (head.count("content-length") > 1 || head.count("transfer-encoding") > 1) std::abort();
  for (const FieldView& field : head.fields()) {
    if (field.name.empty()) std::abort();
    for (const char c : field.value) {
      if (c == '\r' || c == '\n' || c == '\0') std::abort();
    }
  }
  return 0;
}
