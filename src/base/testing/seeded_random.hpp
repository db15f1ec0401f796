#pragma once

#include <cstdint>

#include "base/mutex.hpp"
#include "base/random.hpp"

namespace ekiden::testing {

/// The same bytes for the same seed, on every machine (SplitMix64). @threads any
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> out) override {
    const MutexLock lock(mutex_);
    for (std::byte& byte : out) {
      state_ += 0x9E3779B97F4A7C15ULL;
      std::uint64_t mixed = state_;
      mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
      mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
      byte = static_cast<std::byte>((mixed ^ (mixed >> 31)) & 0xff);
    }
  }

 private:
  Mutex mutex_;
  std::uint64_t state_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::testing
