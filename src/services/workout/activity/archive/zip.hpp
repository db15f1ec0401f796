#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/archive/inflate.hpp"

namespace ekiden::activity {

/// What a zip archive may hold.
struct ZipLimits {
  std::size_t entries_max = 10'000;
  std::uint64_t total_bytes_end = std::uint64_t{1}
                                  << 30U;  ///< all entries together stay below this, decompressed
  InflateLimits entry;
};

/// One file in a zip archive. Its name is for people only: no path is ever made of it.
struct ZipEntry {
  std::string name;        ///< UTF-8 without control characters, at most 200 bytes
  std::uint64_t size = 0;  ///< decompressed, as the archive says; `read` holds it to that
  std::uint64_t compressed_size = 0;
  std::optional<Error>
      refusal;  ///< why this entry is not read (bad-archive, with its name), the others may be

  std::uint64_t data_offset = 0;
  std::uint32_t crc = 0;
  bool is_deflated = false;
};

/// Reads a zip archive over bytes that stay where they are while the reader lives (a mapped file).
/// Directories, `__MACOSX/…` and `.DS_Store` are not listed. @threads any: nothing changes after `open`.
class ZipReader {
 public:
  /// Reads the central directory, and compares every entry with its own header.
  /// @errors invalid bad-archive: no zip file, spread over several files, damaged as a whole, too many
  /// entries, or
  ///         too much together. What is wrong with one entry only is that entry's `refusal`: a name that
  ///         climbs out
  ///         (`../x`, `/x`, `C:\x`), a symbolic link, encryption, a method other than stored or deflated, two
  ///         entries that share bytes, a ratio beyond the limit, a header of its own that says something
  ///         else.
  static Result<ZipReader> open(std::string_view bytes, const ZipLimits& limits = {});

  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// Decompresses one of `entries()` into `sink`; its size and checksum are verified by then.
  /// @errors the entry's refusal; invalid bad-archive, with the entry's name: damaged, an archive itself, or
  /// not what
  ///         the directory says. The sink may have had a part. What the sink returns.
  Result<void> read(const ZipEntry& entry, const Sink& sink) const;

  /// The same into memory, which grows only by what really comes out.
  Result<std::string> read(const ZipEntry& entry) const;

 private:
  ZipReader(std::string_view bytes, const ZipLimits& limits) : bytes_(bytes), limits_(limits) {}

  std::string_view bytes_;
  ZipLimits limits_;
  std::vector<ZipEntry> entries_;
};

/// Opens a zip archive; see ZipReader::open.
inline Result<ZipReader> open_zip(std::string_view bytes, const ZipLimits& limits = {}) {
  return ZipReader::open(bytes, limits);
}

}  // namespace ekiden::activity
