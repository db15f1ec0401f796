#pragma once

#include <string_view>

#include "base/error.hpp"

namespace ekiden::sql::sqlite {

/// What a result code means to a caller.
/// @param code         an extended SQLite result code other than OK, ROW and DONE.
/// @param system_errno what the operating system said last, which tells a full disk from a broken one.
Error to_error(int code, int system_errno);

/// True for codes after which neither the connection nor what the kernel holds of the file can be trusted: a
/// failed fsync may have dropped pages that a later one reports as written.
bool is_fault(int code, int system_errno);

/// True where the error is another process's lock: the same transaction can succeed a moment later.
bool is_locked(const Error& error);

}  // namespace ekiden::sql::sqlite
