#include "services/workout/activity/archive/inflate.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <zlib.h>

#include "services/workout/activity/archive/detect.hpp"

namespace ekiden::activity {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

/// zlib's state, released on every way out.
class Stream {
 public:
  explicit Stream(Wrapping wrapping) {
    constexpr int kWindowBits = 15;
    constexpr int kGzip = 16;
    ready_ = inflateInit2(&z_, wrapping == Wrapping::gzip ? kWindowBits + kGzip : -kWindowBits) == Z_OK;
  }
  ~Stream() {
    if (ready_) inflateEnd(&z_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool is_ready() const { return ready_; }
  z_stream& z() { return z_; }

 private:
  z_stream z_{};
  bool ready_ = false;
};

/// Counts what went in and out against the limits, and sees nested archives by their first bytes.
class Meter {
 public:
  Meter(const InflateLimits& limits, const Inflated& before) : limits_(limits), before_(before) {}

  Result<void> take(std::string_view piece, std::uint64_t bytes_in) {
    if (out_ == 0 && before_.bytes_out == 0) {
      if (is_archive(piece))
        return bad_archive("There is an archive inside the archive; only one level is opened.");
    }
    out_ += piece.size();
    const std::uint64_t total_out = before_.bytes_out + out_;
    if (total_out > limits_.bytes_max) {
      return bad_archive("It unpacks to more than " + std::to_string(limits_.bytes_max) + " bytes.");
    }
    if (total_out > limits_.ratio_free_bytes && total_out / limits_.ratio_max > before_.bytes_in + bytes_in) {
      return bad_archive("It unpacks to more than " + std::to_string(limits_.ratio_max) + " times its size.");
    }
    return {};
  }

  std::uint64_t out() const { return out_; }

 private:
  const InflateLimits& limits_;
  const Inflated& before_;
  std::uint64_t out_ = 0;
};

}  // namespace

Error bad_archive(std::string text) {
  return Error{Errc::invalid, "bad-archive", std::move(text), "file"};
}

Result<Inflated> inflate_into(std::string_view bytes, Wrapping wrapping, const InflateLimits& limits,
                              const Inflated& before, const Sink& sink) {
  Stream stream(wrapping);
  if (!stream.is_ready())
    return Error{Errc::busy, "out-of-memory", "There is no room to unpack the file now.", "file"};
  z_stream& z = stream.z();
  std::vector<unsigned char> piece(kPiece);
  Meter meter(limits, before);
  std::uint64_t fed = 0;
  std::uint32_t crc = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (z.avail_in == 0) {
      const std::size_t next =
          std::min<std::size_t>(bytes.size() - fed, std::numeric_limits<uInt>::max() / 2);
      // zlib's interface is not const, but it only reads.
      z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + fed));
      z.avail_in = static_cast<uInt>(next);
      fed += next;
    }
    z.next_out = piece.data();
    z.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&z, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) return bad_archive("It is cut short.");
    if (status != Z_OK && status != Z_STREAM_END) return bad_archive("Its compressed data is damaged.");
    const std::size_t got = piece.size() - z.avail_out;
    if (got == 0) continue;
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), got);
    EKIDEN_CHECK(meter.take(text, fed - z.avail_in));
    crc = static_cast<std::uint32_t>(crc32(crc, piece.data(), static_cast<uInt>(got)));
    EKIDEN_CHECK(sink(text));
  }
  return Inflated{fed - z.avail_in, meter.out(), crc};
}

}  // namespace ekiden::activity
