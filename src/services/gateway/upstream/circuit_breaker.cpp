#include "services/gateway/upstream/circuit_breaker.hpp"

#include <algorithm>

namespace ekiden::gateway {

bool CircuitBreaker::admits(Instant now) const {
  switch (state_) {
    case State::closed:
      return true;
    case State::open:
      return now >= open_until_;
    case State::half_open:
      return !trial_runs_;
  }
  return false;
}

void CircuitBreaker::enter(Instant now) {
  if (state_ == State::closed || !admits(now)) return;
  state_ = State::half_open;
  trial_runs_ = true;
}

void CircuitBreaker::succeeded() {
  failures_ = 0;
  // What began before the circuit opened says nothing about the process as it is now.
  if (state_ != State::half_open) return;
  state_ = State::closed;
  trial_runs_ = false;
  open_for_ = config_.open_first;
}

void CircuitBreaker::failed(Instant now) {
  if (state_ == State::open) return;
  if (state_ == State::half_open) {
    open_for_ = std::min(open_for_ * 2, config_.open_max);
    return open(now);
  }
  if (++failures_ >= config_.failures_max) open(now);
}

void CircuitBreaker::left() {
  trial_runs_ = false;
}

void CircuitBreaker::open(Instant now) {
  state_ = State::open;
  failures_ = 0;
  trial_runs_ = false;
  open_until_ = now + open_for_;
}

}  // namespace ekiden::gateway
