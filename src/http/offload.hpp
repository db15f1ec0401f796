#pragma once

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

/// Runs `job` where it may block and waits for what it returns.
/// @errors busy  the offload's queue is full; the job did not run.
template <class T>
runtime::Task<Result<T>> run_blocking(const Offload& offload, std::move_only_function<Result<T>()> job) {
  namespace asio = boost::asio;
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto shared = std::make_shared<std::pair<std::move_only_function<Result<T>()>, std::optional<Result<T>>>>();
  shared->first = std::move(job);
  auto initiate = [&offload, executor, shared](auto handler) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    // The handler must not be destroyed on the other thread, nor run inside its initiation: always by post.
    auto resume = [executor, kept] { asio::post(executor, [kept] { std::move (*kept)(); }); };
    auto run = [shared, resume] {
      shared->second = shared->first();
      resume();
    };
    if (!offload(std::move(run))) resume();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  if (!shared->second) co_return Error{Errc::busy, "busy", "The server is busy: try again in a moment."};
  co_return *std::move(shared->second);
}

}  // namespace ekiden::http
