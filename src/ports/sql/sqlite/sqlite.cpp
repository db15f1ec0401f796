#include "ports/sql/sqlite/sqlite.hpp"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "ports/sql/sqlite/lane.hpp"
#include "ports/sql/sqlite/reader.hpp"
#include "ports/sql/sqlite/wal_buffer.hpp"
#include "ports/sql/sqlite/writer.hpp"

namespace ekiden::sql {

namespace {

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(SqliteConfig config, const Clock& clock, Logger logger)
      : wal_buffer_(config.durable ? std::make_unique<sqlite::WalBuffer>(config.vfs) : nullptr),
        config_(over(wal_buffer_.get(), std::move(config))),
        logger_(std::move(logger)),
        reads_(config_.queue_max),
        writes_(config_.queue_max),
        writer_(config_, writes_, shared_, clock, logger_) {
    readers_.reserve(static_cast<std::size_t>(config_.readers));
    for (int i = 0; i < config_.readers; ++i) readers_.emplace_back(config_, reads_, shared_, clock, logger_);
  }
  ~SqliteDatabase() override { stop(); }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  Result<void> start() {
    EKIDEN_CHECK(writer_.open());
    for (sqlite::Reader& reader : readers_) EKIDEN_CHECK(reader.open());
    threads_.emplace_back([this] {
      name_this_thread("/write");
      writer_.run();
    });
    for (sqlite::Reader& reader : readers_) {
      threads_.emplace_back([this, &reader] {
        name_this_thread("/read");
        reader.run();
      });
    }
    return {};
  }

  void submit(TxOptions options, TxBody body, TxDone done) override {
    sqlite::JobQueue& queue = options.access == Access::read ? reads_ : writes_;
    Job job{.options = options, .body = std::move(body), .done = std::move(done)};
    if (queue.try_push(std::move(job))) return;
    // A refused job was not moved from.
    // NOLINTBEGIN(bugprone-use-after-move)
    if (stopping_) {
      job.done(Error{Errc::unavailable, "stopping", "the database is being closed; nothing ran"});
    } else {
      job.done(Error{Errc::busy, "queue-full", "too many transactions wait; try again in a moment"});
    }
    // NOLINTEND(bugprone-use-after-move)
  }

  DatabaseFigures figures() const override {
    return {.lanes = readers_.size() + 1,
            .lanes_busy = shared_.busy,
            .queued = reads_.size() + writes_.size(),
            .queue_max = reads_.max() + writes_.max(),
            .committed = shared_.committed,
            .commits = shared_.commits,
            .rolled_back = shared_.rolled_back,
            .retried = shared_.retried};
  }

 private:
  void stop() {
    stopping_ = true;
    reads_.close();
    writes_.close();
    // The readers first, so that the writer's last checkpoint finds nobody in the log.
    while (!threads_.empty()) {
      threads_.back().join();
      threads_.pop_back();
    }
  }

  /// For top, gdb and perf, which show 15 bytes of it.
  void name_this_thread(const char* role) const {
    pthread_setname_np(pthread_self(), (config_.file.stem().string().substr(0, 8) + role).c_str());
  }

  static SqliteConfig over(const sqlite::WalBuffer* buffer, SqliteConfig config) {
    if (buffer != nullptr) config.vfs = buffer->name();
    return config;
  }

  const std::unique_ptr<sqlite::WalBuffer> wal_buffer_;
  const SqliteConfig config_;
  const Logger logger_;
  std::atomic<bool> stopping_{false};
  sqlite::Shared shared_;
  sqlite::JobQueue reads_;
  sqlite::JobQueue writes_;
  sqlite::Writer writer_;
  std::vector<sqlite::Reader> readers_;
  std::vector<std::thread> threads_;  ///< the writer's, then the readers'
};

Result<void> check(const SqliteConfig& config) {
  const auto refuse = [](const char* field, const char* text) {
    return Error{Errc::invalid, "bad-configuration", text, field};
  };
  if (config.file.empty()) return refuse("file", "the database needs a file");
  if (config.queue_max == 0) return refuse("queue_max", "the queue needs room for at least one");
  if (config.readers < 1) return refuse("readers", "there must be at least one lane for reads");
  if (config.group_max == 0) return refuse("group_max", "a group has at least one transaction");
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> make_sqlite(SqliteConfig config, const Clock& clock, Logger logger) {
  EKIDEN_CHECK(check(config));
  auto database = std::make_unique<SqliteDatabase>(std::move(config), clock, std::move(logger));
  EKIDEN_CHECK(database->start());
  return database;
}

}  // namespace ekiden::sql
