// Any bytes as a zip archive: no crash, no read outside, and nothing beyond what the directory promised comes
// out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/utf8.hpp"
#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/activity/archive/zip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::activity;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ZipLimits limits;
  limits.entries_max = 100;
  limits.total_bytes_end = 1 << 20;
  limits.entry.ratio_free_bytes = 4096;
  static_cast<void>(detect(bytes));
  const auto reader = open_zip(bytes, limits);
  if (!reader) return 0;
  std::uint64_t total = 0;
  for (const ZipEntry& entry : reader->entries()) {
    if (!ekiden::is_utf8(entry.name) || entry.name.size() > 200) std::abort();
    const auto text = reader->read(entry);
    if (text && text->size() != entry.size) std::abort();
    if (text) total += text->size();
  }
  if (total >= limits.total_bytes_end) std::abort();
  return 0;
}
