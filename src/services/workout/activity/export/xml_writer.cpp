#include "services/workout/activity/export/xml_writer.hpp"

#include <array>
#include <charconv>

#include "base/utf8.hpp"

namespace ekiden::activity {
namespace {

template <class T>
void append_shortest(std::string& out, T value) {
  std::array<char, 400> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  if (error == std::errc{}) out.append(buffer.data(), end);
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(character.size());
    const auto first = static_cast<unsigned char>(character[0]);
    const bool is_control = first < 0x20 && first != '\t' && first != '\n' && first != '\r';
    // U+FFFE and U+FFFF are no characters of XML either.
    const bool is_no_character = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
    if (length == 0 || is_control || is_no_character) continue;
    switch (first) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += character;
    }
  }
}

void append_number(std::string& out, double value) {
  append_shortest(out, value);
}
void append_number(std::string& out, float value) {
  append_shortest(out, value);
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append("<").append(name).append(">");
  append_escaped(out, text);
  out.append("</").append(name).append(">\n");
}

}  // namespace ekiden::activity
