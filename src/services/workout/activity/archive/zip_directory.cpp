#include "services/workout/activity/archive/zip_directory.hpp"

#include <algorithm>
#include <optional>

namespace ekiden::activity::zip {
namespace {

constexpr std::uint64_t kEndSize = 22;
constexpr std::uint32_t kEndMark = 0x0605'4B50;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint32_t kLocatorMark = 0x0706'4B50;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint32_t kEnd64Mark = 0x0606'4B50;
constexpr std::uint64_t kRowSize = 46;
constexpr std::uint32_t kRowMark = 0x0201'4B50;
constexpr std::uint64_t kMissing32 = 0xFFFF'FFFF;
constexpr unsigned kMadeOnUnix = 3;

/// Where the directory lies.
struct Place {
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t count;
};

/// The end record, whose comment must reach exactly to the end: what follows it would be read by nobody.
std::optional<std::uint64_t> find_end(std::string_view bytes) {
  if (bytes.size() < kEndSize) return std::nullopt;
  const std::uint64_t last = bytes.size() - kEndSize;
  const std::uint64_t first = last > 0xFFFF ? last - 0xFFFF : 0;
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (number_at(bytes, at, 4) == kEndMark && at + kEndSize + number_at(bytes, at + 20, 2) == bytes.size())
      return at;
  }
  return std::nullopt;
}

/// The larger numbers of an archive beyond 4 GiB or 65,535 entries.
std::optional<Place> read_end64(std::string_view bytes, std::uint64_t end) {
  if (end < kLocatorSize || number_at(bytes, end - kLocatorSize, 4) != kLocatorMark) return std::nullopt;
  const std::uint64_t at = number_at(bytes, end - kLocatorSize + 8, 8);
  if (at > end || end - at < kEnd64Size + kLocatorSize || number_at(bytes, at, 4) != kEnd64Mark)
    return std::nullopt;
  if (number_at(bytes, at + 16, 4) != 0 || number_at(bytes, at + 20, 4) != 0) return std::nullopt;
  return Place{number_at(bytes, at + 48, 8), number_at(bytes, at + 40, 8), number_at(bytes, at + 32, 8)};
}

Result<Place> find_place(std::string_view bytes) {
  const std::optional<std::uint64_t> end = find_end(bytes);
  if (!end) return bad_archive("It is no whole zip file: its directory is not at its end.");
  if (number_at(bytes, *end + 4, 2) != 0 || number_at(bytes, *end + 6, 2) != 0) {
    return bad_archive("It is one part of a zip archive that was split.");
  }
  Place place{number_at(bytes, *end + 16, 4), number_at(bytes, *end + 12, 4), number_at(bytes, *end + 10, 2)};
  if (place.offset == kMissing32 || place.size == kMissing32 || place.count == 0xFFFF) {
    const std::optional<Place> large = read_end64(bytes, *end);
    if (!large) return bad_archive("Its zip64 directory is damaged.");
    place = *large;
  }
  if (place.offset > *end || place.size > *end - place.offset)
    return bad_archive("Its directory lies outside the file.");
  return place;
}

/// Takes what the fixed fields of a row left to its zip64 field. @return false where that lacks something.
bool read_zip64(std::string_view extra, Row& row) {
  if (row.size != kMissing32 && row.compressed_size != kMissing32 && row.header_offset != kMissing32)
    return true;
  while (extra.size() >= 4) {
    const std::uint64_t id = number_at(extra, 0, 2);
    const std::uint64_t size = number_at(extra, 2, 2);
    if (size > extra.size() - 4) return false;
    std::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (std::uint64_t* value : {&row.size, &row.compressed_size, &row.header_offset}) {
      if (*value != kMissing32) continue;
      if (field.size() < 8) return false;
      *value = number_at(field, 0, 8);
      field.remove_prefix(8);
    }
    return true;
  }
  return false;
}

/// Reads the row at the start of `rest`, and steps over it.
bool read_row(std::string_view& rest, Row& row) {
  if (rest.size() < kRowSize || number_at(rest, 0, 4) != kRowMark) return false;
  const std::uint64_t name_size = number_at(rest, 28, 2);
  const std::uint64_t extra_size = number_at(rest, 30, 2);
  const std::uint64_t comment_size = number_at(rest, 32, 2);
  if (rest.size() - kRowSize < name_size + extra_size + comment_size) return false;
  row.flags = static_cast<std::uint16_t>(number_at(rest, 8, 2));
  row.method = static_cast<std::uint16_t>(number_at(rest, 10, 2));
  row.crc = static_cast<std::uint32_t>(number_at(rest, 16, 4));
  row.compressed_size = number_at(rest, 20, 4);
  row.size = number_at(rest, 24, 4);
  if (number_at(rest, 5, 1) == kMadeOnUnix)
    row.unix_mode = static_cast<std::uint16_t>(number_at(rest, 40, 2));
  row.header_offset = number_at(rest, 42, 4);
  row.raw_name = rest.substr(kRowSize, name_size);
  if (!read_zip64(rest.substr(kRowSize + name_size, extra_size), row)) return false;
  rest.remove_prefix(kRowSize + name_size + extra_size + comment_size);
  return true;
}

}  // namespace

std::uint64_t number_at(std::string_view bytes, std::uint64_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

Result<Directory> read_directory(std::string_view bytes, std::size_t entries_max) {
  EKIDEN_TRY(const Place place, find_place(bytes));
  if (place.count > entries_max) {
    return bad_archive("It holds " + std::to_string(place.count) + " entries; " +
                       std::to_string(entries_max) + " are taken.");
  }
  Directory directory;
  directory.offset = place.offset;
  std::string_view rest = bytes.substr(place.offset, place.size);
  for (std::uint64_t i = 0; i < place.count; ++i) {
    Row row;
    if (!read_row(rest, row)) {
      return bad_archive("Its directory is damaged at entry " + std::to_string(i + 1) + ".");
    }
    directory.rows.push_back(row);
  }
  if (!rest.empty()) return bad_archive("Its directory holds more than the entries it counts.");
  return directory;
}

}  // namespace ekiden::activity::zip
