#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/log/sqlite/log_state.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"

namespace ekiden::log::sqlite {

/// Records that became durable in one transaction, by partition, each in order.
using AppendedRecords = std::vector<std::pair<PartitionId, std::vector<RecordPtr>>>;

/// Appends messages: what arrives while a transaction is under way shares the next one. One transaction is
/// under way at a time, so that messages are appended in the order in which they were sent.
/// @threads any
class Appender {
 public:
  /// @param appended is called on the database's lane, before the senders are.
  Appender(sql::Database& database, const SqliteLogConfig& config, const Clock& clock,
           std::function<void(AppendedRecords)> appended);
  /// As `close`.
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  void send(Message message, Delivered done) EKIDEN_EXCLUDES(mutex_);
  void set_catalog(CatalogPtr catalog) EKIDEN_EXCLUDES(mutex_);
  /// Takes nothing more, and waits until everything queued has been answered.
  void close() EKIDEN_EXCLUDES(mutex_);

 private:
  struct Pending {
    Message message;
    Delivered done;
    PartitionId partition = 0;
    std::int32_t number = 0;
  };
  struct Batch {
    std::vector<Pending> pending;
    std::size_t bytes = 0;
    std::vector<Append> appends;
    Timestamp at;
  };
  using BatchPtr = std::shared_ptr<Batch>;

  Result<void> enqueue(Message& message, Delivered& done, BatchPtr& to_submit) EKIDEN_EXCLUDES(mutex_);
  BatchPtr next_batch() EKIDEN_REQUIRES(mutex_);
  void submit(const BatchPtr& batch) EKIDEN_EXCLUDES(mutex_);
  void finished(const BatchPtr& batch, const Result<void>& outcome) EKIDEN_EXCLUDES(mutex_);
  void answer(Batch& batch, const Result<void>& outcome);
  static AppendedRecords to_records(Batch& batch);

  sql::Database& database_;
  const SqliteLogConfig& config_;
  const Clock& clock_;
  const std::function<void(AppendedRecords)> appended_;
  Mutex mutex_;
  CondVar idle_;
  CatalogPtr catalog_ EKIDEN_GUARDED_BY(mutex_) = std::make_shared<Catalog>();
  std::deque<BatchPtr> queue_ EKIDEN_GUARDED_BY(mutex_);  ///< filled at the back, appended from the front
  std::size_t queued_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::size_t queued_bytes_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::size_t unanswered_ EKIDEN_GUARDED_BY(mutex_) = 0;  ///< batches taken and not yet answered
  bool under_way_ EKIDEN_GUARDED_BY(mutex_) = false;
  bool closed_ EKIDEN_GUARDED_BY(mutex_) = false;
};

}  // namespace ekiden::log::sqlite
