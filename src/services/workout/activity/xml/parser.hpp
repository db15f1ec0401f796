#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/workout/activity/byte_source.hpp"
#include "services/workout/activity/xml/scanner.hpp"

namespace ekiden::activity::xml {

/// A whole document, fed in pieces of any size: finds the encoding, checks the characters, scans. Pieces are
/// scanned where they lie; only a token that is cut is copied, so that no more than `token_max` and a block
/// are ever held. See Scanner for what `Handler` has to be. @threads one at a time
template <class Handler>
class Parser {
 public:
  Parser(Handler& handler, const ParseLimits& limits) : scanner_(handler, limits) {}

  /// Takes the next bytes.
  /// @errors invalid      not well-formed, a DTD, or beyond a limit on names; `text` begins with the line.
  ///         too_large    a token beyond `token_max`.
  ///         unsupported  an encoding that is not read.
  ///         what the handler refuses. Nothing more may be fed after an error.
  Result<void> feed(std::string_view bytes) {
    if (is_known_) return decode(bytes);
    const std::size_t taken = std::min(bytes.size(), kSniffBytes - head_.size());
    head_.append(bytes.substr(0, taken));
    EKIDEN_TRY(const bool known, learn_encoding(head_.size() == kSniffBytes));
    if (!known) return {};
    EKIDEN_CHECK(decode(std::exchange(head_, {}).substr(mark_)));
    return decode(bytes.substr(taken));
  }

  /// Says that the document ends here. @errors as `feed`.
  Result<void> finish() {
    if (!is_known_) {
      EKIDEN_TRY([[maybe_unused]] const bool known, learn_encoding(true));
      EKIDEN_CHECK(decode(std::exchange(head_, {}).substr(mark_)));
    }
    if (!check_.is_whole() || !transcoder_.is_whole()) return bad_character();
    const char* const end = carry_.data() + carry_.size();
    if (scanner_.scan(carry_.data(), end, true) == nullptr) return fault(end);
    return {};
  }

 private:
  static constexpr std::size_t kBlock = 32 * 1024;

  Result<bool> learn_encoding(bool complete) {
    SniffAnswer answer = sniff(head_, complete);
    if (answer.error) return *std::move(answer.error);
    if (!answer.sniffed) return false;
    is_known_ = true;
    encoding_ = answer.sniffed->encoding;
    mark_ = answer.sniffed->mark;
    transcoder_ = Transcoder{encoding_};
    return true;
  }

  Result<void> decode(std::string_view bytes) {
    if (encoding_ == Encoding::utf8) return push(bytes);
    std::array<char, 4096> buffer;
    while (!bytes.empty()) {
      EKIDEN_CHECK(push(transcoder_.step(bytes, buffer)));
    }
    return {};
  }

  Result<void> push(std::string_view bytes) {
    std::size_t checked = 0;
    while (!carry_.empty() && checked < bytes.size()) {
      const std::size_t step = std::min<std::size_t>(bytes.size() - checked, 1024);
      EKIDEN_TRY(const std::size_t left, extend_carry(bytes.substr(checked, step)));
      checked += step;
      if (left > checked) continue;
      // What is left came from `bytes`: scan on there.
      bytes.remove_prefix(checked - left);
      checked = left;
      carry_.clear();
    }
    return carry_.empty() ? scan_in_place(bytes, checked) : Result<void>{};
  }

  /// Appends to the token that was cut and scans it again; returns how many bytes of it are left. A token
  /// that comes byte by byte is scanned again only once it has grown by a quarter, or the work would be
  /// quadratic.
  Result<std::size_t> extend_carry(std::string_view bytes) {
    if (!check_.take(bytes)) return bad_character();
    carry_.append(bytes);
    if (carry_.size() < rescan_at_) return carry_.size();
    const char* const end = carry_.data() + carry_.size();
    const char* const next = scanner_.scan(carry_.data(), end, false);
    if (next == nullptr) return fault(end);
    carry_.erase(0, static_cast<std::size_t>(next - carry_.data()));
    rescan_at_ = carry_.size() + carry_.size() / 4;
    return carry_.size();
  }

  /// @param checked  bytes at the front that are checked already, and hold no whole token.
  Result<void> scan_in_place(std::string_view bytes, std::size_t checked) {
    const char* at = bytes.data();
    while (checked < bytes.size()) {
      const std::size_t step = std::min(bytes.size() - checked, kBlock);
      if (!check_.take(bytes.substr(checked, step))) return bad_character();
      checked += step;
      at = scanner_.scan(at, bytes.data() + checked, false);
      if (at == nullptr) return fault(bytes.data() + checked);
    }
    carry_.assign(at, static_cast<std::size_t>(bytes.data() + bytes.size() - at));
    rescan_at_ = carry_.size() + carry_.size() / 4;
    return {};
  }

  /// @param end  the end of the window: all that was checked lies before it.
  Error fault(const char* end) {
    const auto left = end - scanner_.fault_at();
    const auto feeds = std::count(scanner_.fault_at(), end, '\n');
    return scanner_.fault(1 + check_.line_feeds() - static_cast<std::size_t>(feeds),
                          check_.bytes() - static_cast<std::size_t>(left));
  }

  Error bad_character() const {
    return syntax_error(
        1 + check_.line_feeds(), check_.bytes(),
        "near here is a character that XML does not allow, or that is not in the file's encoding");
  }

  Scanner<Handler> scanner_;
  CharacterCheck check_;
  Transcoder transcoder_{Encoding::utf8};
  Encoding encoding_ = Encoding::utf8;
  bool is_known_ = false;
  std::size_t mark_ = 0;
  std::string head_;   // until the encoding is known
  std::string carry_;  // a token that is cut
  std::size_t rescan_at_ = 0;
};

/// Feeds `parser` all of `source`. @errors as `Parser::feed`, and as the source has them.
template <class Handler>
Result<void> feed_all(Parser<Handler>& parser, ByteSource& source) {
  constexpr std::size_t kChunk = std::size_t{128} * 1024;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kChunk);
  for (;;) {
    std::size_t size = 0;
    // Filled up first: a source that gives little at a time must not cost a scan each time.
    while (size < kChunk) {
      EKIDEN_TRY(const std::size_t count, source.read({buffer.get() + size, kChunk - size}));
      if (count == 0) break;
      size += count;
    }
    if (size == 0) return parser.finish();
    EKIDEN_CHECK(parser.feed({buffer.get(), size}));
  }
}

}  // namespace ekiden::activity::xml
