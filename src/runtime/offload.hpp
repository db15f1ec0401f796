#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::runtime {

namespace detail {

template <class R>
struct AsResult {
  using type = Result<R>;
};
template <class R>
struct AsResult<Result<R>> {
  using type = Result<R>;
};

enum class Ran : std::uint8_t { done, refused, skipped };

/// Runs `work` on the pool and resumes on the caller's own executor. Where the caller is cancelled while the
/// work is still queued, it is skipped. `work` must keep alive whatever it refers to.
Task<Ran> run_on(WorkerPool& pool, std::move_only_function<void()> work);
/// The same for a thread, which waits. Where `deadline` passes, work that has not begun is skipped; work that
/// has begun goes on without anyone waiting.
Ran run_on_blocking(WorkerPool& pool, std::move_only_function<void()> work, Deadline deadline);

Error refused(Ran ran);
/// Logs the exception that is being handled, and makes it an `internal` error.
Error caught(const WorkerPool& pool);

/// The function and its outcome; shared, as either side may be gone first.
template <class F>
struct Job {
  using R = typename AsResult<std::invoke_result_t<F&>>::type;
  explicit Job(F function) : work(std::move(function)) {}

  void run(const WorkerPool& pool) {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
        work();
        outcome.emplace();
      } else {
        outcome.emplace(work());
      }
    } catch (...) {
      outcome.emplace(caught(pool));
    }
  }

  F work;
  std::optional<R> outcome;
};

}  // namespace detail

/// Runs `work` on the pool, so that it does not hold up a loop, and resumes on the caller's own executor.
/// @param work returns T, Result<T> or void; what it captures is its own (by value, or kept alive by the
/// caller).
/// @errors busy      the pool's queue is full: nothing ran.
///         timeout   the caller was cancelled before the work began: nothing ran.
///         internal  the work threw; it is logged.
///         and those of `work`.
template <class F>
Task<typename detail::Job<F>::R> offload(WorkerPool& pool, F work) {
  auto job = std::make_shared<detail::Job<F>>(std::move(work));
  std::move_only_function<void()> run = [job, &pool] { job->run(pool); };
  const detail::Ran ran = co_await detail::run_on(pool, std::move(run));
  if (ran != detail::Ran::done) co_return detail::refused(ran);
  co_return *std::move(job->outcome);
}

/// `offload` for a thread-per-request service: waits on the calling thread, until `deadline` at the latest.
/// @errors as `offload`; timeout also where the deadline passed while it ran: it may or may not have
/// happened.
/// @threads any, but for the pool's own
template <class F>
typename detail::Job<F>::R run_blocking(WorkerPool& pool, F work, Deadline deadline = {}) {
  auto job = std::make_shared<detail::Job<F>>(std::move(work));
  const detail::Ran ran = detail::run_on_blocking(pool, [job, &pool] { job->run(pool); }, deadline);
  if (ran != detail::Ran::done) return detail::refused(ran);
  return *std::move(job->outcome);
}

}  // namespace ekiden::runtime
