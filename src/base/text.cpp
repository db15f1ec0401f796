#include "base/text.hpp"

#include <algorithm>

#include "base/combining_marks.hpp"
#include "base/utf8.hpp"

namespace ekiden {

namespace {

/// The code point at the beginning of valid UTF-8, and its length in bytes.
std::pair<char32_t, std::size_t> decode_first(std::string_view text) {
  const std::size_t length = utf8_sequence_length(text);
  const auto first = static_cast<unsigned char>(text[0]);
  if (length == 1) return {first, 1};
  char32_t point = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i)
    point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {point, length};
}

bool is_space(char32_t point) {
  return point == ' ' || (point >= 0x09 && point <= 0x0D) || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200B) || point == 0x2028 || point == 0x2029 ||
         point == 0x202F || point == 0x205F || point == 0x3000 || point == 0xFEFF;
}

bool is_newline(char32_t point) {
  return point == '\n' || point == '\r' || point == 0x2028 || point == 0x2029;
}

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

bool turns_direction(char32_t point) {
  return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

bool is_noncharacter(char32_t point) {
  return (point >= 0xFDD0 && point <= 0xFDEF) || (point & 0xFFFEU) == 0xFFFEU;
}

std::string_view trim(std::string_view text) {
  while (!text.empty()) {
    const auto [point, length] = decode_first(text);
    if (!is_space(point)) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while ((static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    if (!is_space(decode_first(text.substr(start)).first)) break;
    text = text.substr(0, start);
  }
  return text;
}

/// What is wrong with the character, or nothing.
std::string_view fault_of(char32_t point, const TextRules& rules) {
  if (is_newline(point)) return rules.newlines ? "" : "a line break";
  if (point == '\t' && rules.newlines) return "";
  if (is_control(point)) return "a control character";
  if (turns_direction(point)) return "a character that turns the direction of text";
  if (is_noncharacter(point)) return "a code point that is no character";
  return "";
}

Error bad_text(std::string_view what, std::string_view field) {
  return {Errc::invalid, "bad-text",
          "`" + std::string(field) + "` holds " + std::string(what) + ": take it out.", std::string(field)};
}

Error bad_length(std::string_view slug, std::string_view wanted, std::size_t chars, std::string_view field) {
  return {Errc::invalid, std::string(slug),
          "`" + std::string(field) + "` must have " + std::string(wanted) + " " + std::to_string(chars) +
              (chars == 1 ? " character." : " characters."),
          std::string(field)};
}

}  // namespace

bool is_combining_mark(char32_t point) {
  const auto* range =
      std::ranges::upper_bound(kCombiningMarks, point, {}, [](const auto& pair) { return pair.first; });
  return range != kCombiningMarks.begin() && point <= std::prev(range)->second;
}

std::size_t count_chars(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

Result<std::string> clean_text(std::string_view text, std::string_view field, const TextRules& rules) {
  if (!is_utf8(text)) return bad_text("bytes that are not UTF-8", field);
  text = trim(text);
  if (count_chars(text) > rules.chars_max) return bad_length("too-long", "at most", rules.chars_max, field);
  std::string clean;
  clean.reserve(text.size());
  std::size_t marks = 0;
  while (!text.empty()) {
    const auto [point, length] = decode_first(text);
    if (const auto fault = fault_of(point, rules); !fault.empty()) return bad_text(fault, field);
    marks = is_combining_mark(point) ? marks + 1 : 0;
    if (marks > rules.marks_in_row_max) return bad_text("too many combining marks in a row", field);
    if (point != '\r') {
      clean.append(text.substr(0, length));
    } else if (!text.starts_with("\r\n")) {
      clean.push_back('\n');
    }
    text.remove_prefix(length);
  }
  if (count_chars(clean) < rules.chars_min)
    return bad_length("too-short", "at least", rules.chars_min, field);
  return clean;
}

}  // namespace ekiden
