#pragma once

#include <expected>
#include <utility>

#include "base/error.hpp"

namespace ekiden {

/// A value, or the Error that kept it from being. Dropping one is a compile error.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  using Base = std::expected<T, Error>;

 public:
  using Base::Base;
  /// So that a function can simply `return Error{…}`.
  Result(Error error) : Base(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}                    // NOLINT(google-explicit-constructor)
};

}  // namespace ekiden

#define EKIDEN_CONCAT_INNER(a, b) a##b
#define EKIDEN_CONCAT(a, b) EKIDEN_CONCAT_INNER(a, b)
#define EKIDEN_TRY_IMPL(temporary, declaration, ...)   \
  auto temporary = __VA_ARGS__;                        \
  if (!temporary) return std::move(temporary).error(); \
  declaration = *std::move(temporary)
#define EKIDEN_CO_TRY_IMPL(temporary, declaration, ...)   \
  auto temporary = __VA_ARGS__;                           \
  if (!temporary) co_return std::move(temporary).error(); \
  declaration = *std::move(temporary)

/// `EKIDEN_TRY(auto rows, tx.query(…));` declares `rows`, or returns the error to the caller.
#define EKIDEN_TRY(declaration, ...) \
  EKIDEN_TRY_IMPL(EKIDEN_CONCAT(try_result_, __LINE__), declaration, __VA_ARGS__)
/// The same for a `Result<void>`.
#define EKIDEN_CHECK(...) \
  if (auto check_result = (__VA_ARGS__); !check_result) return std::move(check_result).error()
/// The same two inside a coroutine.
#define EKIDEN_CO_TRY(declaration, ...) \
  EKIDEN_CO_TRY_IMPL(EKIDEN_CONCAT(try_result_, __LINE__), declaration, __VA_ARGS__)
#define EKIDEN_CO_CHECK(...) \
  if (auto check_result = (__VA_ARGS__); !check_result) co_return std::move(check_result).error()
