#include "services/workout/activity/archive/zip.hpp"

#include <algorithm>
#include <utility>

#include <zlib.h>

#include "base/utf8.hpp"
#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/activity/archive/zip_directory.hpp"

namespace ekiden::activity {
namespace {

using namespace zip;

constexpr std::size_t kNameMax = 200;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr unsigned kEncryptedFlags = 0x0001 | 0x0040 | 0x2000;
constexpr unsigned kFileTypeMask = 0xF000;
constexpr unsigned kSymbolicLink = 0xA000;
constexpr unsigned kRegularFile = 0x8000;

/// The name as people may see it; bytes of unknown encodings and control characters become '?'.
std::string printable_name(std::string_view raw) {
  const bool is_text = is_utf8(raw);
  std::string name;
  for (const char c : raw.substr(0, kNameMax)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x20 && byte != 0x7F && (is_text || byte < 0x80);
    name += is_plain ? c : '?';
  }
  while (!is_utf8(name)) name.pop_back();  // the cut may have split a character
  return name;
}

bool is_ignored(std::string_view name) {
  const std::string_view base = name.substr(name.rfind('/') + 1);
  return (base.empty() && !name.empty()) || base == ".DS_Store" || name.starts_with("__MACOSX/");
}

/// Whether a name, were it taken for a path, would leave its folder.
bool climbs_out(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.front() == '\\') return true;
  if (name.size() > 1 && name[1] == ':') return true;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find_first_of("/\\", begin), name.size());
    if (name.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return name.find('\0') != std::string_view::npos;
}

Error refuse(const std::string& name, std::string_view why) {
  std::string text = "Entry \"";
  text += name;
  text += "\": ";
  text += why;
  return bad_archive(std::move(text));
}

/// What the directory alone shows to be wrong with an entry; empty where nothing is.
std::string_view fault_of(const Row& row, const InflateLimits& limits) {
  const unsigned file_type = row.unix_mode & kFileTypeMask;
  if (climbs_out(row.raw_name)) return "its name leaves the archive.";
  if (file_type == kSymbolicLink) return "it is a symbolic link.";
  if (file_type != 0 && file_type != kRegularFile) return "it is not a file.";
  if ((row.flags & kEncryptedFlags) != 0) return "it is encrypted.";
  if (row.method != kStored && row.method != kDeflated)
    return "it is compressed by a method other than deflate.";
  if (row.method == kStored && row.size != row.compressed_size) return "its sizes contradict one another.";
  if (row.size > limits.bytes_max) return "it is too large when unpacked.";
  if (row.size > limits.ratio_free_bytes && row.size / limits.ratio_max > row.compressed_size) {
    return "it unpacks to too many times its size.";
  }
  return {};
}

/// Where an entry's bytes lie, its own header included.
struct Extent {
  std::uint64_t begin;
  std::uint64_t end;
  std::size_t entry;
};

/// Compares an entry's own header with its row, and finds its data. @return the fault, empty where there is
/// none.
std::string_view locate(std::string_view bytes, std::uint64_t directory, const Row& row, ZipEntry& entry) {
  if (row.header_offset > directory || directory - row.header_offset < kLocalHeaderSize) {
    return "it lies outside the file.";
  }
  const std::uint64_t at = row.header_offset;
  if (number_at(bytes, at, 4) != kLocalHeaderMark) return "it does not lie where the directory says.";
  const std::uint64_t name_size = number_at(bytes, at + 26, 2);
  const std::uint64_t before_data = kLocalHeaderSize + name_size + number_at(bytes, at + 28, 2);
  if (directory - at < before_data || directory - at - before_data < row.compressed_size) {
    return "it lies outside the file.";
  }
  const bool agrees = number_at(bytes, at + 8, 2) == row.method &&
                      (number_at(bytes, at + 6, 2) & kEncryptedFlags) == 0 &&
                      bytes.substr(at + kLocalHeaderSize, name_size) == row.raw_name;
  if (!agrees) return "its own header contradicts the directory.";
  entry.data_offset = at + before_data;
  return {};
}

/// Refuses all entries that share bytes: quoting one another, a few of them unpack to more than fits
/// anywhere.
void refuse_overlaps(std::vector<Extent>& extents, std::vector<ZipEntry>& entries) {
  std::ranges::sort(extents, {}, [](const Extent& extent) { return std::pair(extent.begin, extent.entry); });
  std::size_t furthest = 0;
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[furthest].end) {
      for (const std::size_t entry : {extents[i].entry, extents[furthest].entry}) {
        entries[entry].refusal = refuse(entries[entry].name, "it shares its bytes with another entry.");
      }
    }
    if (extents[i].end > extents[furthest].end) furthest = i;
  }
}

Result<void> check_total(const std::vector<ZipEntry>& entries, std::uint64_t total_bytes_end) {
  std::uint64_t total = 0;
  for (const ZipEntry& entry : entries) {
    if (entry.refusal) continue;
    total += entry.size;  // each is below bytes_max, and there are few: no overflow
    if (total >= total_bytes_end) {
      return bad_archive("Its entries unpack to " + std::to_string(total_bytes_end) +
                         " bytes or more together.");
    }
  }
  return {};
}

/// Copies a stored entry.
Result<Inflated> copy_into(std::string_view data, const Sink& sink) {
  constexpr std::size_t kPiece = 64 * 1024;
  if (is_archive(data))
    return bad_archive("There is an archive inside the archive; only one level is opened.");
  std::uint32_t crc = 0;
  for (std::size_t at = 0; at < data.size(); at += kPiece) {
    const std::string_view piece = data.substr(at, kPiece);
    crc = static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size())));
    EKIDEN_CHECK(sink(piece));
  }
  return Inflated{data.size(), data.size(), crc};
}

}  // namespace

Result<ZipReader> ZipReader::open(std::string_view bytes, const ZipLimits& limits) {
  EKIDEN_TRY(const Directory directory, read_directory(bytes, limits.entries_max));
  ZipReader reader(bytes, limits);
  std::vector<Extent> extents;
  for (const Row& row : directory.rows) {
    if (is_ignored(row.raw_name)) continue;
    ZipEntry entry;
    entry.name = printable_name(row.raw_name);
    entry.size = row.size;
    entry.compressed_size = row.compressed_size;
    entry.crc = row.crc;
    entry.is_deflated = row.method == kDeflated;
    std::string_view fault = fault_of(row, limits.entry);
    if (fault.empty()) fault = locate(bytes, directory.offset, row, entry);
    if (fault.empty()) {
      extents.push_back(
          {row.header_offset, entry.data_offset + entry.compressed_size, reader.entries_.size()});
    } else {
      entry.refusal = refuse(entry.name, fault);
    }
    reader.entries_.push_back(std::move(entry));
  }
  refuse_overlaps(extents, reader.entries_);
  EKIDEN_CHECK(check_total(reader.entries_, limits.total_bytes_end));
  return reader;
}

Result<void> ZipReader::read(const ZipEntry& entry, const Sink& sink) const {
  if (entry.refusal) return *entry.refusal;
  const std::string_view data = bytes_.substr(entry.data_offset, entry.compressed_size);
  InflateLimits limits = limits_.entry;
  limits.bytes_max = entry.size;
  bool sink_failed = false;
  const Sink guarded = [&](std::string_view piece) -> Result<void> {
    Result<void> taken = sink(piece);
    sink_failed = !taken;
    return taken;
  };
  const Result<Inflated> done =
      entry.is_deflated ? inflate_into(data, Wrapping::raw_deflate, limits, Inflated{0, 0, 0}, guarded)
                        : copy_into(data, guarded);
  if (!done && (sink_failed || done.error().slug() != "bad-archive")) return done.error();
  if (!done) return refuse(entry.name, done.error().text());
  if (done->bytes_out != entry.size || done->bytes_in != entry.compressed_size) {
    return refuse(entry.name, "its size is not what the directory says.");
  }
  if (done->crc != entry.crc) return refuse(entry.name, "its checksum is wrong.");
  return {};
}

Result<std::string> ZipReader::read(const ZipEntry& entry) const {
  std::string out;
  const Sink append = [&out](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  };
  EKIDEN_CHECK(read(entry, append));
  return out;
}

}  // namespace ekiden::activity
