#include "runtime/sql_task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ekiden::runtime {

namespace {

namespace asio = boost::asio;

/// Resumes the waiting coroutine on its own executor, which is kept from ending until then.
template <class Handler>
sql::TxDone resume(Handler handler, const asio::any_io_executor& executor) {
  return
      [handler = std::move(handler), guard = asio::make_work_guard(executor)](Result<void> outcome) mutable {
        const asio::any_io_executor back = guard.get_executor();
        asio::post(back, [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
          std::move(handler)(std::move(outcome));
        });
        guard.reset();
      };
}

}  // namespace

Task<Result<void>> transact(sql::Database& database, sql::TxOptions options, sql::TxBody body) {
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto start = [](auto handler, sql::Database* to, sql::TxOptions with, asio::any_io_executor back,
                  sql::TxBody run) { to->submit(with, std::move(run), resume(std::move(handler), back)); };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
      start, asio::use_awaitable, &database, options, std::move(executor), std::move(body));
}

}  // namespace ekiden::runtime
