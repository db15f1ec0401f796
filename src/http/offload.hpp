#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.hpp"
#include "http/server.hpp"

namespace ekiden::http {

/// What a job on another thread and the coroutine that waits for it share: either may be gone first.
template <class T>
struct BlockingJob {
  std::move_only_function<Result<T>()> work;
  std::optional<Result<T>> outcome;
  std::exception_ptr failed;

  void run() {
    try {
      outcome = work();
    } catch (...) {
      failed = std::current_exception();
    }
  }
};

/// Runs `work` where it may block and waits for what it returns; what it throws is thrown here.
/// @errors busy  the offload's queue is full; the work did not run.
template <class T>
runtime::Task<Result<T>> run_blocking(const Offload& offload, std::move_only_function<Result<T>()> work) {
  namespace asio = boost::asio;
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto job = std::make_shared<BlockingJob<T>>(std::move(work));
  auto initiate = [&offload, executor, job](auto handler) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    // Never run inside its own initiation: always by post.
    auto resume = [executor, kept] { asio::post(executor, [kept] { std::move (*kept)(); }); };
    auto run = [job, resume] {
      job->run();
      resume();
    };
    if (!offload(std::move(run))) resume();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  if (job->failed) std::rethrow_exception(job->failed);
  if (!job->outcome) co_return Error{Errc::busy, "busy", "The server is busy: try again in a moment."};
  co_return *std::move(job->outcome);
}

}  // namespace ekiden::http
