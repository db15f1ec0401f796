#include "ports/sql/postgres/outcome.hpp"

#include <gtest/gtest.h>

namespace ekiden::sql::postgres {
namespace {

struct Case {
  const char* state;
  Errc expected;
  const char* slug;
  Remedy remedy;
};

TEST(PostgresOutcome, EveryKindOfFailureHasItsErrorAndItsRemedy) {
  const Case cases[] = {
      {"23505", Errc::conflict, "unique", Remedy::none},
      {"23503", Errc::conflict, "foreign-key", Remedy::none},
      {"23514", Errc::conflict, "check", Remedy::none},
      {"23502", Errc::conflict, "not-null", Remedy::none},
      {"23P01", Errc::conflict, "constraint", Remedy::none},
      {"40001", Errc::unavailable, "race-lost", Remedy::again},
      {"40P01", Errc::unavailable, "race-lost", Remedy::again},
      {"55P03", Errc::busy, "database-locked", Remedy::none},
      {"57014", Errc::timeout, "deadline", Remedy::none},
      {"57P01", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"57P03", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"25P03", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"08006", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"53300", Errc::unavailable, "connection-lost", Remedy::reconnect},
      {"53100", Errc::storage_full, "storage-full", Remedy::none},
      {"53200", Errc::unavailable, "storage-fault", Remedy::none},
      {"54000", Errc::too_large, "value-too-large", Remedy::none},
      {"58030", Errc::unavailable, "storage-fault", Remedy::none},
      {"XX001", Errc::unavailable, "storage-fault", Remedy::none},
      {"XX000", Errc::internal, "bad-statement", Remedy::none},
      // The number of parameters is wrong: ours, and not the connection's fault.
      {"08P01", Errc::internal, "bad-statement", Remedy::none},
      {"25006", Errc::internal, "bad-statement", Remedy::none},
      {"22012", Errc::internal, "bad-statement", Remedy::none},
      {"0A000", Errc::internal, "bad-statement", Remedy::reprepare},
      {"22P02", Errc::internal, "bad-statement", Remedy::reprepare},
      {"42P01", Errc::internal, "bad-statement", Remedy::reprepare},
  };
  for (const Case& failure : cases) {
    SCOPED_TRACE(failure.state);
    const Failure found = to_failure(failure.state);
    EXPECT_EQ(found.error.code(), failure.expected);
    EXPECT_EQ(found.error.slug(), failure.slug);
    EXPECT_EQ(found.remedy, failure.remedy);
  }
}

}  // namespace
}  // namespace ekiden::sql::postgres
