#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

/// Token buckets by GCRA (generic cell rate algorithm): one timestamp a client.
namespace ekiden::limits {

/// A class of routes' budget. In any interval of t seconds at most `burst + rate_per_s * t` are admitted.
struct Policy {
  double rate_per_s = 1;   ///< above 0
  std::int64_t burst = 1;  ///< at least 1: what may come at once after a rest
};

struct Decision {
  bool admitted = false;
  std::int64_t remaining = 0;  ///< what would still be admitted now
  /// When the same call would be admitted, rounded up; 0 where admitted. A cost above the burst never is:
  /// then when the bucket is full.
  std::chrono::milliseconds retry_after{0};
  std::chrono::milliseconds reset_after{0};  ///< when the bucket is full again
  bool degraded = false;                     ///< decided without the shared store
};

/// @threads any
class Limits {
 public:
  virtual ~Limits() = default;
  /// Takes `cost` tokens of `key` (class and client, 1..200 bytes) where there are so many, or none.
  /// A key keeps to one policy: name the policy's class in the key.
  /// @param cost 0 only looks; below 0 counts as 0.
  /// Where `does_wait`, it blocks for the network: then not on loops.
  virtual Decision take(std::string_view key, const Policy& policy, std::int64_t cost = 1) = 0;

  using Done = std::move_only_function<void(Decision)>;
  /// The same without blocking: `done` is called once, within this call or later on another thread, and must
  /// not block either.
  virtual void take_async(std::string_view key, const Policy& policy, std::int64_t cost, Done done) {
    done(take(key, policy, cost));
  }
  /// The decision where it is known already, without asking anybody, that `take` would refuse; nullopt says
  /// nothing. Changes nothing, and never blocks.
  virtual std::optional<Decision> known_refusal(std::string_view key, const Policy& policy,
                                                std::int64_t cost = 1) {
    (void)key;
    (void)policy;
    (void)cost;
    return std::nullopt;
  }
  /// Whether a decision waits for a network.
  virtual bool does_wait() const { return false; }
};

}  // namespace ekiden::limits
