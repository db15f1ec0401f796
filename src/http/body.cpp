#include "http/body.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using Text = boost::beast::string_view;

constexpr std::size_t kChunkExtensionMax = 256;
constexpr std::size_t kChunkLineMax = 1024;
constexpr std::size_t kTrailersMax = 8 * 1024;

Error too_large() {
  return Error{Errc::too_large, "body-too-large", "The body is larger than this call takes."};
}
Error bad_encoding() {
  return Error{Errc::unsupported, "unsupported-encoding",
               "The only Content-Encoding taken is one layer of gzip."};
}
Error bad_media_type(const char* why) {
  return Error{Errc::unsupported, "unsupported-media-type", why};
}

/// Beast's parser, keeping nothing but where the body's bytes go.
class ChunkParser final : public beast::basic_parser<true> {
 public:
  ChunkParser() {
    body_limit(boost::none);  // counted by BodyReader, after the chunks are taken apart
    header_limit(64 * 1024);
    eager(true);
  }
  std::string* sink = nullptr;
  bool extension_too_long = false;
  std::size_t trailer_bytes = 0;

 private:
  void on_request_impl(beast::verb, Text, Text, int, error_code& ec) override { ec = {}; }
  void on_response_impl(int, Text, int, error_code& ec) override { ec = {}; }
  void on_field_impl(beast::field, Text name, Text value, error_code& ec) override {
    ec = {};
    // Trailers come by here too; they are dropped, but not without limit.
    trailer_bytes += name.size() + value.size();
    if (is_header_done() && trailer_bytes > kTrailersMax) ec = beast::error::header_limit;
  }
  void on_header_impl(error_code& ec) override {
    ec = {};
    trailer_bytes = 0;
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& ec) override { ec = {}; }
  std::size_t on_body_impl(Text body, error_code& ec) override {
    ec = {};
    sink->append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text extensions, error_code& ec) override {
    ec = {};
    if (extensions.size() <= kChunkExtensionMax) return;
    extension_too_long = true;
    ec = beast::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, error_code& ec) override {
    return on_body_impl(body, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }
};

Result<void> check_media_type(const HeadView& head, BodyKind kind) {
  if (head.count("content-type") != 1) return bad_media_type("Send exactly one Content-Type.");
  const std::string_view value = head.get("content-type");
  const std::size_t end = value.find(';');
  const std::string_view type = trim(value.substr(0, end));
  if (kind == BodyKind::multipart) {
    if (!equal_no_case(type, "multipart/form-data")) return bad_media_type("Send multipart/form-data.");
    return {};
  }
  std::string_view parameter =
      end == std::string_view::npos ? std::string_view{} : trim(value.substr(end + 1));
  const bool is_utf8 = parameter.empty() || equal_no_case(parameter, "charset=utf-8") ||
                       equal_no_case(parameter, "charset=\"utf-8\"");
  if (!equal_no_case(type, "application/json") || !is_utf8)
    return bad_media_type("Send application/json in UTF-8.");
  return {};
}

bool is_gzip(std::string_view coding) {
  return equal_no_case(coding, "gzip") || equal_no_case(coding, "x-gzip");
}

}  // namespace

Result<void> check_body_headers(const HeadView& head, const BodyPolicy& policy) {
  if (policy.kind == BodyKind::none) {
    if (head.has_body()) return Error{Errc::too_large, "body-too-large", "This call takes no body."};
    return {};
  }
  EKIDEN_CHECK(check_media_type(head, policy.kind));
  const std::string_view coding = head.get("content-encoding");
  const bool is_known = coding.empty() || equal_no_case(coding, "identity") || is_gzip(coding);
  if (head.count("content-encoding") > 1 || !is_known) return bad_encoding();
  if (head.content_length.value_or(0) > policy.bytes_max) return too_large();
  return {};
}

struct BodyReader::State {
  std::optional<ChunkParser> chunks;
  std::int64_t length_left = 0;  ///< of a body with Content-Length
  std::int64_t bytes_left = 0;   ///< of the cap
  std::optional<Inflater> inflater;
  std::string raw;          ///< de-chunked, not inflated
  std::string first_bytes;  ///< of the inflated body: a second layer shows here

  Result<std::size_t> unchunk(std::string_view input);
  Result<void> inflate(std::string& out);
};

BodyReader::BodyReader(const HeadView& head, std::int64_t bytes_max, bool inflates)
    : state_(std::make_unique<State>()) {
  state_->bytes_left = bytes_max;
  if (inflates && is_gzip(head.get("content-encoding"))) state_->inflater.emplace(bytes_max);
  state_->length_left = head.content_length.value_or(0);
  if (!head.chunked) return;
  // Beast wants a head before a body. The real one has been read already, more strictly than Beast would.
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  state_->chunks.emplace();
  error_code failed;
  state_->chunks->put(boost::asio::buffer(kHead.data(), kHead.size()), failed);
}

BodyReader::~BodyReader() = default;
BodyReader::BodyReader(BodyReader&&) noexcept = default;
BodyReader& BodyReader::operator=(BodyReader&&) noexcept = default;

bool BodyReader::done() const {
  return state_->chunks ? state_->chunks->is_done() : state_->length_left == 0;
}

bool BodyReader::is_plain() const {
  return !state_->chunks && !state_->inflater;
}

std::size_t BodyReader::left() const {
  return static_cast<std::size_t>(state_->length_left);
}

std::string_view BodyReader::take_plain(std::string_view input) {
  // The stated length was held against the cap before the first byte was read.
  const auto size = static_cast<std::size_t>(
      std::min<std::int64_t>(static_cast<std::int64_t>(input.size()), state_->length_left));
  state_->length_left -= static_cast<std::int64_t>(size);
  return input.substr(0, size);
}

Result<std::size_t> BodyReader::State::unchunk(std::string_view input) {
  chunks->sink = &raw;
  std::size_t taken = 0;
  while (!chunks->is_done() && taken < input.size()) {
    error_code failed;
    const std::string_view rest = input.substr(taken);
    taken += chunks->put(boost::asio::buffer(rest.data(), rest.size()), failed);
    if (failed == beast::error::need_more) {
      // Either part of a chunk's line or of the trailers: neither may grow without limit.
      if (input.size() - taken > kChunkLineMax + kTrailersMax) chunks->extension_too_long = true;
      if (chunks->extension_too_long) break;
      return taken;
    }
    if (failed && !chunks->extension_too_long)
      return Error{Errc::malformed, "bad-framing", "The body's chunks cannot be read."};
    if (failed) break;
  }
  if (chunks->extension_too_long)
    return Error{Errc::malformed, "bad-header", "A chunk's extension is longer than 256 bytes."};
  return taken;
}

Result<void> BodyReader::State::inflate(std::string& out) {
  const std::size_t before = out.size();
  EKIDEN_CHECK(inflater->feed(raw, out));
  constexpr std::string_view kMagic = "\x1f\x8b";
  if (first_bytes.size() < kMagic.size()) {
    first_bytes += std::string_view(out).substr(before, kMagic.size() - first_bytes.size());
    if (first_bytes == kMagic) return bad_encoding();
  }
  return {};
}

Result<std::size_t> BodyReader::feed(std::string_view input, std::string& out) {
  State& state = *state_;
  if (is_plain()) {
    const std::string_view plain = take_plain(input);
    out += plain;
    return plain.size();
  }
  state.raw.clear();
  std::size_t taken = 0;
  if (state.chunks) {
    EKIDEN_TRY(taken, state.unchunk(input));
  } else {
    const std::string_view packed = take_plain(input);
    state.raw.assign(packed);
    taken = packed.size();
  }
  state.bytes_left -= static_cast<std::int64_t>(state.raw.size());
  if (state.bytes_left < 0) return too_large();
  if (!state.inflater) {
    out += state.raw;
    return taken;
  }
  EKIDEN_CHECK(state.inflate(out));
  if (done() && !state.inflater->finished())
    return Error{Errc::malformed, "bad-gzip", "The gzip stream ends early."};
  return taken;
}

}  // namespace ekiden::http
