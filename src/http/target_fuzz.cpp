#include <cstdlib>

#include "base/utf8.hpp"
#include "http/target.hpp"

/// A path that is taken is clean UTF-8 without dot segments; a plain one is its own decoded form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = parse_target(text);
  const std::string_view raw = text.substr(0, text.find('?'));
  if (is_plain_path(raw)) {
    if (const auto plain = parse_target(raw); !plain || plain->path != raw) std::abort();
  }
  if (!target) return 0;
  if (target->path.empty() || target->path.front() != '/' || !ekiden::is_utf8(target->path)) std::abort();
  const std::string closed = target->path + "/";
  if (closed.find("/../") != std::string::npos || closed.find("/./") != std::string::npos) std::abort();
  if (target->path.find('\0') != std::string::npos || target->path.find("//") != std::string::npos)
    std::abort();
  return 0;
}
