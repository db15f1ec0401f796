#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ekiden::redis {

/// One answer of the server. @source redis.io, RESP2
struct Reply {
  enum class Type : std::uint8_t { nil, status, error, integer, text, array };
  Type type = Type::nil;
  std::int64_t integer = 0;
  std::string text;  ///< of a status, an error or a text: any bytes
  std::vector<Reply> items;

  bool is_nil() const { return type == Type::nil; }
  friend bool operator==(const Reply&, const Reply&) = default;
};

/// What a server may send before it is taken for something else.
struct ReplyLimits {
  std::size_t text_bytes_max = std::size_t{64} << 20;  ///< of one text
  std::size_t line_bytes_max = std::size_t{64} << 10;  ///< of a status, an error or a length
  std::size_t items_max = std::size_t{1} << 20;        ///< of one reply, nested ones included
  std::size_t bytes_max = std::size_t{256} << 20;      ///< of one reply
  std::size_t depth_max = 8;
};

/// Makes replies of the bytes that come, cut anywhere. Reserves nothing for a length that is only announced.
/// @threads one at a time
class Parser {
 public:
  explicit Parser(ReplyLimits limits = {}) : limits_(limits) {}

  /// Takes the next bytes and appends the replies that are whole now.
  /// @errors malformed: this is not RESP2, or beyond the limits; every later call answers the same.
  Result<void> feed(std::string_view bytes, std::vector<Reply>& out);

  std::size_t buffered() const { return buffer_.size() - at_; }

 private:
  struct Open {
    Reply array;
    std::size_t missing = 0;
  };
  enum class Step : std::uint8_t { done, more, bad };

  Step parse_one(std::vector<Reply>& out);
  Step parse_header(std::vector<Reply>& out);
  Step parse_text(std::vector<Reply>& out);
  Step open_array(std::int64_t length, std::vector<Reply>& out);
  Step finish(Reply reply, std::vector<Reply>& out);

  const ReplyLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;       ///< the first byte that is not parsed
  std::size_t scanned_ = 0;  ///< no end of line before this
  std::size_t items_ = 0;    ///< of the reply in work
  std::size_t bytes_ = 0;    ///< of the reply in work
  bool in_text_ = false;     ///< the header of a text is read, its bytes are not
  std::size_t text_size_ = 0;
  bool broken_ = false;
  std::vector<Open> open_;
};

}  // namespace ekiden::redis
