#include "runtime/offload.hpp"

#include <stdexcept>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.hpp"

namespace ekiden::runtime::detail {

namespace {

namespace asio = boost::asio;
using Work = std::move_only_function<void()>;

/// Queued work's way from queued to begun or skipped, decided once.
class Start {
 public:
  /// True where the caller of this may go on: the other side has not decided before.
  bool decide() { return !decided_.exchange(true); }

 private:
  std::atomic<bool> decided_ = false;
};

/// What a waiting thread and the pool share.
struct Waiting {
  Mutex mutex;
  CondVar changed;
  bool done EKIDEN_GUARDED_BY(mutex) = false;
};

template <class Handler>
void complete_on(const asio::any_io_executor& executor, Handler handler, Ran ran) {
  asio::post(executor, [handler = std::move(handler), ran]() mutable { std::move(handler)(ran); });
}

template <class Handler>
void initiate(Handler handler, WorkerPool* pool, asio::any_io_executor executor, Work work) {
  const auto start = std::make_shared<Start>();
  // Shared, as a refused or skipped run must complete the handler too.
  const auto shared = std::make_shared<Handler>(std::move(handler));
  const auto guard = std::make_shared<asio::executor_work_guard<asio::any_io_executor>>(executor);
  auto slot = asio::get_associated_cancellation_slot(*shared);
  const bool posted = pool->try_post([start, shared, guard, executor, work = std::move(work)]() mutable {
    if (!start->decide()) return;
    work();
    work = nullptr;
    complete_on(executor, std::move(*shared), Ran::done);
  });
  if (!posted) return complete_on(executor, std::move(*shared), Ran::refused);
  if (!slot.is_connected()) return;
  slot.assign([start, shared, guard, executor](asio::cancellation_type) {
    if (start->decide()) complete_on(executor, std::move(*shared), Ran::skipped);
  });
}

}  // namespace

Task<Ran> run_on(WorkerPool& pool, Work work) {
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto start = [](auto handler, WorkerPool* to, asio::any_io_executor back, Work job) {
    initiate(std::move(handler), to, std::move(back), std::move(job));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Ran)>(
      start, asio::use_awaitable, &pool, std::move(executor), std::move(work));
}

Ran run_on_blocking(WorkerPool& pool, Work work, Deadline deadline) {
  if (pool.is_own_thread()) throw std::logic_error("a pool's thread must not wait for its own pool");
  const auto start = std::make_shared<Start>();
  const auto waiting = std::make_shared<Waiting>();
  const bool posted = pool.try_post([start, waiting, work = std::move(work)]() mutable {
    if (!start->decide()) return;
    work();
    const MutexLock lock(waiting->mutex);
    waiting->done = true;
    waiting->changed.notify_all();
  });
  if (!posted) return Ran::refused;
  const MutexLock lock(waiting->mutex);
  while (!waiting->done) {
    if (deadline.is_never()) {
      waiting->changed.wait(waiting->mutex);
    } else if (!waiting->changed.wait_until(waiting->mutex, deadline.at())) {
      break;
    }
  }
  if (waiting->done) return Ran::done;
  (void)start->decide();
  return Ran::skipped;
}

Error refused(Ran ran) {
  if (ran == Ran::refused) return {Errc::busy, "busy", "Too much work is waiting: try again in a moment."};
  return {Errc::timeout, "timeout", "The deadline passed before the answer was there."};
}

Error caught(const WorkerPool& pool) {
  try {
    throw;
  } catch (const std::exception& failure) {
    pool.logger().error("offloaded_work_threw", {{"what", failure.what()}});
  }
  return {Errc::internal, "internal", "Something went wrong inside."};
}

}  // namespace ekiden::runtime::detail
