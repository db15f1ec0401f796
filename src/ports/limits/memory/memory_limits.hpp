#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "ports/limits/limits.hpp"

namespace ekiden::limits {

struct MemoryLimitsConfig {
  /// Buckets kept at most, 1 to 2^31; about 100 bytes each. Divided among the shards.
  std::size_t keys_max = 200'000;
  /// Locks, a power of two from 1 to 1024; not more than keys_max.
  std::size_t shards = 16;
  /// Secret of the keyed hash by which buckets are told apart, so that no client can aim at another's bucket
  /// or at one shard. Draw it at start.
  std::array<std::uint8_t, 16> hash_secret{};
};

struct MemoryLimitsFigures {
  std::size_t keys = 0;
  /// Buckets forgotten before they were full again, because there were too many: each has given its client up
  /// to one burst too much. Growing means that keys_max is too small, or an attack from many addresses.
  std::uint64_t evicted_early = 0;
};

class MemoryLimits : public Limits {
 public:
  virtual MemoryLimitsFigures figures() const = 0;
};

/// Buckets in this process. A full bucket is no different from an absent one, so full ones are dropped as new
/// keys come; beyond the bound, the bucket that would be full soonest goes. @throws std::invalid_argument for
/// a configuration out of bounds.
std::unique_ptr<MemoryLimits> make_memory_limits(const Clock& clock, const MemoryLimitsConfig& config = {});

}  // namespace ekiden::limits
