#include "http/target.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

constexpr std::size_t kQueryParametersMax = 64;

Error bad_path(const char* why) {
  return Error{Errc::malformed, "bad-path", why};
}
Error bad_query(const char* why) {
  return Error{Errc::malformed, "bad-query", why};
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_raw_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

Result<std::string> decode_segment(std::string_view raw) {
  if (!std::ranges::all_of(raw, is_raw_char))
    return bad_path("The path holds a character that must be escaped.");
  std::optional<std::string> segment = percent_decode(raw, false);
  if (!segment) return bad_path("The path holds a `%` that two hex digits do not follow.");
  if (*segment == "." || *segment == "..") return bad_path("The path holds a dot segment.");
  const auto is_bad = [](char c) { return is_control(c) || c == '/' || c == '\\'; };
  if (std::ranges::any_of(*segment, is_bad))
    return bad_path("The path holds an escaped slash or control character.");
  if (!is_utf8(*segment)) return bad_path("The path is not UTF-8.");
  return *std::move(segment);
}

Result<std::string> decode_path(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return bad_path("The path does not begin with a slash.");
  std::string path;
  path.reserve(raw.size());
  while (!raw.empty()) {
    raw.remove_prefix(1);
    const std::size_t end = raw.find('/');
    const std::string_view segment = raw.substr(0, end);
    // Only the last segment may be empty: a slash at the end names another path, it is not cut off.
    if (segment.empty() && end != std::string_view::npos) return bad_path("The path holds an empty segment.");
    EKIDEN_TRY(const std::string decoded, decode_segment(segment));
    path += '/';
    path += decoded;
    raw = end == std::string_view::npos ? std::string_view{} : raw.substr(end);
  }
  return path;
}

Result<std::string> decode_query_text(std::string_view raw) {
  std::optional<std::string> text = percent_decode(raw, true);
  if (!text) return bad_query("The query holds a `%` that two hex digits do not follow.");
  if (std::ranges::any_of(*text, is_control) || !is_utf8(*text))
    return bad_query("The query holds a control character or is not UTF-8.");
  return *std::move(text);
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  char before = 'x';
  for (const char c : path) {
    // A dot right after a slash may begin a dot segment: leave it to the full check.
    if (before == '/' && (c == '/' || c == '.')) return false;
    if (c != '/' && !is_unreserved(c) && c != ':' && c != '@') return false;
    before = c;
  }
  return true;
}

bool is_plain_query(std::string_view query) {
  std::size_t parameters = 1;
  for (const char c : query) {
    if (c == '&') ++parameters;
    if (!is_unreserved(c) && std::string_view("&=+:@,/").find(c) == std::string_view::npos) return false;
  }
  return parameters <= kQueryParametersMax;
}

Result<Target> parse_target(std::string_view target) {
  const std::size_t mark = target.find('?');
  EKIDEN_TRY(std::string path, decode_path(target.substr(0, mark)));
  Target result{std::move(path), {}};
  std::string_view rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (pair.empty()) continue;
    if (result.query.size() == kQueryParametersMax)
      return bad_query("The query holds more than 64 parameters.");
    const std::size_t equals = pair.find('=');
    EKIDEN_TRY(std::string name, decode_query_text(pair.substr(0, equals)));
    const std::string_view raw =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    EKIDEN_TRY(std::string value, decode_query_text(raw));
    result.query.emplace_back(std::move(name), std::move(value));
  }
  return result;
}

}  // namespace ekiden::http
