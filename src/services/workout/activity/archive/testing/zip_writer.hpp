#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace ekiden::activity {

/// Compresses for tests: raw deflate, or gzip.
inline std::string deflate_for_test(std::string_view text, bool as_gzip, int level = 9) {
  z_stream z{};
  deflateInit2(&z, level, Z_DEFLATED, as_gzip ? 31 : -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline std::string gzip_for_test(std::string_view text) {
  return deflate_for_test(text, true);
}

/// One entry for write_zip; what is set here lies in both headers, whether it is true or not.
struct ZipSource {
  std::string name;
  std::string text;
  bool stored = false;
  std::uint16_t flags = 0;
  std::uint16_t method = 0xFFFF;  ///< as `stored` says
  std::uint32_t unix_mode = 0100644;
  std::int64_t size_off = 0;  ///< added to the decompressed size that the headers give
  bool wrong_crc = false;
  int shares_with = -1;         ///< the entry whose bytes this one points to
  std::string local_name = {};  ///< in its own header, where it differs
  bool zip64 = false;
};

/// Writes zip archives, sound and hostile ones.
class ZipWriter {
 public:
  ZipWriter& add(const ZipSource& source) {
    Row row;
    row.name = source.name;
    row.method = source.method != 0xFFFF ? source.method : (source.stored ? 0U : 8U);
    row.flags = source.flags;
    row.mode = source.unix_mode;
    row.zip64 = source.zip64;
    const std::string packed = source.stored ? source.text : deflate_for_test(source.text, false);
    row.crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(source.text.data()), static_cast<uInt>(source.text.size())));
    if (source.wrong_crc) row.crc ^= 1U;
    row.size = static_cast<std::uint64_t>(static_cast<std::int64_t>(source.text.size()) + source.size_off);
    row.packed = packed.size();
    row.offset = out_.size();
    if (source.shares_with >= 0) {
      const Row& other = rows_[static_cast<std::size_t>(source.shares_with)];
      row = other;
      row.name = source.name;
    } else {
      const std::string local = source.local_name.empty() ? source.name : source.local_name;
      put(0x0403'4B50, 4), put(20, 2), put(row.flags, 2), put(row.method, 2), put(0, 4), put(row.crc, 4);
      put(row.packed, 4), put(row.size, 4), put(local.size(), 2), put(0, 2);
      out_ += local;
      out_ += packed;
    }
    rows_.push_back(row);
    return *this;
  }

  std::string file(std::string_view comment = {}) {
    const std::string entries = out_;
    const std::uint64_t begin = out_.size();
    for (const Row& row : rows_) {
      put(0x0201'4B50, 4), put(0x0314, 2), put(20, 2), put(row.flags, 2), put(row.method, 2), put(0, 4);
      put(row.crc, 4), put(row.zip64 ? 0xFFFF'FFFFU : row.packed, 4),
          put(row.zip64 ? 0xFFFF'FFFFU : row.size, 4);
      put(row.name.size(), 2), put(row.zip64 ? 20 : 0, 2), put(0, 2), put(0, 2), put(0, 2);
      put(std::uint64_t{row.mode} << 16U, 4), put(row.offset, 4);
      out_ += row.name;
      if (row.zip64) put(1, 2), put(16, 2), put(row.size, 8), put(row.packed, 8);
    }
    const std::uint64_t size = out_.size() - begin;
    put(0x0605'4B50, 4), put(0, 4), put(rows_.size(), 2), put(rows_.size(), 2), put(size, 4), put(begin, 4);
    put(comment.size(), 2);
    out_ += comment;
    std::string file = out_;
    out_ = entries;
    return file;
  }

 private:
  struct Row {
    std::string name;
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
    std::uint32_t mode = 0;
    std::uint32_t crc = 0;
    std::uint64_t size = 0;
    std::uint64_t packed = 0;
    std::uint64_t offset = 0;
    bool zip64 = false;
  };

  void put(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xFFU);
  }

  std::string out_;
  std::vector<Row> rows_;
};

}  // namespace ekiden::activity
