#include "delivery/header_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace ekiden::delivery {
namespace {

void append_length(std::string& out, std::size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((length >> static_cast<unsigned>(shift)) & 0xffU));
}

std::optional<std::size_t> take_length(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = (length << 8U) | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(4);
  return length;
}

}  // namespace

std::string pack_headers(const log::Headers& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    append_length(out, name.size());
    append_length(out, value.size());
    out += name;
    out += value;
  }
  return out;
}

Result<log::Headers> unpack_headers(std::string_view bytes) {
  log::Headers headers;
  while (!bytes.empty()) {
    const auto name = take_length(bytes);
    const auto value = take_length(bytes);
    if (!name || !value || *name > bytes.size() || *value > bytes.size() - *name)
      return Error{Errc::internal, "damaged-headers", "the row's headers cannot be read"};
    headers.emplace_back(bytes.substr(0, *name), bytes.substr(*name, *value));
    bytes.remove_prefix(*name + *value);
  }
  return headers;
}

}  // namespace ekiden::delivery
