#pragma once

#include <memory>
#include <optional>

#include "runtime/loop_executor.hpp"

namespace ekiden::runtime {

namespace detail {

/// Runs `task` on the first loop, waits for its end, and throws what it threw.
void run_and_wait(LoopExecutor& loops, Task<> task);

template <class T>
Task<> keep_value(Task<T> task, std::shared_ptr<std::optional<T>> value) {
  value->emplace(co_await std::move(task));
}

}  // namespace detail

/// Runs a coroutine on a loop and waits for its value: for commands and tests. Throws what it throws.
/// @threads any, but for the loops' own
template <class T>
T block_on(LoopExecutor& loops, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    detail::run_and_wait(loops, std::move(task));
  } else {
    auto value = std::make_shared<std::optional<T>>();
    detail::run_and_wait(loops, detail::keep_value<T>(std::move(task), value));
    return *std::move(*value);
  }
}

}  // namespace ekiden::runtime
