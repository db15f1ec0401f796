#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// multipart/form-data as a state machine without I/O: bytes in, events out. @source RFC 7578, RFC 2046 5.1
namespace ekiden::http {

struct MultipartLimits {
  std::size_t parts_max = 64;
  std::size_t files_max = 16;
  std::size_t field_bytes_max = 64 * 1024;    ///< of one text field
  std::size_t fields_bytes_max = 256 * 1024;  ///< of all text fields together
  std::int64_t file_bytes_max = INT64_MAX;    ///< of one file
  std::size_t part_head_bytes_max = 16 * 1024;
  std::size_t part_headers_max = 16;
};

struct PartHead {
  std::string name;                      ///< 1 to 100 bytes of UTF-8 without control characters
  std::optional<std::string> file_name;  ///< as sanitize_file_name() leaves it; nullopt for a text field
  std::string content_type;              ///< as the client says; empty where it does not
};

/// Takes what the parser finds. An error stops the parser for good.
class MultipartSink {
 public:
  virtual ~MultipartSink() = default;
  virtual Result<void> on_begin(PartHead head) = 0;
  virtual Result<void> on_data(std::string_view data) = 0;
  virtual Result<void> on_end() = 0;
};

class MultipartParser {
 public:
  /// @errors unsupported  `unsupported-media-type`: not multipart/form-data with a boundary of 1 to 70
  /// characters.
  static Result<MultipartParser> make(std::string_view content_type, MultipartLimits limits = {});

  /// Takes the next bytes; they may be cut anywhere.
  /// @errors malformed  `bad-multipart`.
  ///         too_large  `form-too-large`: a limit; the field names the part. After an error nothing may be
  ///         fed.
  Result<void> feed(std::string_view input, MultipartSink& sink);
  /// Call when the body has ended. @errors malformed  the last boundary has not come.
  Result<void> finish() const;

 private:
  enum class State : std::uint8_t { boundary, part_head, body, epilogue };
  explicit MultipartParser(const std::string& boundary, MultipartLimits limits);
  /// Each takes what it can off `rest` and says whether to go on; false asks for more bytes.
  Result<bool> step(std::string_view& rest, MultipartSink& sink);
  Result<bool> take_boundary_end(std::string_view& rest);
  Result<bool> take_part_head(std::string_view& rest, MultipartSink& sink);
  Result<bool> take_body(std::string_view& rest, MultipartSink& sink);
  Result<void> count_body(std::size_t size);
  Result<void> begin_part(PartHead head, MultipartSink& sink);

  std::string delimiter_;  ///< `\r\n--boundary`
  MultipartLimits limits_;
  State state_ = State::body;
  std::string tail_;  ///< bytes that may belong to a delimiter or head that has not arrived whole
  bool started_ = false;
  std::size_t parts_ = 0;
  std::size_t files_ = 0;
  std::size_t fields_bytes_ = 0;
  std::int64_t part_bytes_ = 0;
  std::string part_name_;
  bool part_is_file_ = false;
};

/// What may be shown of a client's file name: the part behind the last slash or backslash, valid UTF-8
/// without control characters, at most 255 bytes; `file` where nothing is left. Never used as a path.
std::string sanitize_file_name(std::string_view name);

}  // namespace ekiden::http
