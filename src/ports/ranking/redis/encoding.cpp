#include "ports/ranking/redis/encoding.hpp"

#include <charconv>

namespace ekiden::ranking::encoding {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Timestamp time_of(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, kTimeBytes)) value = value << 8 | static_cast<std::uint8_t>(c);
  return from_micros(static_cast<std::int64_t>(value ^ kSign));
}

}  // namespace

std::string time_bytes(Timestamp at) {
  const std::uint64_t value = static_cast<std::uint64_t>(to_micros(at)) ^ kSign;
  std::string bytes(kTimeBytes, '\0');
  for (std::size_t i = 0; i < kTimeBytes; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i) & 0xff);
  return bytes;
}

std::string element(const Standing& standing) {
  return time_bytes(standing.reached_at).append(standing.member.uuid().as_view());
}

std::optional<Standing> standing(std::string_view element, std::string_view negated_score) {
  const auto score = number_of(negated_score);
  if (element.size() != kElementBytes || !score) return std::nullopt;
  return Standing{.member = UserId{*Uuid::from_bytes(element.substr(kTimeBytes))},
                  .score = -*score,
                  .reached_at = time_of(element)};
}

std::optional<Standing> standing_of_hash(UserId member, std::string_view value) {
  if (value.size() <= kTimeBytes) return std::nullopt;
  const auto score = number_of(value.substr(kTimeBytes));
  if (!score) return std::nullopt;
  return Standing{.member = member, .score = *score, .reached_at = time_of(value)};
}

std::string event_bucket(const EventId& event) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t byte = event.uuid().bytes()[i];
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0x0f]);
  }
  return text;
}

}  // namespace ekiden::ranking::encoding
