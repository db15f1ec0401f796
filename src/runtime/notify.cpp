#include "runtime/notify.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.hpp"

namespace ekiden::runtime {

namespace asio = boost::asio;
using Timer = asio::steady_timer;

struct Notify::State {
  /// Takes the ring, if there is one. Otherwise, where `timer` is given, the next ring will cancel it.
  bool take_or_arm(std::shared_ptr<Timer> timer) EKIDEN_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    waiter = std::move(timer);
    return std::exchange(rung, false);
  }

  /// Takes the timer back however a wait ends, also where its loop goes: the bell may outlive the loop.
  struct Armed {
    explicit Armed(std::shared_ptr<State> bell) : state(std::move(bell)) {}
    ~Armed() { state->disarm(); }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;
    std::shared_ptr<State> state;
  };

  void disarm() EKIDEN_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    waiter.reset();
  }

  Mutex mutex;
  bool rung EKIDEN_GUARDED_BY(mutex) = false;
  std::shared_ptr<Timer> waiter EKIDEN_GUARDED_BY(mutex);
};

Notify::Notify() : state_(std::make_shared<State>()) {}

void Notify::ring() const {
  std::shared_ptr<Timer> waiter;
  {
    const MutexLock lock(state_->mutex);
    state_->rung = true;
    waiter = std::exchange(state_->waiter, nullptr);
  }
  // On the waiter's loop the cancelling comes after the wait has begun, so it cannot be missed.
  if (waiter) asio::post(waiter->get_executor(), [waiter] { waiter->cancel(); });
}

Task<bool> Notify::wait(Instant until) const {
  return wait_on(state_, until);
}

Task<bool> Notify::wait_on(std::shared_ptr<State> state, Instant until) {
  auto timer = std::make_shared<Timer>(co_await asio::this_coro::executor, until);
  const State::Armed armed{state};
  if (state->take_or_arm(timer)) co_return true;
  co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return state->take_or_arm(nullptr);
}

}  // namespace ekiden::runtime
