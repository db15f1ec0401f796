#pragma once

#include <string>
#include <string_view>

namespace ekiden::activity {

/// Appends `text` for use between tags or in quotes: `&`, `<`, `>`, quotes as references, characters that XML
/// does not allow left out. @param text  UTF-8.
void append_escaped(std::string& out, std::string_view text);

/// Appends the shortest decimal that reads back as `value`, without an exponent. @param value  finite.
void append_number(std::string& out, double value);
void append_number(std::string& out, float value);

/// `<name>value</name>`, nothing where the value is NaN.
template <class T>
void append_value(std::string& out, std::string_view name, T value) {
  if (value != value) return;
  out.append("<").append(name).append(">");
  append_number(out, value);
  out.append("</").append(name).append(">");
}

/// `<name>text</name>`, escaped; nothing where it is empty.
void append_text(std::string& out, std::string_view name, std::string_view text);

}  // namespace ekiden::activity
