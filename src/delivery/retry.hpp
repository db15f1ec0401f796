#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace ekiden::delivery {

struct RetryPolicy {
  int attempts_max = 8;
  std::chrono::milliseconds first_delay{50};
  std::chrono::milliseconds delay_max{10'000};
};

/// How long to wait after the `failures`-th failure in a row: doubled each time, capped, and then drawn from
/// its upper half, so that those who failed together do not come back together.
inline Duration retry_delay(const RetryPolicy& policy, int failures, Random& random) {
  using std::chrono::microseconds;
  const auto cap = std::chrono::duration_cast<microseconds>(policy.delay_max);
  auto delay = std::chrono::duration_cast<microseconds>(policy.first_delay);
  for (int i = 1; i < failures && delay < cap; ++i) delay *= 2;
  delay = std::max(std::min(delay, cap), microseconds{2});
  const auto half = static_cast<std::uint64_t>(delay.count() / 2);
  return microseconds{static_cast<std::int64_t>(half + random.below(half + 1))};
}

}  // namespace ekiden::delivery
