#include "ports/sql/postgres/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/utf8.hpp"
#include "ports/sql/postgres/dialect.hpp"

namespace ekiden::sql::postgres {

namespace {

constexpr std::size_t kValueMax = 256 * 1024 * 1024;

Error bug(std::string text) {
  return {Errc::internal, "bad-statement", std::move(text)};
}

bool is_ascii_without_nul(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0; });
}

Result<void> check(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.storage()); number && std::isnan(*number))
    return bug("a parameter is not a number");
  const auto* text = std::get_if<std::string>(&value.storage());
  const auto* blob = std::get_if<Blob>(&value.storage());
  if (text && !is_ascii_without_nul(*text) && (text->find('\0') != std::string::npos || !is_utf8(*text)))
    return bug("a text parameter holds a NUL or is not UTF-8");
  if ((text && text->size() > kValueMax) || (blob && blob->bytes.size() > kValueMax))
    return Error{Errc::too_large, "value-too-large", "a value is larger than the database keeps"};
  return {};
}

template <class Number>
std::string digits_of(Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return {digits.data(), end};
}

/// Puts one value at the end.
struct Appender {
  Arguments& out;

  void put(const char* at, std::size_t size, int format) const {
    out.values.push_back(at);
    out.lengths.push_back(static_cast<int>(size));
    out.formats.push_back(format);
  }
  void keep(std::string text) const {
    out.kept.push_back(std::move(text));
    put(out.kept.back().c_str(), out.kept.back().size(), 0);
  }
  void operator()(std::monostate) const { put(nullptr, 0, 0); }
  void operator()(bool flag) const { put(flag ? "t" : "f", 1, 0); }
  // As text, for the server alone knows whether the parameter is a BIGINT or a DOUBLE PRECISION; the
  // shortest digits of a double name exactly that double.
  void operator()(std::int64_t number) const { keep(digits_of(number)); }
  void operator()(double number) const { keep(digits_of(number)); }
  void operator()(const std::string& text) const { put(text.c_str(), text.size(), 0); }
  void operator()(const Blob& blob) const { put(blob.bytes.data(), blob.bytes.size(), 1); }
};

/// A number of `sizeof(Unsigned)` bytes in network order.
template <class Unsigned>
Unsigned big_endian(const char* bytes) {
  Unsigned number = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    number =
        static_cast<Unsigned>(static_cast<Unsigned>(number << 8U) | static_cast<unsigned char>(bytes[i]));
  return number;
}

Value column_value(ColumnType type, const char* bytes, std::size_t size) {
  switch (type) {
    case ColumnType::boolean:
      return *bytes != 0;
    case ColumnType::int2:
      return std::int64_t{static_cast<std::int16_t>(big_endian<std::uint16_t>(bytes))};
    case ColumnType::int4:
      return std::int64_t{static_cast<std::int32_t>(big_endian<std::uint32_t>(bytes))};
    case ColumnType::int8:
      return static_cast<std::int64_t>(big_endian<std::uint64_t>(bytes));
    case ColumnType::float4:
      return double{std::bit_cast<float>(big_endian<std::uint32_t>(bytes))};
    case ColumnType::float8:
      return std::bit_cast<double>(big_endian<std::uint64_t>(bytes));
    case ColumnType::bytea:
      return Blob{std::string(bytes, size)};
    case ColumnType::text:
    case ColumnType::other:
      break;
  }
  return std::string(bytes, size);
}

}  // namespace

Result<Arguments> to_arguments(const Params& params, std::size_t count) {
  if (params.size() < count) return bug("a statement has fewer values than parameters");
  Arguments out;
  out.kept.reserve(count);  // what it holds must not move
  out.values.reserve(count);
  out.lengths.reserve(count);
  out.formats.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    EKIDEN_CHECK(check(params[i]));
    std::visit(Appender{out}, params[i].storage());
  }
  return out;
}

std::size_t size_of(const Arguments& arguments) {
  std::size_t bytes = 64;
  for (const int length : arguments.lengths) bytes += static_cast<std::size_t>(length) + 4;
  return bytes;
}

Result<Rows> to_rows(const PGresult* result) {
  const int columns = PQnfields(result);
  std::vector<ColumnType> types;
  types.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    types.push_back(column_type(PQftype(result, i)));
    if (types.back() == ColumnType::other)
      return bug("column " + std::to_string(i) + " has type " + std::to_string(PQftype(result, i)) +
                 ": cast it in the statement");
  }
  Rows rows;
  rows.reserve(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<Value> values;
    values.reserve(types.size());
    for (int i = 0; i < columns; ++i) {
      if (PQgetisnull(result, row, i) != 0) {
        values.emplace_back();
      } else {
        values.push_back(column_value(types[static_cast<std::size_t>(i)], PQgetvalue(result, row, i),
                                      static_cast<std::size_t>(PQgetlength(result, row, i))));
      }
    }
    rows.emplace_back(std::move(values));
  }
  return rows;
}

std::int64_t changed_rows(PGresult* result) {
  if (!counts_changes(PQcmdStatus(result))) return 0;
  const std::string_view text = PQcmdTuples(result);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace ekiden::sql::postgres
