#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/logger.hpp"
#include "runtime/figures.hpp"
#include "runtime/model.hpp"

namespace ekiden::runtime {

/// Whose executor it is, and what it is called in figures, metrics and thread names.
struct ExecutorLabel {
  std::string service;
  std::string name;
};

/// Threads that run what is posted, in the order of posting; more than `queue_max` waiting jobs are refused.
/// Stopped by its destructor at the latest. @threads any, but for `stop`: not from one of its own threads
class WorkerPool {
 public:
  using Work = std::move_only_function<void()>;

  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False where the queue is full or the pool is stopping: `work` was dropped without being run.
  bool try_post(Work work);

  /// Takes no more work, runs what is queued, and returns when every thread has ended. May be called again.
  void stop();

  ExecutorFigures figures() const;
  /// True on one of this pool's threads.
  bool is_own_thread() const;
  const Logger& logger() const;

 protected:
  struct Settings {
    std::string_view model;
    std::size_t threads;
    std::size_t queue_max;
    int nice = 0;
  };
  WorkerPool(ExecutorLabel label, const Settings& settings, const Logger& logger, FiguresRegistry& figures);

 private:
  class State;
  std::shared_ptr<State> state_;  ///< shared with the registry's source, which may outlive the pool
};

/// The threads of a thread-per-request service.
class ThreadPoolExecutor final : public WorkerPool {
 public:
  ThreadPoolExecutor(ExecutorLabel label, ThreadPool bounds, const Logger& logger, FiguresRegistry& figures)
      : WorkerPool(std::move(label), {"thread_pool", bounds.threads, bounds.queue_max}, logger, figures) {}
};

/// Threads for heavy computing, so that it never runs on a loop.
class CpuPool final : public WorkerPool {
 public:
  struct Bounds {
    std::size_t threads = 1;
    std::size_t queue_max = 64;
    int nice = 0;  ///< 0 to 19: how far it stands back behind the threads that answer
  };
  CpuPool(ExecutorLabel label, Bounds bounds, const Logger& logger, FiguresRegistry& figures)
      : WorkerPool(std::move(label), {"worker_pool", bounds.threads, bounds.queue_max, bounds.nice}, logger,
                   figures) {}
};

/// Names the calling thread for debuggers and `top`; the kernel keeps 15 bytes.
void name_this_thread(const ExecutorLabel& label);

}  // namespace ekiden::runtime
