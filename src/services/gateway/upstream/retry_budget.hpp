#pragma once

#include <algorithm>

#include "base/mutex.hpp"

namespace ekiden::gateway {

/// Bounds how much retries add to the load: each request earns a part of a retry, each retry costs a whole
/// one. @threads any; never blocks for long
class RetryBudget {
 public:
  /// @param ratio   retries per request over time: 0.2 adds a fifth at most.
  /// @param reserve retries that may come at once after a rest.
  RetryBudget(double ratio, double reserve) : ratio_(ratio), reserve_(reserve), left_(reserve) {}

  void earn() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    left_ = std::min(reserve_, left_ + ratio_);
  }
  /// False where the budget is used up: do not retry.
  bool spend() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  const double ratio_;
  const double reserve_;
  Mutex mutex_;
  double left_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::gateway
