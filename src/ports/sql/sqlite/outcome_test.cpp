#include "ports/sql/sqlite/outcome.hpp"

#include <cerrno>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace ekiden::sql::sqlite {
namespace {

struct Case {
  int code;
  int system_errno;
  Errc expected;
  const char* slug;
  bool fault;
};

TEST(SqliteOutcome, EveryKindOfFailureHasItsError) {
  const Case cases[] = {
      {2067, 0, Errc::conflict, "unique", false},
      {1555, 0, Errc::conflict, "unique", false},
      {787, 0, Errc::conflict, "foreign-key", false},
      {275, 0, Errc::conflict, "check", false},
      {1299, 0, Errc::conflict, "not-null", false},
      {SQLITE_CONSTRAINT_TRIGGER, 0, Errc::conflict, "constraint", false},
      {SQLITE_BUSY, 0, Errc::busy, "database-locked", false},
      {SQLITE_BUSY_SNAPSHOT, 0, Errc::busy, "database-locked", false},
      {SQLITE_INTERRUPT, 0, Errc::timeout, "deadline", false},
      {SQLITE_TOOBIG, 0, Errc::too_large, "value-too-large", false},
      {SQLITE_CANTOPEN, EMFILE, Errc::unavailable, "storage-fault", false},
      {SQLITE_NOMEM, ENOMEM, Errc::unavailable, "storage-fault", false},
      {SQLITE_ERROR, 0, Errc::internal, "bad-statement", false},
      {SQLITE_READONLY, 0, Errc::internal, "bad-statement", false},
      {SQLITE_READONLY_DBMOVED, 0, Errc::unavailable, "storage-fault", true},
      {SQLITE_CORRUPT, 0, Errc::unavailable, "storage-fault", true},
      {SQLITE_NOTADB, 0, Errc::unavailable, "storage-fault", true},
      {SQLITE_IOERR_READ, EIO, Errc::unavailable, "storage-fault", true},
      {SQLITE_IOERR_WRITE, EIO, Errc::unavailable, "storage-fault", true},
      {SQLITE_IOERR_FSYNC, EIO, Errc::unavailable, "storage-fault", true},
      // No room: the write did not happen, and nothing that was kept before is touched.
      {SQLITE_FULL, ENOSPC, Errc::storage_full, "storage-full", false},
      {SQLITE_IOERR_WRITE, EDQUOT, Errc::storage_full, "storage-full", false},
      {SQLITE_IOERR_WRITE, EFBIG, Errc::storage_full, "storage-full", false},
      {SQLITE_IOERR_SHMSIZE, ENOSPC, Errc::storage_full, "storage-full", false},
      // But an fsync that found no room may have dropped what it was to keep.
      {SQLITE_IOERR_FSYNC, ENOSPC, Errc::unavailable, "storage-fault", true},
  };
  for (const Case& failure : cases) {
    SCOPED_TRACE(std::to_string(failure.code) + " errno " + std::to_string(failure.system_errno));
    const Error error = to_error(failure.code, failure.system_errno);
    EXPECT_EQ(error.code(), failure.expected);
    EXPECT_EQ(error.slug(), failure.slug);
    EXPECT_EQ(is_fault(failure.code, failure.system_errno), failure.fault);
    EXPECT_EQ(is_locked(error), failure.expected == Errc::busy);
  }
}

}  // namespace
}  // namespace ekiden::sql::sqlite
