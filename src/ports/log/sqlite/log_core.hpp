#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "ports/log/sqlite/appender.hpp"
#include "ports/log/sqlite/log_state.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"

namespace ekiden::log::sqlite {

/// The database, the state in memory, and the one thread that looks after both: it commits what is stored,
/// looks for what other processes have changed, expires members and drops old records. Shared by the log, its
/// producers and its consumers. @threads any; calls block on the database
class LogCore {
 public:
  LogCore(std::unique_ptr<sql::Database> database, const SqliteLogConfig& config, const Clock& clock,
          Logger logger);
  ~LogCore() { stop(); }
  LogCore(const LogCore&) = delete;
  LogCore& operator=(const LogCore&) = delete;

  /// Brings the schema up to date, reads the topics and starts the thread.
  Result<void> open();
  /// Answers what is queued, commits what is stored and ends the thread. Later calls change nothing.
  void stop();

  sql::Database& database() { return *database_; }
  const SqliteLogConfig& config() const { return config_; }
  const Clock& clock() const { return clock_; }
  const Logger& logger() const { return logger_; }
  Appender& appender() { return appender_; }
  CatalogPtr catalog() const EKIDEN_EXCLUDES(mutex_);

  /// Reads topics and bounds anew.
  Result<void> look() EKIDEN_EXCLUDES(mutex_);
  /// Makes durable what is stored. Where it cannot, it is tried again a second later.
  Result<void> commit_stored() EKIDEN_EXCLUDES(mutex_);
  Result<std::int64_t> drop_old() EKIDEN_EXCLUDES(mutex_);
  Result<void> reset(std::string_view group, const TopicPartition& at, CommittedOffset to)
      EKIDEN_EXCLUDES(mutex_);

  Result<Membership> join(const ConsumerConfig& config) EKIDEN_EXCLUDES(mutex_);
  void leave(const Membership& who) EKIDEN_EXCLUDES(mutex_);
  Directive begin_poll(const Membership& who) EKIDEN_EXCLUDES(mutex_);
  void end_poll(const Membership& who) EKIDEN_EXCLUDES(mutex_);
  void released(const Membership& who, const std::vector<TopicPartition>& partitions) EKIDEN_EXCLUDES(mutex_);
  /// Records that are there, without waiting. Errors as Consumer::poll.
  Result<std::vector<Record>> fetch(const Membership& who, std::size_t max) EKIDEN_EXCLUDES(mutex_);
  /// Waits for something to do. False when `until` came first or `wake` was called.
  bool wait(const Membership& who, Instant until) EKIDEN_EXCLUDES(mutex_);
  void wake(const Membership& who) EKIDEN_EXCLUDES(mutex_);
  void set_paused(const Membership& who, const std::vector<TopicPartition>& partitions, bool paused)
      EKIDEN_EXCLUDES(mutex_);
  Result<void> store(const Membership& who, const TopicPartition& at, CommittedOffset next)
      EKIDEN_EXCLUDES(mutex_);

 private:
  /// Partitions whose old records are still to be dropped, and how many were.
  struct DropPass {
    std::vector<PartitionId> left;
    std::int64_t dropped = 0;
  };

  void appended(AppendedRecords records) EKIDEN_EXCLUDES(mutex_);
  DropPass start_dropping() const EKIDEN_EXCLUDES(mutex_);
  /// Drops one chunk.
  Result<void> drop_some(DropPass& pass) EKIDEN_EXCLUDES(mutex_);

  void keep_house() EKIDEN_EXCLUDES(mutex_);
  /// False when the thread is to end.
  bool wait_for_chores(Instant until) EKIDEN_EXCLUDES(mutex_);
  void commit_when_due(Instant now) EKIDEN_EXCLUDES(mutex_);
  void look_around(Instant now) EKIDEN_EXCLUDES(mutex_);
  void go_on_dropping(DropPass& pass);

  const SqliteLogConfig config_;
  const Clock& clock_;
  const Logger logger_;
  const std::unique_ptr<sql::Database> database_;
  mutable Mutex mutex_;
  LogState state_ EKIDEN_GUARDED_BY(mutex_);
  CondVar chores_;
  std::optional<Instant> commit_due_ EKIDEN_GUARDED_BY(mutex_);
  bool stopping_ EKIDEN_GUARDED_BY(mutex_) = false;
  Appender appender_;
  std::jthread housekeeper_;
};

}  // namespace ekiden::log::sqlite
