// Any bytes, cut anywhere: the parser never reads beyond them, makes the same of every cut, and keeps no more
// than came.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ports/redis_client/resp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::redis;
  if (size < 1) return 0;
  const ReplyLimits limits{
      .text_bytes_max = 1024, .line_bytes_max = 64, .items_max = 200, .bytes_max = 4096, .depth_max = 4};
  const std::size_t cut = data[0] % 7 + std::size_t{1};
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Parser at_once(limits);
  std::vector<Reply> expected;
  const bool whole = at_once.feed(input, expected).has_value();
  Parser in_parts(limits);
  std::vector<Reply> made;
  bool good = true;
  for (std::size_t at = 0; at < input.size() && good; at += cut) {
    good = in_parts.feed(input.substr(at, cut), made).has_value();
  }
  if (good != whole || made != expected) std::abort();
  if (in_parts.buffered() > input.size()) std::abort();
  return 0;
}
