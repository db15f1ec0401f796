#include "runtime/worker_pool.hpp"

#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bounded_queue.hpp"

namespace ekiden::runtime {

namespace {

/// Which pool the thread belongs to; null on every other thread.
thread_local const void* current_pool = nullptr;

std::int64_t signed_of(std::size_t number) {
  return static_cast<std::int64_t>(number);
}

}  // namespace

void name_this_thread(const ExecutorLabel& label) {
  constexpr std::size_t kKernelMax = 15;
  std::string name = label.service.substr(0, 8) + "/" + label.name;
  name.resize(std::min(name.size(), kKernelMax));
  pthread_setname_np(pthread_self(), name.c_str());
}

class WorkerPool::State {
 public:
  State(ExecutorLabel label, const Settings& settings, const Logger& logger)
      : label_(std::move(label)),
        model_(settings.model),
        threads_count_(settings.threads),
        nice_(settings.nice),
        logger_(logger.with(label_.service)),
        queue_(settings.queue_max) {
    if (settings.threads == 0 || settings.queue_max == 0) {
      throw std::invalid_argument("the pool " + label_.name + " needs a thread and a place in its queue");
    }
  }

  void start() EKIDEN_EXCLUDES(stop_mutex_) {
    const MutexLock lock(stop_mutex_);
    for (std::size_t i = 0; i < threads_count_; ++i) threads_.emplace_back([this] { run(); });
  }

  bool try_post(Work&& work) {
    if (queue_.try_push(std::move(work))) return true;
    rejected_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  void stop() EKIDEN_EXCLUDES(stop_mutex_) {
    queue_.close();
    const MutexLock lock(stop_mutex_);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  ExecutorFigures figures() const {
    ExecutorFigures figures;
    figures.service = label_.service;
    figures.name = label_.name;
    figures.model = model_;
    figures.threads = signed_of(threads_count_);
    figures.threads_busy = busy_.load(std::memory_order_relaxed);
    figures.queue_depth = signed_of(queue_.size());
    figures.queue_max = signed_of(queue_.max());
    figures.in_flight = figures.threads_busy;
    figures.in_flight_max = figures.threads;
    figures.completed = completed_.load(std::memory_order_relaxed);
    figures.rejected = rejected_.load(std::memory_order_relaxed);
    return figures;
  }

  const Logger& logger() const { return logger_; }

 private:
  void run() {
    name_this_thread(label_);
    current_pool = this;
    if (nice_ != 0) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice_);
    while (auto work = queue_.pop()) {
      busy_.fetch_add(1, std::memory_order_relaxed);
      try {
        (*work)();
      } catch (const std::exception& failure) {
        logger_.error("work_threw", {{"pool", label_.name}, {"what", failure.what()}});
      }
      work.reset();  // What it holds is freed before the thread counts as idle.
      completed_.fetch_add(1, std::memory_order_relaxed);
      busy_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  const ExecutorLabel label_;
  const std::string model_;
  const std::size_t threads_count_;
  const int nice_;
  const Logger logger_;
  BoundedQueue<Work> queue_;
  std::atomic<std::int64_t> busy_ = 0;
  std::atomic<std::int64_t> completed_ = 0;
  std::atomic<std::int64_t> rejected_ = 0;
  Mutex stop_mutex_;  ///< held while joining: a second `stop` waits for the first
  std::vector<std::thread> threads_ EKIDEN_GUARDED_BY(stop_mutex_);
};

WorkerPool::WorkerPool(ExecutorLabel label, const Settings& settings, const Logger& logger,
                       FiguresRegistry& figures)
    : state_(std::make_shared<State>(std::move(label), settings, logger)) {
  state_->start();
  figures.add([weak = std::weak_ptr<State>(state_)](std::vector<ExecutorFigures>& out) {
    if (const auto state = weak.lock()) out.push_back(state->figures());
  });
}

WorkerPool::~WorkerPool() {
  stop();
}
bool WorkerPool::try_post(Work work) {
  return state_->try_post(std::move(work));
}
void WorkerPool::stop() {
  state_->stop();
}
ExecutorFigures WorkerPool::figures() const {
  return state_->figures();
}
bool WorkerPool::is_own_thread() const {
  return current_pool == state_.get();
}
const Logger& WorkerPool::logger() const {
  return state_->logger();
}

}  // namespace ekiden::runtime
