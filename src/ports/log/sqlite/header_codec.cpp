#include "ports/log/sqlite/header_codec.hpp"

#include <cstdint>
#include <optional>

namespace ekiden::log::sqlite {
namespace {

void put(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() & 0xff);
  out += static_cast<char>(text.size() >> 8 & 0xff);
  out += text;
}

std::optional<std::string> take(std::string_view& rest) {
  if (rest.size() < 2) return std::nullopt;
  const std::size_t low = static_cast<std::uint8_t>(rest[0]);
  const std::size_t high = static_cast<std::uint8_t>(rest[1]);
  const std::size_t size = low | high << 8;
  if (rest.size() - 2 < size) return std::nullopt;
  std::string text(rest.substr(2, size));
  rest.remove_prefix(2 + size);
  return text;
}

}  // namespace

std::string encode_headers(const Headers& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    put(out, name);
    put(out, value);
  }
  return out;
}

Result<Headers> decode_headers(std::string_view bytes) {
  Headers headers;
  while (!bytes.empty()) {
    auto name = take(bytes);
    auto value = name ? take(bytes) : std::nullopt;
    if (!value) return Error{Errc::internal, "log-damaged", "a record's headers are damaged"};
    headers.emplace_back(*std::move(name), *std::move(value));
  }
  return headers;
}

}  // namespace ekiden::log::sqlite
