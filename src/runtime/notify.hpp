#pragma once

#include <memory>

#include "base/clock.hpp"
#include "runtime/task.hpp"

namespace ekiden::runtime {

/// Wakes one coroutine from any thread. A ring that nobody waits for is kept for the next wait; several are
/// one. A small value: copies are the same bell. @threads `ring` any; `wait` one coroutine at a time, on a
/// loop
class Notify {
 public:
  Notify();

  /// Never blocks.
  void ring() const;

  /// True when it rang. False when `until` came first, or the waiting coroutine was cancelled.
  /// @param until on the steady clock of the machine.
  Task<bool> wait(Instant until = Instant::max()) const;

 private:
  struct State;
  static Task<bool> wait_on(std::shared_ptr<State> state, Instant until);
  std::shared_ptr<State> state_;
};

}  // namespace ekiden::runtime
