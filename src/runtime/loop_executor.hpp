#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::runtime {

/// A place within a LoopExecutor's in-flight bound; given back when it is destroyed.
class InFlightSlot {
 public:
  InFlightSlot(InFlightSlot&& other) noexcept = default;
  InFlightSlot& operator=(InFlightSlot&& other) noexcept = default;
  /// False where the bound was reached: answer 503.
  explicit operator bool() const { return release_ != nullptr; }

 private:
  friend class LoopExecutor;
  explicit InFlightSlot(std::shared_ptr<void> release) : release_(std::move(release)) {}
  std::shared_ptr<void> release_;
};

/// Event loops with a thread each. What runs on one loop never runs at the same time as anything else on it,
/// so state that stays on a loop needs no lock. Nothing on a loop may block or compute for long.
/// @threads any, but for `stop`: not from one of its own loops
class LoopExecutor {
 public:
  ~LoopExecutor();
  LoopExecutor(const LoopExecutor&) = delete;
  LoopExecutor& operator=(const LoopExecutor&) = delete;

  std::size_t loops() const;
  /// @param loop below `loops()`.
  boost::asio::any_io_executor executor(std::size_t loop) const;
  /// The loops in turn.
  boost::asio::any_io_executor next_executor();

  /// A place for one request on `loop`; an empty one where `inflight_max` is reached over all loops together.
  InFlightSlot try_enter(std::size_t loop);

  /// Runs `task` on a loop (on the next in turn, or on `loop`) within the in-flight bound. What it throws is
  /// logged. False where the bound is reached or the loops are stopping: the task was dropped before it
  /// began.
  bool try_spawn(Task<> task);
  bool try_spawn_on(std::size_t loop, Task<> task);

  /// Waits until everything that was spawned has ended, then ends the threads. Tasks that wait for something
  /// from outside must have been told to end before. May be called again.
  void stop();

  /// True on one of these loops' threads.
  bool is_own_thread() const;
  /// One entry a loop, named `NAME-0`, `NAME-1`, …; `in_flight_max` is the bound over all of them.
  std::vector<ExecutorFigures> figures() const;

 protected:
  struct Settings {
    std::string_view model;
    std::size_t loops;
    std::size_t inflight_max;
  };
  LoopExecutor(ExecutorLabel label, const Settings& settings, const Clock& clock, const Logger& logger,
               FiguresRegistry& figures);

 private:
  class State;
  std::shared_ptr<State> state_;
};

/// The I/O threads of a coroutine service.
class CoroutineExecutor final : public LoopExecutor {
 public:
  CoroutineExecutor(ExecutorLabel label, Coroutines bounds, const Clock& clock, const Logger& logger,
                    FiguresRegistry& figures)
      : LoopExecutor(std::move(label), {"coroutines", bounds.threads, bounds.inflight_max}, clock, logger,
                     figures) {}
};

/// The loops of an event-loop service: a connection stays on its loop.
class EventLoopExecutor final : public LoopExecutor {
 public:
  EventLoopExecutor(ExecutorLabel label, EventLoop bounds, const Clock& clock, const Logger& logger,
                    FiguresRegistry& figures)
      : LoopExecutor(std::move(label), {"event_loop", bounds.loops, bounds.inflight_max}, clock, logger,
                     figures) {}
};

/// The one loop of a service that consumes events and makes non-blocking calls.
class AsyncConsumerExecutor final : public LoopExecutor {
 public:
  AsyncConsumerExecutor(ExecutorLabel label, AsyncConsumer bounds, const Clock& clock, const Logger& logger,
                        FiguresRegistry& figures)
      : LoopExecutor(std::move(label), {"async_consumer", 1, bounds.inflight_max}, clock, logger, figures) {}
};

}  // namespace ekiden::runtime
