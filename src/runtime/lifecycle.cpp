#include "runtime/lifecycle.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mutex.hpp"

namespace ekiden::runtime {

class Lifecycle::State {
 public:
  State(const Clock& clock, const Logger& logger) : clock_(clock), logger_(logger) {}

  ~State() {
    begin_stopping();
    if (stopper_.joinable()) stopper_.join();
  }

  void add(Stage&& stage) { stages_.push_back(std::move(stage)); }

  Result<void> start() {
    while (started_ < stages_.size()) {
      const Stage& stage = stages_[started_];
      try {
        if (stage.start) stage.start();
      } catch (const std::exception& failure) {
        logger_.error("stage_start_failed", {{"stage", stage.name}, {"what", failure.what()}});
        std::string text = "The stage " + stage.name + " did not start: " + failure.what();
        stop_all();
        return Error{Errc::internal, "start-failed", std::move(text)};
      }
      ++started_;
    }
    return {};
  }

  StopReport stop(Instant until) EKIDEN_EXCLUDES(mutex_) {
    begin_stopping();
    const MutexLock lock(mutex_);
    while (!ended_) {
      if (!changed_.wait_until(mutex_, until)) break;
    }
    StopReport report;
    report.stopped = stopped_;
    if (!ended_) {
      report.stuck = stopping_;
      logger_.error("stage_stuck", {{"stage", stopping_}});
    }
    return report;
  }

 private:
  void begin_stopping() {
    if (!stopper_.joinable()) stopper_ = std::thread([this] { stop_all(); });
  }

  /// On the stopper's thread; `started_` is its own from then on.
  void stop_all() EKIDEN_EXCLUDES(mutex_) {
    while (started_ > 0) {
      const Stage& stage = stages_[started_ - 1];
      {
        const MutexLock lock(mutex_);
        stopping_ = stage.name;
      }
      const Instant begun = clock_.monotonic();
      try {
        if (stage.stop) stage.stop();
      } catch (const std::exception& failure) {
        logger_.error("stage_stop_failed", {{"stage", stage.name}, {"what", failure.what()}});
      }
      const Duration took = clock_.monotonic() - begun;
      logger_.info("stage_stopped",
                   {{"stage", stage.name},
                    {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
      --started_;
      const MutexLock lock(mutex_);
      stopped_.push_back({stage.name, took});
    }
    const MutexLock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  const Clock& clock_;
  const Logger logger_;
  std::vector<Stage> stages_;
  std::size_t started_ = 0;
  std::thread stopper_;
  Mutex mutex_;
  CondVar changed_;
  bool ended_ EKIDEN_GUARDED_BY(mutex_) = false;
  std::string stopping_ EKIDEN_GUARDED_BY(mutex_);
  std::vector<StopReport::Part> stopped_ EKIDEN_GUARDED_BY(mutex_);
};

Lifecycle::Lifecycle(const Clock& clock, const Logger& logger)
    : state_(std::make_unique<State>(clock, logger)) {}
Lifecycle::~Lifecycle() = default;
void Lifecycle::add(Stage stage) {
  state_->add(std::move(stage));
}
Result<void> Lifecycle::start() {
  return state_->start();
}
// A condition variable waits on the machine's own clock.
StopReport Lifecycle::stop(Duration grace) {
  return state_->stop(SystemClock().monotonic() + grace);
}

namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  requests_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signals_ < 0 || requests_ < 0) throw std::system_error(errno, std::generic_category(), "signals");
}

StopSignals::~StopSignals() {
  ::close(signals_);
  ::close(requests_);
}

int StopSignals::wait() {
  std::array<pollfd, 2> waits{{{signals_, POLLIN, 0}, {requests_, POLLIN, 0}}};
  for (;;) {
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "poll");
    }
    int number = -1;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      number = static_cast<int>(info.ssi_signo);
    }
    std::uint64_t count = 0;
    if (number < 0 && ::read(requests_, &count, sizeof count) == static_cast<ssize_t>(sizeof count))
      number = 0;
    if (number < 0) continue;
    const sigset_t set = stop_set();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    return number;
  }
}

void StopSignals::request() {
  const std::uint64_t one = 1;
  // It fails only where a request is waiting already.
  [[maybe_unused]] const ssize_t written = ::write(requests_, &one, sizeof one);
}

}  // namespace ekiden::runtime
