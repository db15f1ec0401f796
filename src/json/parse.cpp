#include "json/parse.hpp"

#include <charconv>
#include <cmath>
#include <unordered_set>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include "base/utf8.hpp"

namespace ekiden::json {

namespace {

namespace bj = boost::json;
using Ec = bj::error_code;

/// Builds the value, and refuses what the grammar allows but we do not. Members stand in the order that
/// boost::json::basic_parser asks for them; a refusal sets `reason`.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = bj::object::max_size();
  static constexpr std::size_t max_array_size = bj::array::max_size();
  static constexpr std::size_t max_key_size = bj::string::max_size();
  static constexpr std::size_t max_string_size = bj::string::max_size();

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) {
    if (depth_ == names_.size()) names_.emplace_back();
    names_[depth_++].clear();
    return true;
  }
  bool on_object_end(std::size_t size, Ec&) {
    --depth_;
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(Ec&) { return true; }
  bool on_array_end(std::size_t size, Ec&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(bj::string_view part, std::size_t, Ec&) {
    name_ += std::string_view(part);
    stack_.push_chars(part);
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, Ec& error) {
    name_ += std::string_view(part);
    stack_.push_key(part);
    const bool is_new = names_[depth_ - 1].insert(std::move(name_)).second;
    name_.clear();
    return is_new || refuse("a name stands twice in an object", error);
  }
  bool on_string_part(bj::string_view part, std::size_t, Ec&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, Ec&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(bj::string_view part, Ec&) {
    digits_ += std::string_view(part);
    return true;
  }
  bool on_int64(std::int64_t number, bj::string_view, Ec&) {
    digits_.clear();
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, bj::string_view, Ec&) {
    digits_.clear();
    stack_.push_uint64(number);
    return true;
  }
  // Boost 1.81 rounds some doubles wrongly by one unit in the last place, so the digits are read again.
  bool on_double(double fallback, bj::string_view part, Ec& error) {
    digits_ += std::string_view(part);
    double number = fallback;
    const auto end = digits_.data() + digits_.size();
    const auto read = std::from_chars(digits_.data(), end, number);
    const bool too_small = read.ec == std::errc::result_out_of_range && std::abs(fallback) < 1.0;
    digits_.clear();
    if (too_small) number = 0.0;
    if (!too_small && (read.ec != std::errc{} || read.ptr != end || !std::isfinite(number))) {
      return refuse("a number is out of range", error);
    }
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool flag, Ec&) {
    stack_.push_bool(flag);
    return true;
  }
  bool on_null(Ec&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(bj::string_view, Ec&) { return true; }
  bool on_comment(bj::string_view, Ec&) { return true; }

  bj::value release() { return stack_.release(); }
  std::string_view reason() const { return reason_; }
  void begin() { stack_.reset(); }

 private:
  bool refuse(std::string_view reason, Ec& error) {
    reason_ = reason;
    error = bj::error::syntax;
    return false;
  }

  bj::value_stack stack_;
  std::vector<std::unordered_set<std::string>> names_;  ///< of the objects that are open, outermost first
  std::size_t depth_ = 0;
  std::string name_;
  std::string digits_;
  std::string_view reason_;
};

std::string_view reason_of(const Ec& error) {
  switch (static_cast<bj::error>(error.value())) {
    case bj::error::incomplete:
      return "it ends too early";
    case bj::error::extra_data:
      return "something follows the value";
    case bj::error::too_deep:
      return "it is nested too deeply";
    case bj::error::exponent_overflow:
      return "a number is out of range";
    case bj::error::expected_utf16_escape:
    case bj::error::illegal_leading_surrogate:
    case bj::error::illegal_trailing_surrogate:
      return "a \\u escape is half of a surrogate pair";
    default:
      return "the syntax is wrong";
  }
}

Error bad_json(std::string_view reason, std::size_t position) {
  return {Errc::malformed, "bad-json",
          "This is not valid JSON: " + std::string(reason) + ", at byte " + std::to_string(position) + "."};
}

}  // namespace

Result<bj::value> parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{Errc::too_large, "json-too-large",
                 "The JSON text is longer than " + std::to_string(limits.bytes_max) + " bytes."};
  }
  if (const std::size_t bad = first_invalid_utf8(text); bad != text.size())
    return bad_json("invalid UTF-8", bad);
  bj::parse_options options;
  options.max_depth = limits.depth_max;
  bj::basic_parser<StrictHandler> parser(options);
  parser.handler().begin();
  Ec error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = bj::error::extra_data;
  if (error) {
    const std::string_view own = parser.handler().reason();
    return bad_json(own.empty() ? reason_of(error) : own, used);
  }
  return parser.handler().release();
}

}  // namespace ekiden::json
