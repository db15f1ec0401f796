#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::sql {

struct PostgresConfig {
  /// What libpq connects by: `postgresql://user@host:port/database?…`. A password belongs into a password
  /// file. An address needs no name server, which libpq would wait for.
  std::string url{};
  /// The tables' schema, made when absent: 1 to 63 of [a-z0-9_], a letter first.
  std::string schema{};
  int connections = 8;           ///< lanes, each a connection and its thread
  std::size_t queue_max = 4096;  ///< transactions that wait for a lane
  int race_attempts_max = 30;    ///< how often a body runs where it loses races, then `busy`
  std::chrono::milliseconds connect_timeout{3000};
  /// How long a transaction may wait for a connection while none works; then `unavailable`.
  std::chrono::milliseconds connect_patience{2000};
  /// How long a statement may wait for another transaction's lock; then `busy`.
  std::chrono::milliseconds lock_timeout{5000};
  /// How long the outcome of a commit whose answer was lost is asked for; then `unavailable`.
  std::chrono::milliseconds outcome_patience{10'000};
};

/// A service's schema on a PostgreSQL 15 server: `connections` lanes that take what waits in one queue. Reads
/// run on a snapshot (REPEATABLE READ), writes are SERIALIZABLE; a body that loses a race or whose connection
/// breaks before its commit runs again. Each commit leaves its number in a table of lanes, so where its
/// answer is lost the database itself says what became of it, also after a crash: committed is success, not
/// committed runs again, and only where nobody answers in time it is `unavailable` with the slug
/// `outcome-unknown`. Broken connections are opened anew as
/// they are needed, with growing pauses; meanwhile transactions wait for `connect_patience` and are then
/// `unavailable` with the slug `database-unreachable`: nothing happened. The destructor finishes what is
/// queued. @param clock, random outlive the database
/// @errors unavailable  no connection could be made, or the schema could not.
///         invalid      the configuration: `field` names the member.
Result<std::unique_ptr<Database>> make_postgres(PostgresConfig config, const Clock& clock, Random& random,
                                                Logger logger);

}  // namespace ekiden::sql
