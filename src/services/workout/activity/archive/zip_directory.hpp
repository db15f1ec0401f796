#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/archive/zip.hpp"

namespace ekiden::activity::zip {

/// One row of the central directory, as it lies in the file.
struct Row {
  std::string_view raw_name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint16_t unix_mode = 0;  ///< 0 where the archive was not made on Unix
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t header_offset = 0;
};

/// The central directory of an archive.
struct Directory {
  std::uint64_t offset = 0;  ///< entries end before it
  std::vector<Row> rows;
};

/// Finds and reads the central directory.
/// @errors invalid bad-archive: not there, damaged, more than `entries_max` rows, several files.
Result<Directory> read_directory(std::string_view bytes, std::size_t entries_max);

/// An unsigned number of 2, 4 or 8 bytes; `at` + `size` lies inside.
std::uint64_t number_at(std::string_view bytes, std::uint64_t at, std::size_t size);

constexpr std::uint64_t kLocalHeaderSize = 30;
constexpr std::uint32_t kLocalHeaderMark = 0x0403'4B50;

}  // namespace ekiden::activity::zip
