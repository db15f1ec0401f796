#include "ports/log/sqlite/chunk_codec.hpp"

#include <cstddef>
#include <utility>

namespace ekiden::log::sqlite {
namespace {

constexpr std::size_t kShort = 2;  ///< bytes of a key's, the headers', a header's length
constexpr std::size_t kLong = 4;   ///< bytes of a value's length

void put_length(std::string& out, std::size_t length, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(length >> (8 * i) & 0xff);
}

void put(std::string& out, std::string_view text) {
  put_length(out, text.size(), kShort);
  out += text;
}

/// Takes from the front; after one failure everything is empty and `failed` says so.
struct Reader {
  std::string_view rest;
  bool failed = false;

  std::size_t length(std::size_t bytes) {
    std::size_t value = 0;
    const std::string_view digits = take(bytes);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      value |= static_cast<std::size_t>(static_cast<std::uint8_t>(digits[i])) << (8 * i);
    }
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > rest.size()) {
      failed = true;
      rest = {};
      return {};
    }
    const std::string_view text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
  }
};

Headers decode_headers(std::string_view bytes, bool& failed) {
  Headers headers;
  Reader reader{bytes};
  while (!reader.rest.empty()) {
    const std::string_view name = reader.take(reader.length(kShort));
    const std::string_view value = reader.take(reader.length(kShort));
    headers.emplace_back(name, value);
  }
  failed = failed || reader.failed;
  return headers;
}

}  // namespace

void append_to_chunk(std::string& body, const Message& message) {
  std::size_t header_bytes = 0;
  for (const auto& [name, value] : message.headers) header_bytes += 2 * kShort + name.size() + value.size();
  put_length(body, message.key.size(), kShort);
  put_length(body, header_bytes, kShort);
  put_length(body, message.value.size(), kLong);
  body += message.key;
  for (const auto& [name, value] : message.headers) {
    put(body, name);
    put(body, value);
  }
  body += message.value;
}

Result<void> decode_chunk(std::string_view body, const TopicPartition& at, std::int64_t first_offset,
                          Timestamp appended_at, std::int64_t from, std::size_t max,
                          std::vector<Record>& out) {
  Reader reader{body};
  for (std::int64_t offset = first_offset; !reader.rest.empty() && out.size() < max; ++offset) {
    const std::size_t key_size = reader.length(kShort);
    const std::size_t headers_size = reader.length(kShort);
    const std::size_t value_size = reader.length(kLong);
    const std::string_view key = reader.take(key_size);
    const std::string_view headers = reader.take(headers_size);
    const std::string_view value = reader.take(value_size);
    if (reader.failed) break;
    if (offset < from) continue;
    out.push_back({.at = at,
                   .offset = Offset{offset},
                   .appended_at = appended_at,
                   .key = std::string(key),
                   .value = std::string(value),
                   .headers = decode_headers(headers, reader.failed)});
  }
  if (reader.failed) return Error{Errc::internal, "log-damaged", "a chunk of records is damaged"};
  return {};
}

}  // namespace ekiden::log::sqlite
