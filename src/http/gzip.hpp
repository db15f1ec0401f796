#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ekiden::http {

/// Inflates one gzip stream as it arrives and stops at a cap, so that a bomb costs what the cap costs.
class Inflater {
 public:
  explicit Inflater(std::int64_t bytes_max);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends what `input` inflates to.
  /// @errors too_large  `decompressed-too-large`: more than the cap came out in all.
  ///         malformed  `bad-gzip`: not gzip, damaged, or bytes behind its end.
  Result<void> feed(std::string_view input, std::string& out);
  /// True once the stream has ended with its checksum.
  bool finished() const { return finished_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::int64_t left_;
  bool finished_ = false;
};

/// Compresses whole bodies; keeps its memory between them. Not for two threads at once.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  /// `body` as one gzip stream, at the fastest level.
  std::string gzip(std::string_view body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// True for what shrinks: JSON, text, XML, SVG, JavaScript.
bool is_compressible(std::string_view content_type);
/// True where an Accept-Encoding value takes gzip (`gzip`, `*`, not with `q=0`).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace ekiden::http
