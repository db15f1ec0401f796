#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ekiden::activity::xml {

/// True for the four characters that XML calls white space.
constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// A name at the start of a text: its length (0 where none begins) and where its part after the last `:`
/// begins.
struct NameSpan {
  std::size_t size = 0;
  std::size_t local = 0;
};

/// The name at the start of [`at`, `end`) by the rules for names beyond ASCII, too; the slow way. @source
/// XML 1.0, 2.3
NameSpan scan_name_slowly(const char* at, const char* end);

/// The same, quick for ASCII.
inline NameSpan scan_name(const char* at, const char* end) {
#if defined(__SSE2__)
  NameSpan name;
  for (const char* block = at; end - block >= 16; block += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                                         _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    const __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8('0' - 1)),
                                        _mm_cmplt_epi8(bytes, _mm_set1_epi8(':')));
    const __m128i mark =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    const __m128i colon = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(':'));
    const __m128i start =
        _mm_or_si128(_mm_or_si128(letter, colon), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
    const auto starts = static_cast<unsigned>(_mm_movemask_epi8(start));
    const auto valid = starts | static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(digit, mark)));
    const auto size = static_cast<unsigned>(__builtin_ctz(~valid));
    if (block == at && (starts & 1) == 0) break;
    const unsigned colons = static_cast<unsigned>(_mm_movemask_epi8(colon)) & ((1U << size) - 1);
    if (colons != 0) name.local = name.size + 32U - static_cast<unsigned>(__builtin_clz(colons));
    name.size += size;
    if (size == 16) continue;
    if (static_cast<signed char>(block[size]) < 0) break;
    return name;
  }
#endif
  return scan_name_slowly(at, end);
}

/// The first of `<`, `&` and `stop` in [`at`, `end`), or `end`.
inline const char* find_delimiter(const char* at, const char* end, char stop) {
#if defined(__SSE2__)
  const __m128i tag = _mm_set1_epi8('<');
  const __m128i reference = _mm_set1_epi8('&');
  const __m128i third = _mm_set1_epi8(stop);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, tag), _mm_cmpeq_epi8(bytes, reference)),
                     _mm_cmpeq_epi8(bytes, third));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (mask != 0) return at + __builtin_ctz(mask);
  }
#endif
  while (at < end && *at != '<' && *at != '&' && *at != stop) ++at;
  return at;
}

/// True where the first `size` bytes of `a` and `b` are equal. @param room  bytes that may be read of both.
inline bool same_bytes(const char* a, const char* b, std::size_t size, std::size_t room) {
#if defined(__SSE2__)
  while (size > 0 && room >= 16) {
    const __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
    const unsigned wanted = size >= 16 ? 0xFFFFU : (1U << size) - 1;
    if ((static_cast<unsigned>(_mm_movemask_epi8(equal)) & wanted) != wanted) return false;
    const std::size_t step = size < 16 ? size : 16;
    a += step;
    b += step;
    size -= step;
    room -= step;
  }
#endif
  return room >= size && __builtin_memcmp(a, b, size) == 0;
}

/// A reference such as `&lt;` or `&#x41;`.
struct Reference {
  std::size_t size = 0;  ///< with `&` and `;`; 0 where it is none that XML knows without a DTD
  char32_t character = 0;
};

/// The reference at the start of `text`, which begins with `&`. Five names and every number of a legal
/// character.
Reference scan_reference(std::string_view text);

/// Writes `character` as UTF-8 and returns how many bytes that took. @param out  at least 4 bytes.
std::size_t encode_utf8(char32_t character, std::span<char> out);

/// `raw` with its references replaced; the part that fits where `buffer` is too small.
/// @param raw  an attribute's value, checked before.
/// @return a view of `raw` where nothing had to be replaced, else of `buffer`.
std::string_view unescape(std::string_view raw, std::span<char> buffer);

/// Checks a stream of bytes for UTF-8 and for the characters that XML allows, and counts its lines.
/// @threads one at a time
class CharacterCheck {
 public:
  /// Takes the next bytes; false at the first that may not be.
  bool take(std::string_view bytes);
  /// True where the stream may end here: no character is cut.
  bool is_whole() const { return pending_ == 0; }
  /// `\n` taken so far.
  std::size_t line_feeds() const { return line_feeds_; }
  std::size_t bytes() const { return bytes_; }

 private:
  bool take_slowly(std::string_view bytes);

  std::size_t line_feeds_ = 0;
  std::size_t bytes_ = 0;
  std::size_t pending_ = 0;  // bytes of a character that was cut
  char cut_[4] = {};
};

/// The encodings that are read.
enum class Encoding : std::uint8_t { utf8, utf16_little, utf16_big, latin1, ascii };

/// What the start of a document says about its encoding.
struct Sniffed {
  Encoding encoding = Encoding::utf8;
  std::size_t mark = 0;  ///< bytes of the byte-order mark
};

/// How much of a document `sniff` may want to see: a longer XML declaration is refused.
constexpr std::size_t kSniffBytes = 1024;

/// The encoding by byte-order mark and XML declaration, which have to agree.
/// @param start  the document's first bytes. @param complete  no more are to come, or kSniffBytes are here.
/// @return nullopt where more has to be seen.
/// @errors unsupported `unsupported-encoding`: neither UTF-8, US-ASCII, ISO-8859-1 nor UTF-16 with a mark, or
/// a declaration
///         that contradicts the bytes.
struct SniffAnswer {
  std::optional<Sniffed> sniffed;
  std::optional<Error> error;
};
SniffAnswer sniff(std::string_view start, bool complete);

/// Turns UTF-16, ISO-8859-1 and US-ASCII into UTF-8, piece by piece. @threads one at a time
class Transcoder {
 public:
  explicit Transcoder(Encoding encoding) : encoding_(encoding) {}
  /// Takes bytes from the front of `bytes` until it is empty or `out` is full, and returns what was written.
  /// Half a surrogate pair, and beyond ASCII a byte of US-ASCII, becomes a byte that is not UTF-8, for the
  /// check that follows to find.
  /// @param out  at least 8 bytes.
  std::string_view step(std::string_view& bytes, std::span<char> out);
  /// True where the stream may end here.
  bool is_whole() const { return !has_byte_ && high_ == 0; }

 private:
  std::size_t unit(char32_t unit, std::span<char> out);

  Encoding encoding_;
  bool has_byte_ = false;
  unsigned char byte_ = 0;
  char32_t high_ = 0;
};

/// Why the XML declaration `<?xml … ?>` is not one, or nullptr. @param text  what stands between `<?xml` and
/// `?>`.
const char* declaration_fault(std::string_view text);

/// The error for a document that is not well-formed: `line 12: reason`.
Error syntax_error(std::size_t line, std::size_t offset, std::string_view reason);

}  // namespace ekiden::activity::xml
