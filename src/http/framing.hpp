#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.hpp"

/// Where a request begins and ends, decided by our own strict reading of RFC 9112 before anything else looks
/// at the bytes: two parsers that differ about a message's length are how requests are smuggled.
namespace ekiden::http {

struct FramingLimits {
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t field_bytes_max = 8 * 1024;  ///< of one header line
  std::size_t fields_max = 64;
  std::size_t head_bytes_max = 32 * 1024;  ///< of request line and headers together
  /// Own authorities (`host` or `host:port`, lower case). Empty: any Host will do.
  std::vector<std::string> public_hosts{};
};

struct FieldView {
  std::string_view name;
  std::string_view value;  ///< trimmed
};

/// A request's head as views into the bytes it was read from.
struct HeadView {
  Verb verb = Verb::get;
  int version_minor = 1;
  std::string_view target;  ///< origin form (`/path?query`), or `*` with OPTIONS
  std::string_view host;
  std::optional<std::int64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool wants_upgrade = false;  ///< `Connection: upgrade` with an Upgrade field

  static constexpr std::size_t kFieldsMax = 80;  ///< a gateway adds some to what a client may send
  std::array<FieldView, kFieldsMax> field_array;
  std::size_t field_count = 0;

  std::span<const FieldView> fields() const { return {field_array.data(), field_count}; }
  /// The first field of this name (compared without case), or an empty view without data.
  std::string_view get(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  std::string_view path() const { return target.substr(0, target.find('?')); }
  std::string_view raw_query() const {
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  }
};

/// Why a connection is told no. It is closed after the answer: where the next request begins is not known.
struct Refusal {
  int status;
  std::string_view slug;
  std::string_view detail;
  std::string_view allow{};  ///< for 405
};

constexpr std::string_view kAllVerbs = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Length of the head at the start of `bytes` including its empty line, 0 where it has not arrived whole.
/// @param searched in and out: how far an earlier call has looked; 0 at first.
/// A bare LF is refused at once, as is a head that has outgrown its limit: nobody waits for the rest.
std::pair<std::size_t, std::optional<Refusal>> find_head(std::string_view bytes, const FramingLimits& limits,
                                                         std::size_t& searched);

/// Reads a whole head (as find_head() measured it) into `head`.
/// Refused are: bad-framing (400; 501 for codings other than chunked), bad-host (400), misdirected (421),
/// bad-header and bad-request-line (400), headers-too-large (431), uri-too-long (414), method-not-allowed
/// (405), version-not-supported (505), expectation-failed (417). @threads any; pure
std::optional<Refusal> parse_head(std::string_view bytes, const FramingLimits& limits, HeadView& head);

/// Reads one header line, without its line end. Refused: bad-header, headers-too-large.
std::optional<Refusal> parse_field(std::string_view line, const FramingLimits& limits, FieldView& field);

/// True for a registered name, IPv4 or bracketed IPv6 address with an optional port.
bool is_valid_authority(std::string_view text);

}  // namespace ekiden::http
