#include "ports/sql/sqlite/outcome.hpp"

#include <cerrno>

#include <sqlite3.h>

namespace ekiden::sql::sqlite {

namespace {

constexpr std::string_view kLocked = "database-locked";

bool means_no_space(int code, int system_errno) {
  if (code == SQLITE_FULL) return true;
  // A failed fsync is never "just full": what it did not write may be gone.
  const bool harmless = code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE;
  return harmless && (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG);
}

Error constraint_error(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {Errc::conflict, "unique", "another row has this value already"};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {Errc::conflict, "foreign-key", "the row that it refers to is missing, or others refer to it"};
    case SQLITE_CONSTRAINT_CHECK:
      return {Errc::conflict, "check", "a value is outside of what the table allows"};
    case SQLITE_CONSTRAINT_NOTNULL:
      return {Errc::conflict, "not-null", "a value that the table needs is missing"};
    default:
      return {Errc::conflict, "constraint", "a rule of the table refuses it"};
  }
}

}  // namespace

bool is_fault(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    case SQLITE_IOERR:
      return !means_no_space(code, system_errno);
    default:
      return code == SQLITE_READONLY_DBMOVED;
  }
}

Error to_error(int code, int system_errno) {
  if (means_no_space(code, system_errno)) {
    return {Errc::storage_full, "storage-full", "there is no room left to keep it"};
  }
  if (is_fault(code, system_errno)) {
    return {Errc::unavailable, "storage-fault", "the storage failed; it may or may not have been kept"};
  }
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return constraint_error(code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {Errc::busy, std::string(kLocked), "another process holds the database; try again in a moment"};
    case SQLITE_INTERRUPT:
      return {Errc::timeout, "deadline", "the deadline passed before the answer was complete"};
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
      return {Errc::unavailable, "storage-fault", "the storage does not answer"};
    case SQLITE_TOOBIG:
      return {Errc::too_large, "value-too-large", "a value is larger than the database keeps"};
    default:
      return {Errc::internal, "bad-statement", "a statement of this program failed"};
  }
}

bool is_locked(const Error& error) {
  return error.code() == Errc::busy && error.slug() == kLocked;
}

}  // namespace ekiden::sql::sqlite
