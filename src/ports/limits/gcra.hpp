#pragma once

#include <chrono>
#include <cstdint>

#include "ports/limits/limits.hpp"

/// The generic cell rate algorithm as arithmetic: no clock, no store. A bucket is one number, the theoretical
/// arrival time (TAT) in nanoseconds: when it will be full again. Every adapter decides by this.
namespace ekiden::limits {

/// A policy in whole nanoseconds.
struct Gcra {
  std::int64_t interval_ns = 1;  ///< between two tokens, rounded up: never faster than the policy
  std::int64_t burst = 1;        ///< cut so that burst * interval stays below 2^61 ns (73 years)
  std::int64_t tolerance_ns() const { return interval_ns * burst; }
};

/// @throws std::invalid_argument where rate_per_s is not a finite number above 0, or burst is below 1.
Gcra make_gcra(const Policy& policy);

struct Step {
  Decision decision;
  std::int64_t tat_ns = 0;  ///< to keep: the bucket is full again at this time
};

/// One decision. @param tat_ns what the last step returned; a new bucket has any time that is not after
/// `now_ns`. In any interval of t ns at most burst + t / interval_ns tokens are admitted, by this proof: what
/// is admitted moves the TAT by its cost, what is refused never moves it back, and no cost moves it further
/// than the tolerance beyond `now`.
/// @source ITU-T I.371, annex A (virtual scheduling)
Step step(std::int64_t tat_ns, std::int64_t now_ns, const Gcra& gcra, std::int64_t cost);

}  // namespace ekiden::limits
