#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "ports/claims/claims.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::claims {

/// The table of `make_sql_claims`, for a service's list of migrations. Where a service names it otherwise,
/// its own migration makes the same columns.
inline constexpr sql::Migration kClaimsMigration{.name = "claims", .text = R"(
CREATE TABLE claims (
  claim_key TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX claims_expires_at ON claims (expires_at);
)"};

/// Claims as rows of a table, in transactions of their own. Time is the given clock's: processes that share a
/// table need clocks that agree to well below the shortest `ttl`. An epoch is the time of its claim in
/// microseconds, or one more than the last one where that is later, so that epochs grow also over a row that
/// was purged.
/// Every hour, with a claim, it removes rows that ended a day ago, at most 20,000.
/// @param database, clock outlive the claims. @param table [a-z_][a-z0-9_]*, at most 60 bytes.
/// @throws std::invalid_argument for another table's name.
std::unique_ptr<Claims> make_sql_claims(sql::Database& database, const Clock& clock,
                                        std::string table = "claims");

/// Removes up to `limit` rows that were claimed and have ended before `before`; for a service's hourly job.
/// Leave them a day: a clock that goes back further than that could repeat an epoch. @returns how many.
/// Errors as the database's.
Result<std::int64_t> purge_sql_claims(sql::Database& database, Timestamp before, std::int64_t limit,
                                      const std::string& table = "claims");

}  // namespace ekiden::claims
