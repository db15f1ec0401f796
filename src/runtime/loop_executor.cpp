#include "runtime/loop_executor.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/lag_meter.hpp"

namespace ekiden::runtime {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kProbeEvery{100};

/// Which loops the thread belongs to; null on every other thread.
thread_local const void* current_loops = nullptr;

struct Loop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  asio::steady_timer probe{context};
  LagMeter lag;
  std::atomic<std::int64_t> in_flight = 0;
  std::atomic<std::int64_t> completed = 0;
  std::atomic<std::int64_t> rejected = 0;
  std::thread thread;
};

}  // namespace

class LoopExecutor::State : public std::enable_shared_from_this<State> {
 public:
  State(ExecutorLabel label, const Settings& settings, const Clock& clock, const Logger& logger)
      : label_(std::move(label)),
        model_(settings.model),
        inflight_max_(static_cast<std::int64_t>(settings.inflight_max)),
        clock_(clock),
        logger_(logger.with(label_.service)) {
    if (settings.loops == 0 || settings.inflight_max == 0) {
      throw std::invalid_argument("the loops " + label_.name +
                                  " need at least one loop and one place in flight");
    }
    for (std::size_t i = 0; i < settings.loops; ++i) loops_.push_back(std::make_unique<Loop>());
  }

  void start() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      probe(*loops_[i]);
      loops_[i]->thread = std::thread([this, i] { run(i); });
    }
  }

  Loop& loop(std::size_t index) const { return *loops_.at(index); }
  std::size_t loops() const { return loops_.size(); }
  std::size_t next() { return turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size(); }
  const void* key() const { return this; }

  std::shared_ptr<void> try_enter(std::size_t index) EKIDEN_EXCLUDES(mutex_) {
    Loop& loop = *loops_.at(index);
    {
      const MutexLock lock(mutex_);
      if (stopping_ || in_flight_ >= inflight_max_) {
        loop.rejected.fetch_add(1, std::memory_order_relaxed);
        return nullptr;
      }
      ++in_flight_;
    }
    loop.in_flight.fetch_add(1, std::memory_order_relaxed);
    return {static_cast<void*>(&loop), [self = shared_from_this(), &loop](void*) { self->leave(loop); }};
  }

  bool try_spawn(std::size_t index, Task<>&& task) {
    InFlightSlot slot(try_enter(index));
    if (!slot) return false;
    auto done = [self = shared_from_this(), slot = std::move(slot)](const std::exception_ptr& failure) {
      if (failure) self->log(failure);
    };
    asio::co_spawn(loop(index).context, std::move(task), std::move(done));
    return true;
  }

  void stop() EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      while (in_flight_ > 0) idle_.wait(mutex_);
      if (joined_) return;
      joined_ = true;
    }
    for (const auto& loop : loops_) {
      // What is ready still runs. What is left waits for something that will not come; the contexts'
      // destructors free it.
      asio::post(loop->context, [&context = loop->context] { context.stop(); });
      loop->thread.join();
    }
  }

  std::vector<ExecutorFigures> figures() const {
    std::vector<ExecutorFigures> all;
    const Instant now = clock_.monotonic();
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      const Loop& loop = *loops_[i];
      ExecutorFigures figures;
      figures.service = label_.service;
      figures.name = label_.name + "-" + std::to_string(i);
      figures.model = model_;
      figures.threads = 1;
      figures.in_flight = loop.in_flight.load(std::memory_order_relaxed);
      figures.in_flight_max = inflight_max_;
      figures.loop_lag_us = loop.lag.last_us(now);
      figures.loop_lag_max_us = loop.lag.max_us(now);
      figures.completed = loop.completed.load(std::memory_order_relaxed);
      figures.rejected = loop.rejected.load(std::memory_order_relaxed);
      all.push_back(std::move(figures));
    }
    return all;
  }

 private:
  void run(std::size_t index) {
    name_this_thread({label_.service, label_.name + "-" + std::to_string(index)});
    current_loops = this;
    for (;;) {
      try {
        loops_[index]->context.run();
        return;
      } catch (const std::exception& failure) {
        // Whatever was posted to the loop has thrown; the loop serves others too and goes on.
        logger_.error("loop_handler_threw", {{"loop", label_.name}, {"what", failure.what()}});
      }
    }
  }

  void probe(Loop& loop) {
    loop.lag.expect(clock_.monotonic() + kProbeEvery);
    loop.probe.expires_after(kProbeEvery);
    loop.probe.async_wait([this, &loop](const boost::system::error_code& error) {
      if (error) return;
      loop.lag.arrived(clock_.monotonic());
      probe(loop);
    });
  }

  void leave(Loop& loop) EKIDEN_EXCLUDES(mutex_) {
    loop.in_flight.fetch_sub(1, std::memory_order_relaxed);
    loop.completed.fetch_add(1, std::memory_order_relaxed);
    const MutexLock lock(mutex_);
    if (--in_flight_ == 0) idle_.notify_all();
  }

  void log(const std::exception_ptr& failure) const {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      logger_.error("task_threw", {{"loop", label_.name}, {"what", error.what()}});
    }
  }

  const ExecutorLabel label_;
  const std::string model_;
  const std::int64_t inflight_max_;
  const Clock& clock_;
  const Logger logger_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<std::size_t> turn_ = 0;
  Mutex mutex_;
  CondVar idle_;
  std::int64_t in_flight_ EKIDEN_GUARDED_BY(mutex_) = 0;
  bool stopping_ EKIDEN_GUARDED_BY(mutex_) = false;
  bool joined_ EKIDEN_GUARDED_BY(mutex_) = false;
};

LoopExecutor::LoopExecutor(ExecutorLabel label, const Settings& settings, const Clock& clock,
                           const Logger& logger, FiguresRegistry& figures)
    : state_(std::make_shared<State>(std::move(label), settings, clock, logger)) {
  state_->start();
  figures.add([weak = std::weak_ptr<State>(state_)](std::vector<ExecutorFigures>& out) {
    const auto state = weak.lock();
    if (!state) return;
    for (ExecutorFigures& entry : state->figures()) out.push_back(std::move(entry));
  });
}

LoopExecutor::~LoopExecutor() {
  stop();
}
std::size_t LoopExecutor::loops() const {
  return state_->loops();
}
asio::any_io_executor LoopExecutor::executor(std::size_t loop) const {
  return state_->loop(loop).context.get_executor();
}
asio::any_io_executor LoopExecutor::next_executor() {
  return executor(state_->next());
}
InFlightSlot LoopExecutor::try_enter(std::size_t loop) {
  return InFlightSlot(state_->try_enter(loop));
}
bool LoopExecutor::try_spawn(Task<> task) {
  return state_->try_spawn(state_->next(), std::move(task));
}
bool LoopExecutor::try_spawn_on(std::size_t loop, Task<> task) {
  return state_->try_spawn(loop, std::move(task));
}
void LoopExecutor::stop() {
  state_->stop();
}
bool LoopExecutor::is_own_thread() const {
  return current_loops == state_->key();
}
std::vector<ExecutorFigures> LoopExecutor::figures() const {
  return state_->figures();
}

}  // namespace ekiden::runtime
