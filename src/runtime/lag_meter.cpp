#include "runtime/lag_meter.hpp"

#include <algorithm>

namespace ekiden::runtime {

namespace {

std::int64_t slot_number(Instant at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count() / 5;
}

}  // namespace

std::int64_t LagMeter::overdue_us(Instant now) const {
  if (now <= due_) return 0;
  return std::chrono::duration_cast<std::chrono::microseconds>(now - due_).count();
}

void LagMeter::expect(Instant due) {
  const MutexLock lock(mutex_);
  due_ = due;
}

void LagMeter::arrived(Instant now) {
  const MutexLock lock(mutex_);
  last_us_ = overdue_us(now);
  due_ = Instant::max();
  const std::int64_t number = slot_number(now);
  Slot& slot = slots_[static_cast<std::size_t>(number) % kSlots];
  if (slot.number != number) slot = {number, 0};
  slot.max_us = std::max(slot.max_us, last_us_);
}

std::int64_t LagMeter::last_us(Instant now) const {
  const MutexLock lock(mutex_);
  return std::max(last_us_, overdue_us(now));
}

std::int64_t LagMeter::max_us(Instant now) const {
  const MutexLock lock(mutex_);
  const std::int64_t oldest = slot_number(now) - static_cast<std::int64_t>(kSlots) + 1;
  std::int64_t max = overdue_us(now);
  for (const Slot& slot : slots_) {
    if (slot.number >= oldest) max = std::max(max, slot.max_us);
  }
  return max;
}

}  // namespace ekiden::runtime
