#include "runtime/task_group.hpp"

#include <list>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/mutex.hpp"
#include "runtime/notify.hpp"

namespace ekiden::runtime {

namespace asio = boost::asio;

class TaskGroup::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor executor, const Logger& logger, std::size_t tasks_max)
      : executor_(std::move(executor)), logger_(logger), tasks_max_(tasks_max) {}

  bool spawn(std::string&& name, Task<>&& task) EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (stopping_ || running_ >= tasks_max_) return false;
      ++running_;
    }
    asio::post(executor_,
               [self = shared_from_this(), name = std::move(name), task = std::move(task)]() mutable {
                 self->begin(std::move(name), std::move(task));
               });
    return true;
  }

  void request_stop() EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    asio::post(executor_, [self = shared_from_this()] {
      // Emitting may end a task and so take its signal out of the list: go over what is there now.
      std::vector<std::shared_ptr<asio::cancellation_signal>> signals(self->signals_.begin(),
                                                                      self->signals_.end());
      for (const auto& signal : signals) signal->emit(asio::cancellation_type::all);
    });
  }

  bool is_stopping() const EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return stopping_;
  }

  std::size_t size() const EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return running_;
  }

  void wait() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (running_ > 0) empty_.wait(mutex_);
  }

  /// A bell that rings when no task is left.
  Notify on_empty() EKIDEN_EXCLUDES(mutex_) {
    Notify bell;
    const MutexLock lock(mutex_);
    if (running_ == 0) {
      bell.ring();
    } else {
      bells_.push_back(bell);
    }
    return bell;
  }

 private:
  /// On the group's loop, as is all use of `signals_`.
  void begin(std::string&& name, Task<>&& task) {
    auto signal = std::make_shared<asio::cancellation_signal>();
    const auto place = signals_.insert(signals_.end(), signal);
    auto done = [self = shared_from_this(), place,
                 name = std::move(name)](const std::exception_ptr& failure) {
      if (failure) self->log(name, failure);
      self->signals_.erase(place);
      self->ended();
    };
    asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(done)));
    // A stop between `spawn` and here found no signal of this task.
    if (is_stopping()) signal->emit(asio::cancellation_type::all);
  }

  void ended() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (--running_ > 0) return;
    for (const Notify& bell : bells_) bell.ring();
    bells_.clear();
    empty_.notify_all();
  }

  void log(const std::string& name, const std::exception_ptr& failure) const {
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted && is_stopping()) return;
      logger_.error("task_threw", {{"task", name}, {"what", error.what()}});
    } catch (const std::exception& error) {
      logger_.error("task_threw", {{"task", name}, {"what", error.what()}});
    }
  }

  const asio::any_io_executor executor_;
  const Logger logger_;
  const std::size_t tasks_max_;
  std::list<std::shared_ptr<asio::cancellation_signal>> signals_;
  mutable Mutex mutex_;
  CondVar empty_;
  std::size_t running_ EKIDEN_GUARDED_BY(mutex_) = 0;
  bool stopping_ EKIDEN_GUARDED_BY(mutex_) = false;
  std::vector<Notify> bells_ EKIDEN_GUARDED_BY(mutex_);
};

namespace {

Task<> wait_for(Notify bell) {
  co_await bell.wait();
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, const Logger& logger, std::size_t tasks_max)
    : state_(std::make_shared<State>(std::move(executor), logger, tasks_max)) {}
TaskGroup::~TaskGroup() {
  stop_and_wait();
}
bool TaskGroup::spawn(std::string name, Task<> task) {
  return state_->spawn(std::move(name), std::move(task));
}
void TaskGroup::request_stop() {
  state_->request_stop();
}
bool TaskGroup::is_stopping() const {
  return state_->is_stopping();
}
Task<> TaskGroup::join() const {
  return wait_for(state_->on_empty());
}
void TaskGroup::stop_and_wait() {
  state_->request_stop();
  state_->wait();
}
std::size_t TaskGroup::size() const {
  return state_->size();
}

}  // namespace ekiden::runtime
