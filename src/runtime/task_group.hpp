#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/logger.hpp"
#include "runtime/task.hpp"

namespace ekiden::runtime {

/// The coroutines that something has started, so that it can end them: bounded, logged where they throw,
/// cancelled and waited for when it stops. All of a group run on one loop.
/// @threads any, but for `stop_and_wait` and the destructor: not on the group's loop
class TaskGroup {
 public:
  /// @param executor one loop's (LoopExecutor::executor): its tasks never run at the same time.
  /// @param tasks_max tasks at once.
  TaskGroup(boost::asio::any_io_executor executor, const Logger& logger, std::size_t tasks_max);
  /// `stop_and_wait`.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task` on the group's loop. False where `tasks_max` run already or the group is stopping: the
  /// task was dropped before it began. @param name for the log: what it is.
  bool spawn(std::string name, Task<> task);

  /// Asks every task to end: none is started any more, and those that wait are cancelled (their operation
  /// fails with `operation_aborted`).
  void request_stop();
  bool is_stopping() const;

  /// Returns when no task is left. Does not ask them to end.
  Task<> join() const;
  /// `request_stop`, and waits on the calling thread until no task is left.
  void stop_and_wait();

  std::size_t size() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace ekiden::runtime
