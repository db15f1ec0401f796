#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace ekiden::sql {

/// Bytes, as opposed to text.
struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};

/// A parameter or a column's value: NULL, BOOLEAN, BIGINT, DOUBLE PRECISION (not NaN), TEXT (UTF-8 without
/// NUL) or BYTEA. Ids are stored as 16 bytes, times as BIGINT microseconds, so that both engines order them
/// alike.
class Value {
 public:
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, Blob>;

  Value() = default;
  Value(std::nullptr_t) {}              // NOLINT(google-explicit-constructor)
  Value(std::nullopt_t) {}              // NOLINT(google-explicit-constructor)
  Value(bool flag) : storage_(flag) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  Value(T number) : storage_(static_cast<std::int64_t>(number)) {}  // NOLINT(google-explicit-constructor)
  Value(double number) : storage_(number) {}                        // NOLINT(google-explicit-constructor)
  Value(const char* text) : storage_(std::string(text)) {}          // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : storage_(std::string(text)) {}     // NOLINT(google-explicit-constructor)
  Value(std::string text) : storage_(std::move(text)) {}            // NOLINT(google-explicit-constructor)
  Value(Blob blob) : storage_(std::move(blob)) {}                   // NOLINT(google-explicit-constructor)
  Value(const Uuid& uuid)
      : storage_(Blob{std::string(uuid.as_view())}) {}  // NOLINT(google-explicit-constructor)
  template <class Tag>
  Value(const Id<Tag>& id) : Value(id.uuid()) {}    // NOLINT(google-explicit-constructor)
  Value(Timestamp at) : storage_(to_micros(at)) {}  // NOLINT(google-explicit-constructor)
  template <class T>
    requires std::constructible_from<Value, T>
  Value(const std::optional<T>& value) {  // NOLINT(google-explicit-constructor)
    if (value) *this = Value(*value);
  }

  bool is_null() const { return std::holds_alternative<std::monostate>(storage_); }
  const Storage& storage() const { return storage_; }

 private:
  Storage storage_;
};

using Params = std::vector<Value>;

/// One row of an answer. Columns are read by position, in the order of the SELECT. A getter of the wrong
/// type, or a NULL read as a value, is a bug in our own SQL and throws std::logic_error.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

  bool is_null(std::size_t column) const;
  bool flag(std::size_t column) const;  ///< BOOLEAN, also where the engine answers 0 or 1
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;  ///< also where an engine answers a whole number below 2^53
  const std::string& text(std::size_t column) const;
  const std::string& bytes(std::size_t column) const;
  Uuid uuid(std::size_t column) const;
  Timestamp time(std::size_t column) const;
  template <class IdType>
  IdType id(std::size_t column) const {
    return IdType{uuid(column)};
  }
  std::optional<std::int64_t> maybe_integer(std::size_t column) const;
  std::optional<double> maybe_real(std::size_t column) const;
  std::optional<std::string> maybe_text(std::size_t column) const;
  std::optional<Timestamp> maybe_time(std::size_t column) const;
  std::optional<Uuid> maybe_uuid(std::size_t column) const;
  std::size_t size() const { return values_.size(); }

 private:
  const Value& at(std::size_t column) const;
  std::vector<Value> values_;
};

using Rows = std::vector<Row>;

}  // namespace ekiden::sql
