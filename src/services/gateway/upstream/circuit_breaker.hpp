#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace ekiden::gateway {

struct CircuitConfig {
  int failures_max = 5;  ///< in a row; then the circuit opens
  Duration open_first = std::chrono::seconds{1};
  Duration open_max = std::chrono::seconds{30};
};

/// Whether a process that keeps failing is asked again: closed (it is), open (it is left alone for a while,
/// twice as long after each failed trial), half open (one call tries). No I/O, no clock of its own.
/// @threads one at a time
class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  explicit CircuitBreaker(CircuitConfig config) : config_(config), open_for_(config.open_first) {}

  /// Whether a call may begin now.
  bool admits(Instant now) const;
  /// A call begins that `admits` has let pass. Each ends in one of the three below.
  void enter(Instant now);
  void succeeded();
  void failed(Instant now);
  /// It ended without a verdict on the process: the client went, or a queue was full.
  void left();

  State state() const { return state_; }

 private:
  void open(Instant now);

  CircuitConfig config_;
  State state_ = State::closed;
  int failures_ = 0;
  bool trial_runs_ = false;
  Duration open_for_;
  Instant open_until_{};
};

}  // namespace ekiden::gateway
