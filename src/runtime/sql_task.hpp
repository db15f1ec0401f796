#pragma once

#include <memory>
#include <optional>
#include <type_traits>

#include "ports/sql/sql.hpp"
#include "runtime/task.hpp"

namespace ekiden::runtime {

/// `Database::submit` as a coroutine: the body runs on a lane, the caller resumes on its own executor. Errors
/// as `submit`. A cancelled caller still waits for the outcome: a transaction that has begun is not given up
/// halfway.
Task<Result<void>> transact(sql::Database& database, sql::TxOptions options, sql::TxBody body);

namespace detail {

template <class Body>
auto transact_value(sql::Database& database, sql::TxOptions options, Body body)
    -> Task<std::invoke_result_t<Body&, sql::Tx&>> {
  using R = std::invoke_result_t<Body&, sql::Tx&>;
  if constexpr (std::is_same_v<R, Result<void>>) {
    co_return co_await transact(database, options, sql::TxBody(std::move(body)));
  } else {
    auto value = std::make_shared<std::optional<R>>();
    sql::TxBody keep = [value, body = std::move(body)](sql::Tx& tx) mutable -> Result<void> {
      value->emplace(body(tx));
      if (!**value) return (*value)->error();
      return {};
    };
    Result<void> outcome = co_await transact(database, options, std::move(keep));
    if (!outcome) co_return std::move(outcome).error();
    co_return *std::move(*value);
  }
}

}  // namespace detail

/// A write transaction whose body returns a Result: `co_await runtime::write(db, [id](sql::Tx& tx) {…})`. The
/// body owns what it captures, and may run more than once. Errors as `submit`, and the body's own.
template <class Body>
auto write(sql::Database& database, Body body, Deadline deadline = {})
    -> Task<std::invoke_result_t<Body&, sql::Tx&>> {
  return detail::transact_value(database, {.access = sql::Access::write, .deadline = deadline},
                                std::move(body));
}

/// A read transaction; otherwise as `write`.
template <class Body>
auto read(sql::Database& database, Body body, Deadline deadline = {})
    -> Task<std::invoke_result_t<Body&, sql::Tx&>> {
  return detail::transact_value(database, {.access = sql::Access::read, .deadline = deadline},
                                std::move(body));
}

}  // namespace ekiden::runtime
