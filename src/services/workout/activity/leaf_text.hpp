#pragma once

#include <array>
#include <cstring>
#include <string_view>

namespace ekiden::activity {

/// The text of one element that holds a value, of which pieces come from a scanner's window: one piece is
/// kept as a view, and copied only when the window goes. Text beyond the capacity is cut. @threads one at a
/// time
class LeafText {
 public:
  static constexpr std::size_t kCapacity = 4096;

  void clear() {
    view_ = {};
    is_copy_ = false;
    is_cut_ = false;
  }
  void append(std::string_view piece) {
    if (view_.empty()) {
      view_ = piece;
      is_copy_ = false;
    } else {
      detach();
      copy(piece);
    }
  }
  /// The window goes.
  void detach() {
    if (is_copy_ || view_.empty()) return;
    const std::string_view piece = view_;
    view_ = {buffer_.data(), 0};
    copy(piece);
  }
  std::string_view view() const { return view_; }
  bool is_cut() const { return is_cut_; }

 private:
  void copy(std::string_view piece) {
    const std::size_t room = kCapacity - view_.size();
    is_cut_ = is_cut_ || piece.size() > room;
    piece = piece.substr(0, room);
    std::memcpy(buffer_.data() + view_.size(), piece.data(), piece.size());
    view_ = {buffer_.data(), view_.size() + piece.size()};
    is_copy_ = true;
  }

  std::string_view view_;
  bool is_copy_ = false;
  bool is_cut_ = false;
  std::array<char, kCapacity> buffer_;
};

}  // namespace ekiden::activity
