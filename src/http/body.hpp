#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/framing.hpp"
#include "http/gzip.hpp"
#include "http/route.hpp"

namespace ekiden::http {

/// Checks Content-Type, Content-Encoding and the stated length against what a route takes, before a byte is
/// read.
/// @errors unsupported  `unsupported-media-type`, `unsupported-encoding`.
///         too_large    `body-too-large`.
Result<void> check_body_headers(const HeadView& head, const BodyPolicy& policy);

/// Turns the bytes behind a head into the body's bytes: takes chunks apart, inflates, counts. Chunk framing
/// is Beast's; what it lets pass that we do not (long extensions) is refused here. No I/O.
class BodyReader {
 public:
  /// @param head of a request with a body, which check_body_headers() let pass; it is copied where needed.
  /// @param inflates false leaves the body compressed as it comes.
  BodyReader(const HeadView& head, std::int64_t bytes_max, bool inflates = true);
  ~BodyReader();
  BodyReader(BodyReader&&) noexcept;
  BodyReader& operator=(BodyReader&&) noexcept;

  /// Takes bytes off `input`, appends what they mean to `out`, returns how many it took: when done(), the
  /// rest belongs to the next request; else the rest must come again with more behind it.
  /// @errors malformed    `bad-framing`, `bad-header` (chunk extension), `bad-gzip`.
  ///         too_large    `body-too-large`, `decompressed-too-large`.
  ///         unsupported  `unsupported-encoding`: what was inflated is gzip again.
  Result<std::size_t> feed(std::string_view input, std::string& out);
  bool done() const;

  /// True where the body comes as it is: neither chunked nor compressed.
  bool is_plain() const;
  /// How much of a plain body has not been taken.
  std::size_t left() const;
  /// `feed` for a plain body without a copy: the part of `input` that belongs to it.
  std::string_view take_plain(std::string_view input);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::http
