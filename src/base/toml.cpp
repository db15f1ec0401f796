#include "base/toml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "base/utf8.hpp"

namespace ekiden {

namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void append_utf8(std::string& out, unsigned point) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0U | (point >> 6U));
  } else if (point < 0x10000) {
    put(0xE0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3FU));
  } else {
    put(0xF0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3FU));
    put(0x80U | ((point >> 6U) & 0x3FU));
  }
  put(0x80U | (point & 0x3FU));
}

/// Walks over the text once. A method that fails has reported its fault and returns nullopt or false; the
/// caller then goes on at the next line.
class TomlReader {
 public:
  explicit TomlReader(std::string_view text) : text_(text) {}

  TomlFile read() {
    if (!is_utf8(text_)) {
      fault("the file is not UTF-8");
      return std::move(file_);
    }
    while (at_ < text_.size()) {
      skip_blanks();
      if (!read_line() || !end_line()) skip_line();
    }
    return std::move(file_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char wanted) {
    if (peek() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool fault(std::string_view what) {
    file_.faults.push_back("line " + std::to_string(line_) + ": " + std::string(what));
    return false;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    if (take('\n')) ++line_;
  }
  /// Blanks, a comment and the line's end.
  bool end_line() {
    skip_blanks();
    if (at_ >= text_.size()) return true;
    if (peek() != '#' && peek() != '\n' && text_.substr(at_, 2) != "\r\n")
      return fault("something follows the value");
    skip_line();
    return true;
  }

  bool read_line() {
    if (at_ >= text_.size() || peek() == '#' || peek() == '\n' || peek() == '\r') return true;
    if (take('[')) return read_table();
    const int line = line_;
    auto key = read_key();
    if (!key) return false;
    skip_blanks();
    if (!take('=')) return fault("`=` is missing after " + *key);
    skip_blanks();
    auto value = read_value();
    if (!value) return false;
    *key = table_.empty() ? *key : table_ + "." + *key;
    if (!seen_.insert(*key).second) return fault(*key + " stands twice");
    file_.entries.push_back({std::move(*key), std::move(*value), line});
    return true;
  }

  bool read_table() {
    if (peek() == '[') return fault("arrays of tables are not used here");
    auto key = read_key();
    if (!key) return false;
    skip_blanks();
    if (!take(']')) return fault("`]` is missing");
    table_ = std::move(*key);
    if (!seen_.insert("[" + table_).second) return fault("the table " + table_ + " stands twice");
    return true;
  }

  std::optional<std::string> read_key() {
    std::string key;
    do {
      skip_blanks();
      if (!key.empty()) key.push_back('.');
      const std::size_t start = at_;
      while (is_bare(peek())) ++at_;
      if (at_ == start) {
        fault("a key of letters, digits, `_` or `-` is expected");
        return std::nullopt;
      }
      key += text_.substr(start, at_ - start);
      skip_blanks();
    } while (take('.'));
    return key;
  }

  std::optional<TomlValue> read_value() {
    if (peek() == '"' || peek() == '\'') return as_value(read_string());
    if (take('[')) return as_value(read_array());
    const std::size_t start = at_;
    while (is_bare(peek()) || peek() == '+' || peek() == '.') ++at_;
    return read_scalar(std::string(text_.substr(start, at_ - start)));
  }

  template <class T>
  static std::optional<TomlValue> as_value(std::optional<T> value) {
    if (!value) return std::nullopt;
    return TomlValue{std::move(*value)};
  }

  std::optional<TomlValue> read_scalar(std::string word) {
    if (word == "true") return TomlValue{true};
    if (word == "false") return TomlValue{false};
    for (std::size_t i = word.find('_'); i != std::string::npos; i = word.find('_', i + 1)) {
      const auto digit = [&](std::size_t at) {
        return at < word.size() && word[at] >= '0' && word[at] <= '9';
      };
      if (i == 0 || !digit(i - 1) || !digit(i + 1)) word = "_";
    }
    std::erase(word, '_');
    const char* first = word.data() + (word.starts_with('+') ? 1 : 0);
    const char* last = word.data() + word.size();
    std::int64_t number = 0;
    if (const auto read = std::from_chars(first, last, number); read.ec == std::errc{} && read.ptr == last) {
      return TomlValue{number};
    }
    double real = 0;
    const auto read = std::from_chars(first, last, real);
    if (read.ec == std::errc{} && read.ptr == last && std::isfinite(real)) return TomlValue{real};
    fault("a value is expected: a \"string\", a number, true, false or [\"an\", \"array\"]");
    return std::nullopt;
  }

  std::optional<std::string> read_string() {
    const char quote = text_[at_++];
    std::string out;
    for (;;) {
      if (at_ >= text_.size() || peek() == '\n') {
        fault("a string does not end on its line");
        return std::nullopt;
      }
      const char c = text_[at_++];
      if (c == quote) return out;
      if (c == '\\' && quote == '"') {
        if (!read_escape(out)) return std::nullopt;
      } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
        fault("a string holds a control character");
        return std::nullopt;
      } else {
        out.push_back(c);
      }
    }
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view kLetters = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    const char letter = at_ < text_.size() ? text_[at_++] : '\0';
    if (const auto found = kLetters.find(letter); letter != '\0' && found != std::string_view::npos) {
      out.push_back(kMeanings[found]);
      return true;
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    unsigned point = 0;
    const std::string_view hex = text_.substr(std::min(at_, text_.size()), digits);
    const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), point, 16);
    if (digits == 0 || hex.size() != digits || read.ptr != hex.data() + hex.size() || point > 0x10FFFF ||
        (point >= 0xD800 && point <= 0xDFFF)) {
      return fault("a string holds an unknown escape; in 'single quotes' nothing is escaped");
    }
    at_ += digits;
    append_utf8(out, point);
    return true;
  }

  /// White space, line ends and comments between the elements of an array.
  void skip_space() {
    for (;;) {
      skip_blanks();
      if (peek() != '#' && peek() != '\n' && peek() != '\r') return;
      skip_line();
    }
  }

  std::optional<std::vector<std::string>> read_array() {
    std::vector<std::string> elements;
    for (;;) {
      skip_space();
      if (take(']')) return elements;
      if (peek() != '"' && peek() != '\'') {
        fault("an array holds strings only, and ends in `]`");
        return std::nullopt;
      }
      auto element = read_string();
      if (!element) return std::nullopt;
      elements.push_back(std::move(*element));
      skip_space();
      if (!take(',') && peek() != ']') {
        fault("`,` or `]` is missing in an array");
        return std::nullopt;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::string table_;
  std::set<std::string> seen_;
  TomlFile file_;
};

}  // namespace

TomlFile read_toml(std::string_view text) {
  return TomlReader(text).read();
}

std::string to_toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04X",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

}  // namespace ekiden
