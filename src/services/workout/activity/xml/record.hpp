#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "services/workout/activity/xml/chars.hpp"

namespace ekiden::activity::xml {

/// A value inside a record: an attribute of the record's own tag, or the whole text of an element.
struct Slot {
  std::uint16_t literal = 0;  ///< bytes of markup before it
  std::uint8_t place = 0;     ///< what it is, in the handler's terms
  char stop = '<';            ///< the character that ends it
};

/// What the last record (a track point) looked like: its markup, byte by byte, and where its values were.
/// Where the next one has the very same markup, the scanner, standing at the same place with the same
/// elements open, would take the very same steps: they need not be taken again to know that it is
/// well-formed, only the values be looked at. This is what makes long files quick; whatever differs is
/// scanned, and learned, anew. @threads one at a time
class Record {
 public:
  static constexpr std::size_t kSlotsMax = 32;
  using Values = std::array<std::string_view, kSlotsMax>;

  /// A record's tag begins at `at`: what follows is learned.
  void begin(const char* at) {
    is_learning_ = true;
    is_known_ = false;
    at_ = at;
    count_ = 0;
    size_ = 0;
  }
  /// It is none that could be learned, or what was learned does not hold any more.
  void forget() { is_learning_ = is_known_ = false; }
  /// The window goes: what is half learned points to it.
  void stop_learning() { is_learning_ = false; }
  bool is_learning() const { return is_learning_; }
  bool is_known() const { return is_known_; }

  /// A value of the record that is being learned.
  void add(std::string_view value, std::uint8_t place, char stop) {
    const char* const begin = value.data();
    if (count_ == kSlotsMax || !copy(begin)) return forget();
    slots_[count_++] = {static_cast<std::uint16_t>(size_ - start_), place, stop};
    at_ = begin + value.size();
  }
  /// The record ends before `end`.
  void finish(const char* end) {
    if (!copy(end)) return forget();
    tail_ = static_cast<std::uint16_t>(size_ - start_);
    is_learning_ = false;
    is_known_ = true;
  }

  std::span<const Slot> slots() const { return std::span{slots_}.first(count_); }

  /// Where the record that begins at `at` ends, if it is like the one learned; its values are in `values`
  /// then. nullptr where it is not, or not wholly before `end`.
  const char* match(const char* at, const char* end, Values& values) const {
    const char* literal = literals_.data();
    for (std::size_t i = 0; i < count_; ++i) {
      const Slot& slot = slots_[i];
      if (static_cast<std::size_t>(end - at) <= slot.literal || std::memcmp(at, literal, slot.literal) != 0) {
        return nullptr;
      }
      at += slot.literal;
      literal += slot.literal;
      // No ']' either: a text with "]]>" is for the scanner to refuse.
      const char* const stop = find_delimiter(at, end, slot.stop == '<' ? ']' : slot.stop);
      if (stop == end || *stop != slot.stop || stop - at > kValueMax) return nullptr;
      values[i] = {at, stop};
      at = stop;
    }
    if (static_cast<std::size_t>(end - at) < tail_ || std::memcmp(at, literal, tail_) != 0) return nullptr;
    return at + tail_;
  }

 private:
  static constexpr std::size_t kBytesMax = 2048;
  static constexpr std::ptrdiff_t kValueMax = 256;

  bool copy(const char* to) {
    const auto size = static_cast<std::size_t>(to - at_);
    if (size > kBytesMax - size_) return false;
    std::memcpy(literals_.data() + size_, at_, size);
    start_ = size_;
    size_ += size;
    return true;
  }

  bool is_learning_ = false;
  bool is_known_ = false;
  const char* at_ = nullptr;
  std::size_t start_ = 0;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
  std::uint16_t tail_ = 0;
  std::array<Slot, kSlotsMax> slots_{};
  std::array<char, kBytesMax> literals_;
};

}  // namespace ekiden::activity::xml
