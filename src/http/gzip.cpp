#include "http/gzip.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <zlib.h>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // zlib: 16 more means a gzip frame

Error bad_gzip(const char* why) {
  return Error{Errc::malformed, "bad-gzip", why};
}

}  // namespace

struct Inflater::State {
  z_stream stream{};
  std::array<char, 16 * 1024> buffer;
};

Inflater::Inflater(std::int64_t bytes_max) : state_(std::make_unique<State>()), left_(bytes_max) {
  if (inflateInit2(&state_->stream, kGzipWindowBits) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
}

Result<void> Inflater::feed(std::string_view input, std::string& out) {
  z_stream& stream = state_->stream;
  // zlib does not write to its input; its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  // A full output buffer may hide more output even when all input is taken.
  for (bool more = !input.empty(); more; more = stream.avail_in > 0 || stream.avail_out == 0) {
    if (finished_) {
      if (stream.avail_in == 0) break;
      return bad_gzip("There are bytes behind the end of the gzip stream.");
    }
    stream.next_out = reinterpret_cast<Bytef*>(state_->buffer.data());
    stream.avail_out = static_cast<uInt>(state_->buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      return bad_gzip("The body is no intact gzip stream.");
    const std::size_t made = state_->buffer.size() - stream.avail_out;
    left_ -= static_cast<std::int64_t>(made);
    if (left_ < 0)
      return Error{Errc::too_large, "decompressed-too-large",
                   "The body is too large once it is decompressed."};
    out.append(state_->buffer.data(), made);
    finished_ = status == Z_STREAM_END;
  }
  return {};
}

struct Deflater::State {
  z_stream stream{};
};

Deflater::Deflater() : state_(std::make_unique<State>()) {
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&state_->stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

Deflater::~Deflater() {
  deflateEnd(&state_->stream);
}

std::string Deflater::gzip(std::string_view body) {
  z_stream& stream = state_->stream;
  deflateReset(&stream);
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::logic_error("deflateBound() was too small");
  out.resize(out.size() - stream.avail_out);
  return out;
}

bool is_compressible(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return starts_with_no_case(type, "text/") || type.ends_with("json") || type.ends_with("xml") ||
         type.ends_with("javascript");
}

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    std::string_view item = next_item(accept_encoding);
    const std::string_view coding = next_item(item, ';');
    if (!equal_no_case(coding, "gzip") && coding != "*") continue;
    // q=0, q=0.0, q=0.000 all mean: not this one.
    const std::string_view quality = trim(item);
    if (!starts_with_no_case(quality, "q=")) return true;
    return quality.substr(2).find_first_not_of("0.") != std::string_view::npos;
  }
  return false;
}

}  // namespace ekiden::http
