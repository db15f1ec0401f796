#include "services/workout/activity/xml/chars.hpp"

#include <array>
#include <cstring>
#include <string>

#include "base/utf8.hpp"

namespace ekiden::activity::xml {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Beyond ASCII. @source XML 1.0 (fifth edition), productions 4 and 4a
constexpr Range kNameStart[] = {{0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},    {0x370, 0x37D},
                                {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF},
                                {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}};
constexpr Range kNameMore[] = {{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}};

template <std::size_t N>
bool in_any(const Range (&ranges)[N], char32_t character) {
  for (const Range& range : ranges) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

bool is_name_character(char32_t c, bool first) {
  if (c < 0x80) {
    const char32_t lower = c | 0x20;
    if ((lower >= 'a' && lower <= 'z') || c == '_' || c == ':') return true;
    return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
  }
  return in_any(kNameStart, c) || (!first && in_any(kNameMore, c));
}

/// The character that `text` begins with, `length` bytes long, well-formed.
char32_t decode(std::string_view text, std::size_t length) {
  constexpr std::array<unsigned, 5> kMask = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t value = static_cast<unsigned char>(text[0]) & kMask[length];
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return value;
}

bool is_legal(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c <= 0xD7FF || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

}  // namespace

NameSpan scan_name_slowly(const char* at, const char* end) {
  NameSpan name;
  while (at + name.size < end) {
    const std::string_view rest{at + name.size, end};
    const std::size_t length = utf8_sequence_length(rest.substr(0, 4));
    if (length == 0 || !is_name_character(decode(rest, length), name.size == 0)) break;
    if (rest[0] == ':') name.local = name.size + 1;
    name.size += length;
  }
  return name;
}

Reference scan_reference(std::string_view text) {
  const std::size_t end = text.substr(0, 16).find(';');
  if (end == std::string_view::npos) return {};
  const std::string_view name = text.substr(1, end - 1);
  if (name == "lt") return {end + 1, '<'};
  if (name == "gt") return {end + 1, '>'};
  if (name == "amp") return {end + 1, '&'};
  if (name == "quot") return {end + 1, '"'};
  if (name == "apos") return {end + 1, '\''};
  if (name.size() < 2 || name[0] != '#') return {};
  const bool hexadecimal = name[1] == 'x';
  const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
  char32_t value = 0;
  for (const char c : digits) {
    const auto lower = static_cast<unsigned char>(c | 0x20);
    unsigned digit = 99;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (hexadecimal && lower >= 'a' && lower <= 'f') digit = lower - 'a' + 10U;
    if (digit == 99 || value > 0x10FFFF) return {};
    value = value * (hexadecimal ? 16 : 10) + digit;
  }
  if (digits.empty() || !is_legal(value)) return {};
  return {end + 1, value};
}

std::size_t encode_utf8(char32_t c, std::span<char> out) {
  const auto low = [c](unsigned shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = low(0);
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = low(6);
    out[2] = low(0);
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = low(12);
  out[2] = low(6);
  out[3] = low(0);
  return 4;
}

std::string_view unescape(std::string_view raw, std::span<char> buffer) {
  if (raw.find('&') == std::string_view::npos) return raw;
  std::size_t size = 0;
  while (!raw.empty() && size + 4 <= buffer.size()) {
    const Reference reference = raw[0] == '&' ? scan_reference(raw) : Reference{};
    if (reference.size == 0) {
      buffer[size++] = raw[0];
      raw.remove_prefix(1);
    } else {
      size += encode_utf8(reference.character, buffer.subspan(size));
      raw.remove_prefix(reference.size);
    }
  }
  return {buffer.data(), size};
}

bool CharacterCheck::take(std::string_view bytes) {
  bytes_ += bytes.size();
#if defined(__SSE2__)
  constexpr std::size_t kBlock = 64;
  while (bytes.size() >= kBlock) {
    if (pending_ != 0) {
      if (!take_slowly(bytes.substr(0, 1))) return false;
      bytes.remove_prefix(1);
      continue;
    }
    // Every byte below 0x20 (or, being signed, beyond 0x7F) that is no tab or line end needs a closer look.
    __m128i odd = _mm_setzero_si128();
    __m128i feeds = _mm_setzero_si128();
    for (std::size_t i = 0; i < kBlock; i += 16) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + i));
      const __m128i feed = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
      const __m128i fine = _mm_or_si128(
          feed, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\t')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
      odd = _mm_or_si128(odd, _mm_andnot_si128(fine, _mm_cmplt_epi8(v, _mm_set1_epi8(0x20))));
      feeds = _mm_sub_epi8(feeds, feed);
    }
    if (_mm_movemask_epi8(odd) != 0) {
      if (!take_slowly(bytes.substr(0, kBlock))) return false;
    } else {
      const __m128i sums = _mm_sad_epu8(feeds, _mm_setzero_si128());
      line_feeds_ += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
                     static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
    }
    bytes.remove_prefix(kBlock);
  }
#endif
  return take_slowly(bytes);
}

bool CharacterCheck::take_slowly(std::string_view bytes) {
  while (!bytes.empty()) {
    if (pending_ == 0 && static_cast<signed char>(bytes[0]) >= 0) {
      if (!is_legal(static_cast<unsigned char>(bytes[0]))) return false;
      line_feeds_ += bytes[0] == '\n' ? 1 : 0;
      bytes.remove_prefix(1);
      continue;
    }
    cut_[pending_++] = bytes[0];
    bytes.remove_prefix(1);
    const std::string_view character{cut_, pending_};
    const std::size_t length = utf8_sequence_length(character);
    if (length == pending_) {
      if (!is_legal(decode(character, length))) return false;
      pending_ = 0;
    } else if (pending_ == 4) {
      return false;
    }
  }
  return true;
}

std::string_view Transcoder::step(std::string_view& bytes, std::span<char> out) {
  std::size_t size = 0;
  while (!bytes.empty() && size + 8 <= out.size()) {
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    if (encoding_ == Encoding::latin1) {
      size += encode_utf8(byte, out.subspan(size));
    } else if (encoding_ == Encoding::ascii) {
      out[size++] = static_cast<char>(byte < 0x80 ? byte : 0xFF);
    } else if (!has_byte_) {
      byte_ = byte;
      has_byte_ = true;
    } else {
      has_byte_ = false;
      const bool little = encoding_ == Encoding::utf16_little;
      size +=
          unit(little ? static_cast<char32_t>(byte_ | byte << 8) : static_cast<char32_t>(byte_ << 8 | byte),
               out.subspan(size));
    }
  }
  return {out.data(), size};
}

std::size_t Transcoder::unit(char32_t unit, std::span<char> out) {
  const bool is_high = unit >= 0xD800 && unit <= 0xDBFF;
  const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
  if ((high_ != 0) != is_low) {
    high_ = 0;
    out[0] = static_cast<char>(0xFF);
    return 1;
  }
  if (is_high) {
    high_ = unit;
    return 0;
  }
  const char32_t character = is_low ? 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00) : unit;
  high_ = 0;
  return encode_utf8(character, out);
}

Error syntax_error(std::size_t line, std::size_t offset, std::string_view reason) {
  return Error{
      Errc::invalid, "xml-not-well-formed",
      "line " + std::to_string(line) + " (byte " + std::to_string(offset) + "): " + std::string{reason},
      "file"};
}

}  // namespace ekiden::activity::xml
