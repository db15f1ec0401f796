#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/task.hpp"

namespace ekiden::runtime {

namespace detail {

/// Runs `op` until it ends, but cancels it at `deadline`. What it throws comes out, unless the deadline
/// caused it. True where the deadline passed first.
Task<bool> cancel_at(Task<> op, Deadline deadline);
Error deadline_passed();

template <class T>
Task<> keep_outcome(Task<Result<T>> op, std::shared_ptr<std::optional<Result<T>>> outcome) {
  Result<T> value = co_await std::move(op);
  outcome->emplace(std::move(value));
}

}  // namespace detail

/// Waits for `op` until `deadline`, then cancels it and waits for its end: operations that honour
/// cancellation (sockets, timers, `Notify`, queued `offload`) end at once; a transaction in work is waited
/// for.
/// @errors timeout  the deadline passed and `op` was cut short; and those of `op`.
template <class T>
Task<Result<T>> with_deadline(Task<Result<T>> op, Deadline deadline) {
  auto outcome = std::make_shared<std::optional<Result<T>>>();
  Task<> kept = detail::keep_outcome<T>(std::move(op), outcome);
  const bool cut_short = co_await detail::cancel_at(std::move(kept), deadline);
  // An operation that reached its value all the same has happened: say so. Its errors then come of the
  // cutting.
  if (!outcome->has_value() || (cut_short && !**outcome)) co_return detail::deadline_passed();
  co_return *std::move(*outcome);
}

}  // namespace ekiden::runtime
