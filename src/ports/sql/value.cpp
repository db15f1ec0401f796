#include "ports/sql/value.hpp"

#include <stdexcept>
#include <string>
#include <variant>

namespace ekiden::sql {

namespace {

const char* kind_of(const Value& value) {
  switch (value.storage().index()) {
    case 0:
      return "NULL";
    case 1:
      return "BOOLEAN";
    case 2:
      return "BIGINT";
    case 3:
      return "DOUBLE PRECISION";
    case 4:
      return "TEXT";
    default:
      return "BYTEA";
  }
}

[[noreturn]] void refuse(std::size_t column, const Value& value, const char* wanted) {
  throw std::logic_error("column " + std::to_string(column) + " is " + kind_of(value) + ", read as " +
                         wanted);
}

}  // namespace

const Value& Row::at(std::size_t column) const {
  if (column >= values_.size()) {
    throw std::logic_error("column " + std::to_string(column) + " of a row of " +
                           std::to_string(values_.size()));
  }
  return values_[column];
}

bool Row::is_null(std::size_t column) const {
  return at(column).is_null();
}

bool Row::flag(std::size_t column) const {
  const Value& value = at(column);
  if (const auto* flag = std::get_if<bool>(&value.storage())) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value.storage());
      number && (*number == 0 || *number == 1)) {
    return *number == 1;
  }
  refuse(column, value, "BOOLEAN");
}

std::int64_t Row::integer(std::size_t column) const {
  const Value& value = at(column);
  if (const auto* number = std::get_if<std::int64_t>(&value.storage())) return *number;
  refuse(column, value, "BIGINT");
}

double Row::real(std::size_t column) const {
  const Value& value = at(column);
  if (const auto* number = std::get_if<double>(&value.storage())) return *number;
  // `COALESCE(sum(distance), 0)` is an integer in one engine and a double in the other.
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (const auto* number = std::get_if<std::int64_t>(&value.storage());
      number && *number >= -kExact && *number <= kExact) {
    return static_cast<double>(*number);
  }
  refuse(column, value, "DOUBLE PRECISION");
}

const std::string& Row::text(std::size_t column) const {
  const Value& value = at(column);
  if (const auto* text = std::get_if<std::string>(&value.storage())) return *text;
  refuse(column, value, "TEXT");
}

const std::string& Row::bytes(std::size_t column) const {
  const Value& value = at(column);
  if (const auto* blob = std::get_if<Blob>(&value.storage())) return blob->bytes;
  refuse(column, value, "BYTEA");
}

Uuid Row::uuid(std::size_t column) const {
  const auto uuid = Uuid::from_bytes(bytes(column));
  if (!uuid) refuse(column, at(column), "a UUID of 16 bytes");
  return *uuid;
}

Timestamp Row::time(std::size_t column) const {
  return from_micros(integer(column));
}

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<double> Row::maybe_real(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

std::optional<std::string> Row::maybe_text(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<Timestamp> Row::maybe_time(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

std::optional<Uuid> Row::maybe_uuid(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return uuid(column);
}

}  // namespace ekiden::sql
