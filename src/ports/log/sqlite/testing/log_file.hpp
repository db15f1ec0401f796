#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/testing/folder.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace ekiden::log::sqlite::testing {

/// The machine's clock, with its wall time moved on by hand.
class ShiftedClock final : public Clock {
 public:
  Timestamp now() const override { return system_.now() + std::chrono::microseconds{shift_us_.load()}; }
  Instant monotonic() const override { return system_.monotonic(); }
  void shift(std::chrono::microseconds by) { shift_us_ += by.count(); }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> shift_us_ = 0;
};

/// Where log lines of a test go.
class Silence final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

using ekiden::testing::Folder;

/// Opens the log in `folder`; throws where it cannot.
inline std::unique_ptr<Log> open_log(const std::filesystem::path& folder, const Clock& clock, LogSink& sink,
                                     bool durable, SqliteLogConfig config = {}) {
  sql::SqliteConfig file;
  file.file = folder / "log.db";
  file.durable = durable;
  const Logger logger(sink, clock);
  auto database = sql::make_sqlite(file, clock, logger);
  if (!database) throw std::runtime_error(database.error().text());
  auto log = make_sqlite_log(*std::move(database), config, clock, logger);
  if (!log) throw std::runtime_error(log.error().text());
  return *std::move(log);
}

}  // namespace ekiden::log::sqlite::testing
