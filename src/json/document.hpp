#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace boost::json {
class value;
}

namespace ekiden::json {

/// Bounds of what is parsed. A body has met its route's cap before; these hold for every other source too.
struct ParseLimits {
  std::size_t depth_max = 32;
  std::size_t bytes_max = std::size_t{16} << 20U;
};

/// A value inside a Document; valid as long as the Document. Accessors of another kind answer nullopt or 0.
/// @threads any, the document does not change
class Node {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };

  explicit Node(const boost::json::value& value) : value_(&value) {}

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  std::optional<bool> boolean() const;
  /// Whole numbers only; `3.0` and `1e3` count as whole up to 2^53.
  std::optional<std::int64_t> integer() const;
  std::optional<std::uint64_t> unsigned_integer() const;
  /// Always finite.
  std::optional<double> number() const;
  std::optional<std::string_view> text() const;
  /// Elements of an array or members of an object.
  std::size_t size() const;
  /// Element of an array or value of a member, in document order. @param index below `size()`.
  Node at(std::size_t index) const;
  /// Name of a member, in document order. @param index below `size()`.
  std::string_view name_at(std::size_t index) const;
  std::optional<Node> find(std::string_view name) const;
  /// Appends the value as JSON, numbers in their shortest form.
  void append_to(std::string& out) const;

 private:
  const boost::json::value* value_;
};

/// A parsed JSON text.
class Document {
 public:
  /// Reads one JSON value, strictly by RFC 8259: no byte order mark, comment, trailing comma or trailing
  /// byte, no invalid UTF-8 or lone surrogate; and no name twice in an object, no number beyond a double's
  /// range.
  /// @errors malformed  slug `bad-json`; the text names the reason and the byte.
  static Result<Document> parse(std::string_view text, const ParseLimits& limits = {});

  explicit Document(std::unique_ptr<boost::json::value> value);
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  Node root() const { return Node{*value_}; }

 private:
  std::unique_ptr<boost::json::value> value_;
};

}  // namespace ekiden::json
