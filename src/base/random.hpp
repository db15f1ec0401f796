#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ekiden {

/// Where randomness comes from. Passed in, so that a test owns it.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills `out` with random bytes. The system's source is fit for keys and tokens. @threads any
  virtual void fill(std::span<std::byte> out) = 0;
  /// A number from 0 to `bound` - 1, each equally likely. @param bound at least 1.
  std::uint64_t below(std::uint64_t bound);
};

/// The kernel's generator (getrandom). @threads any
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

}  // namespace ekiden
