#include "http/cursor.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "http/digest.hpp"

namespace ekiden::http {
namespace {

constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kPositionBytesMax = 512;
constexpr std::size_t kCursorBytesMax = (kMacBytes + kPositionBytesMax) * 4 / 3 + 4;

/// The list's length goes in front, so that no list's name can run into another's position.
std::string mac_of(std::string_view key, std::string_view list, std::string_view position) {
  std::string data = std::to_string(list.size());
  data += ':';
  data += list;
  data += position;
  return hmac_sha256(key, data).substr(0, kMacBytes);
}

}  // namespace

std::string CursorSealer::seal(std::string_view list, std::string_view position) const {
  if (position.size() > kPositionBytesMax)
    throw std::logic_error("a cursor's position is larger than 512 bytes");
  std::string sealed = mac_of(key_, list, position);
  sealed += position;
  return to_base64url(sealed);
}

Result<std::string> CursorSealer::open(std::string_view list, std::string_view cursor) const {
  const Error bad{Errc::invalid, "bad-cursor",
                  "Take the cursor from next_cursor of the same list, unchanged.", "cursor"};
  if (cursor.size() > kCursorBytesMax) return bad;
  const std::optional<std::string> sealed = from_base64url(cursor);
  if (!sealed || sealed->size() < kMacBytes) return bad;
  const std::string_view mac = std::string_view(*sealed).substr(0, kMacBytes);
  std::string position = sealed->substr(kMacBytes);
  if (!equal_in_constant_time(mac, mac_of(key_, list, position))) return bad;
  return position;
}

Result<void> QueryReader::check() const {
  for (std::size_t i = 0; i < request_.query.size(); ++i) {
    const std::string& name = request_.query[i].first;
    if (std::ranges::find(known_, std::string_view(name)) == known_.end())
      return Error{Errc::invalid, "unknown-parameter", "This list does not know that query parameter.", name};
    for (std::size_t before = 0; before < i; ++before) {
      if (request_.query[before].first == name)
        return Error{Errc::invalid, "repeated-parameter", "This query parameter may be given once only.",
                     name};
    }
  }
  return {};
}

Result<std::int64_t> QueryReader::number(std::string_view name, std::int64_t fallback, std::int64_t least,
                                         std::int64_t most) const {
  const auto value = text(name);
  if (!value) return fallback;
  std::int64_t parsed = 0;
  const char* const first = value->data();
  const char* const last = first + value->size();
  const auto [end, error] = std::from_chars(first, last, parsed);
  if (value->empty() || error != std::errc{} || end != last || parsed < least || parsed > most)
    return Error{Errc::invalid, "bad-parameter",
                 "Give a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".",
                 std::string(name)};
  return parsed;
}

Result<std::optional<std::string>> QueryReader::cursor(const CursorSealer& sealer,
                                                       std::string_view list) const {
  const auto value = text("cursor");
  if (!value) return std::optional<std::string>{};
  EKIDEN_TRY(std::string position, sealer.open(list, *value));
  return std::optional<std::string>{std::move(position)};
}

}  // namespace ekiden::http
