#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"

namespace ekiden::activity {

/// Bytes that come one after another: a file, an unpacked archive member. A parser pulls from it, so that no
/// file has to be in memory as a whole.
/// @threads one at a time
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Writes up to `into.size()` next bytes to `into` and returns how many; 0 only at the end, and from then
  /// on.
  /// @param into at least one byte.
  /// @errors as the source has them (`too_large` beyond its cap, `malformed` for a damaged archive);
  ///         nothing more can be read after one.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

}  // namespace ekiden::activity
