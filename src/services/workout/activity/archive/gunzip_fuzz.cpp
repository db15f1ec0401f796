// Any bytes as a gzip file: no crash, and never more than the limits allow.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/activity/archive/gunzip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::activity;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  InflateLimits limits;
  limits.bytes_max = 1 << 20;
  limits.ratio_free_bytes = 4096;
  static_cast<void>(detect(bytes));
  const auto text = gunzip(bytes, limits);
  if (text && text->size() > limits.bytes_max) std::abort();
  if (text && text->size() > limits.ratio_free_bytes && text->size() / limits.ratio_max > size) std::abort();
  if (text && is_archive(*text)) std::abort();
  return 0;
}
