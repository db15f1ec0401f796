#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "ports/sql/postgres/wire.hpp"
#include "ports/sql/value.hpp"

namespace ekiden::sql::postgres {

/// The first `count` of `params` as libpq takes them. Points into `params`.
/// @errors internal: fewer than `count`, NaN, a text with NUL or that is not UTF-8. too_large: beyond 256
/// MiB.
Result<Arguments> to_arguments(const Params& params, std::size_t count);

/// Bytes that the arguments take on the wire, about.
std::size_t size_of(const Arguments& arguments);

/// The rows of an answer in binary format.
/// @errors internal: a column's type is none of the port's; cast it in the statement.
Result<Rows> to_rows(const PGresult* result);

/// The number of a command tag, 0 where it does not count changes.
std::int64_t changed_rows(PGresult* result);

}  // namespace ekiden::sql::postgres
