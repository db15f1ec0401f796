#pragma once

#include "services/workout/activity/byte_source.hpp"

namespace ekiden::activity {

/// The bytes of an open file from where it stands; the file is not closed. @threads one at a time; blocks
class FileSource final : public ByteSource {
 public:
  explicit FileSource(int descriptor) : descriptor_(descriptor) {}
  /// @errors unavailable `file-unreadable`
  Result<std::size_t> read(std::span<char> into) override;

 private:
  const int descriptor_;
};

}  // namespace ekiden::activity
