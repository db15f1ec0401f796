#include "runtime/timeout.hpp"

#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ekiden::runtime::detail {

namespace {

namespace asio = boost::asio;

/// `||` waits for the first success, so a failure must look like one.
Task<std::exception_ptr> without_throwing(Task<> op) {
  std::exception_ptr failure;
  try {
    co_await std::move(op);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return failure;
}

Task<bool> until(Deadline deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline.at());
  const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

}  // namespace

Task<bool> cancel_at(Task<> op, Deadline deadline) {
  if (deadline.is_never()) {
    co_await std::move(op);
    co_return false;
  }
  using boost::asio::experimental::awaitable_operators::operator||;
  Task<std::exception_ptr> guarded = without_throwing(std::move(op));
  const auto first = co_await (std::move(guarded) || until(deadline));
  if (first.index() == 0 && std::get<0>(first)) std::rethrow_exception(std::get<0>(first));
  co_return first.index() == 1;
}

Error deadline_passed() {
  return {Errc::timeout, "timeout", "The deadline passed before the answer was there."};
}

}  // namespace ekiden::runtime::detail
