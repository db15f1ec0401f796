#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::sql {

struct SqliteConfig {
  std::filesystem::path file{};  ///< made when absent (mode 0600); its folder must exist
  /// Every commit waits for the disk. False only for tests and measurements: a power cut can then lose
  /// acknowledged transactions.
  bool durable = true;
  std::size_t queue_max = 4096;                  ///< transactions that wait, of reads and of writes each
  int readers = 2;                               ///< lanes for reads, at least 1; writes have one lane
  std::size_t group_max = 256;                   ///< write transactions that share a commit
  std::chrono::milliseconds busy_timeout{5000};  ///< how long another process may hold the write lock
  std::size_t cache_kib = 16 * 1024;             ///< page cache of each lane; idle readers keep less
  /// Called once, on the writer's thread, when the file cannot be trusted any more and no write will succeed:
  /// the process should end.
  std::function<void()> on_fatal{};
  std::string vfs{};           ///< tests only: the SQLite VFS to use, empty for the system's
  std::int64_t pages_max = 0;  ///< tests only: the file's cap in pages of 4 KiB, 0 for none
};

/// Opens a database file: one lane that writes, with group commit, and `readers` lanes that read snapshots.
/// The destructor finishes what is queued. Other processes may use the file at the same time.
///
/// After an I/O error or damage on any lane, what was in flight is answered `unavailable` and no write is
/// acknowledged until the file has been opened anew and checked as a whole; where that fails, every later
/// write is `unavailable`, `on_fatal` is called, and reads go on as far as they can.
/// @errors unavailable  the file cannot be opened, or is not a database.
///         invalid      the configuration: `field` names the member.
Result<std::unique_ptr<Database>> make_sqlite(SqliteConfig config, const Clock& clock, Logger logger);

}  // namespace ekiden::sql
