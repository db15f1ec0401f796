#include "base/id.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace ekiden {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_dash_position(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t nibble = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_dash_position(at)) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[at]);
    if (value < 0) return std::nullopt;
    auto& byte = bytes[nibble / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
    ++nibble;
  }
  return Uuid{bytes};
}

std::optional<Uuid> Uuid::from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> copy{};
  std::memcpy(copy.data(), bytes.data(), copy.size());
  return Uuid{copy};
}

std::string Uuid::to_string() const {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kHex[bytes_[i] >> 4]);
    text.push_back(kHex[bytes_[i] & 0x0f]);
  }
  return text;
}

Uuid Ids::next() {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(clock_.now()).time_since_epoch().count();
  std::array<std::uint8_t, 8> tail{};
  random_.fill(std::as_writable_bytes(std::span{tail}));
  std::uint64_t head = 0;
  {
    const MutexLock lock(mutex_);
    // A full counter borrows from the next millisecond rather than repeat itself.
    head = std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(millis, 0)) << 12, last_ + 1);
    last_ = head;
  }
  std::array<std::uint8_t, 16> bytes{};
  const std::uint64_t time = head >> 12;
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(time >> (40 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | ((head >> 8) & 0x0f));
  bytes[7] = static_cast<std::uint8_t>(head & 0xff);
  std::copy(tail.begin(), tail.end(), bytes.begin() + 8);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return Uuid{bytes};
}

}  // namespace ekiden
