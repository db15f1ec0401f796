#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ekiden {

/// What a text field may hold. Lengths are in code points, after trimming.
struct TextRules {
  std::size_t chars_min = 0;
  std::size_t chars_max = 200;
  bool newlines = false;              ///< also allows tabs; `\r\n` and `\r` become `\n`
  std::size_t marks_in_row_max = 16;  ///< combining marks on one character
};

/// Checks a text that a person typed and returns it without white space around it. Nothing is escaped or
/// replaced: the text is stored and shown as what it is.
/// @errors invalid  slug `bad-text`: invalid UTF-8, NUL or another control character, a bidirectional
/// override or
///                  isolate (it makes text look like other text), a noncharacter, or too many combining
///                  marks; slug `too-short`, `too-long`. `field` is what is passed in.
Result<std::string> clean_text(std::string_view text, std::string_view field, const TextRules& rules);

/// Number of code points of valid UTF-8.
std::size_t count_chars(std::string_view text);

/// True for code points that attach to the one before them (general categories Mn and Me).
bool is_combining_mark(char32_t point);

}  // namespace ekiden
