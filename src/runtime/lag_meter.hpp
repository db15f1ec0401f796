#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace ekiden::runtime {

/// How late a loop runs its probe: the last value and the worst of the last minute. A probe that is overdue
/// counts while it is still waiting, so a loop that is stuck is seen. @threads any
class LagMeter {
 public:
  /// The next probe should run at `due`.
  void expect(Instant due) EKIDEN_EXCLUDES(mutex_);
  /// The probe runs now.
  void arrived(Instant now) EKIDEN_EXCLUDES(mutex_);

  std::int64_t last_us(Instant now) const EKIDEN_EXCLUDES(mutex_);
  std::int64_t max_us(Instant now) const EKIDEN_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kSlots = 13;  ///< 12 whole ones make a minute, one is being filled
  struct Slot {
    std::int64_t number = -1;
    std::int64_t max_us = 0;
  };
  std::int64_t overdue_us(Instant now) const EKIDEN_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Instant due_ EKIDEN_GUARDED_BY(mutex_) = Instant::max();
  std::int64_t last_us_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::array<Slot, kSlots> slots_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::runtime
