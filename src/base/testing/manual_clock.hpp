#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace ekiden::testing {

/// A clock that moves only when told to. @threads any
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = from_micros(1'790'000'000'000'000)) : now_(start) {}
  Timestamp now() const override {
    const MutexLock lock(mutex_);
    return now_;
  }
  Instant monotonic() const override {
    const MutexLock lock(mutex_);
    return instant_;
  }
  void advance(std::chrono::microseconds by) {
    const MutexLock lock(mutex_);
    now_ += by;
    instant_ += by;
  }
  /// Moves the wall clock alone, as an administrator or NTP does.
  void set_wall(Timestamp to) {
    const MutexLock lock(mutex_);
    now_ = to;
  }

 private:
  mutable Mutex mutex_;
  Timestamp now_ EKIDEN_GUARDED_BY(mutex_);
  Instant instant_ EKIDEN_GUARDED_BY(mutex_){std::chrono::hours{1}};
};

}  // namespace ekiden::testing
