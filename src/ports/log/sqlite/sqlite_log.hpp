#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/log/log.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::log {

struct SqliteLogConfig {
  std::size_t queue_max = 65'536;                  ///< messages that wait to be appended
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  ///< and their bytes
  std::size_t batch_max = 1'024;                   ///< messages that are appended in one transaction
  std::size_t batch_bytes_max = 4 * 1024 * 1024;
  std::size_t tail_bytes_max = 64 * 1024 * 1024;  ///< newest records kept in memory, over all partitions
  std::size_t fetch_bytes_max = 8 * 1024 * 1024;  ///< read from the tables for one poll
  std::chrono::milliseconds commit_every{250};    ///< stored offsets become durable so soon
  std::chrono::milliseconds look_every{200};      ///< for records, topics and resets of other processes
  std::chrono::hours drop_every{1};               ///< retention
};

/// Opens the log in a database of its own: made there when it is empty. Other processes may append to the
/// same file, read it and reset offsets; the members of one group must all live in one process.
/// Append to poll takes no detour over the disk for consumers that keep up.
/// @param database has nothing else in it; its acknowledged transactions are as durable as it makes them.
/// @param clock    its monotonic time must be the machine's: waiting is done by it.
/// The log outlives its consumers and producers; its destructor appends what is queued and commits what is
/// stored.
/// @errors unavailable the database does not answer; internal its schema is not this program's.
Result<std::unique_ptr<Log>> make_sqlite_log(std::unique_ptr<sql::Database> database, SqliteLogConfig config,
                                             const Clock& clock, Logger logger);

}  // namespace ekiden::log
