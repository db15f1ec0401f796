#include "ports/sql/postgres/postgres.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "ports/sql/postgres/job_queue.hpp"
#include "ports/sql/postgres/lane.hpp"

namespace ekiden::sql {

namespace {

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(PostgresConfig config, const Clock& clock, Random& random, Logger logger)
      : config_(std::move(config)), logger_(std::move(logger)), queue_(config_.queue_max, clock) {
    lanes_.reserve(static_cast<std::size_t>(config_.connections));
    for (int i = 0; i < config_.connections; ++i)
      lanes_.emplace_back(config_, queue_, shared_, clock, random, logger_);
  }
  ~PostgresDatabase() override { stop(); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  Result<void> start() {
    EKIDEN_CHECK(lanes_.front().open());
    EKIDEN_CHECK(lanes_.front().make_schema());
    for (postgres::Lane& lane : lanes_) threads_.emplace_back([&lane] { lane.run(); });
    threads_.emplace_back([this] { keep(); });
    return {};
  }

  void submit(TxOptions options, TxBody body, TxDone done) override {
    Job job{.options = options, .body = std::move(body), .done = std::move(done)};
    if (shared_.is_down_for(config_.connect_patience)) return job.done(postgres::unreachable_error());
    if (queue_.try_push(std::move(job))) return;
    // A refused job was not moved from.
    // NOLINTBEGIN(bugprone-use-after-move)
    if (shared_.is_stopping()) {
      job.done(Error{Errc::unavailable, "stopping", "the database is being closed; nothing ran"});
    } else {
      job.done(Error{Errc::busy, "queue-full", "too many transactions wait; try again in a moment"});
    }
    // NOLINTEND(bugprone-use-after-move)
  }

  DatabaseFigures figures() const override {
    return {.lanes = lanes_.size(),
            .lanes_busy = shared_.busy,
            .queued = queue_.size(),
            .queue_max = queue_.max(),
            .committed = shared_.committed,
            .commits = shared_.committed,
            .rolled_back = shared_.rolled_back,
            .retried = shared_.retried};
  }

 private:
  /// Answers what waits in vain: for a lane beyond its deadline, or for a server that does not come back.
  void keep() {
    while (auto late = queue_.take_late()) {
      refuse(std::move(*late), deadline_error());
      if (shared_.is_down_for(config_.connect_patience))
        refuse(queue_.take_all(), postgres::unreachable_error());
    }
  }

  void refuse(std::vector<Job> jobs, const Error& error) {
    Actions none;
    for (Job& job : jobs) {
      if (job.options.access != Access::read) ++shared_.rolled_back;
      answer(job, error, none, logger_);
    }
  }

  void stop() {
    shared_.stop();
    queue_.close();
    for (std::thread& thread : threads_) thread.join();
    // Only where no lane had a connection any more.
    refuse(queue_.take_all(), postgres::unreachable_error());
  }

  const PostgresConfig config_;
  const Logger logger_;
  postgres::Shared shared_;
  postgres::JobQueue queue_;
  std::vector<postgres::Lane> lanes_;
  std::vector<std::thread> threads_;  ///< one for each lane, and the keeper's
};

bool is_schema_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_rest = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= 63 && is_letter(name.front()) &&
         std::ranges::all_of(name, is_rest) && !name.starts_with("pg_");
}

Result<void> check(const PostgresConfig& config) {
  const auto refuse = [](const char* field, const char* text) {
    return Error{Errc::invalid, "bad-configuration", text, field};
  };
  if (config.url.empty()) return refuse("url", "the database needs a URL");
  if (!is_schema_name(config.schema))
    return refuse("schema", "a schema is named by [a-z0-9_], a letter first");
  if (config.connections < 1) return refuse("connections", "there must be at least one connection");
  if (config.queue_max == 0) return refuse("queue_max", "the queue needs room for at least one");
  if (config.race_attempts_max < 1) return refuse("race_attempts_max", "a body runs at least once");
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> make_postgres(PostgresConfig config, const Clock& clock, Random& random,
                                                Logger logger) {
  EKIDEN_CHECK(check(config));
  auto database = std::make_unique<PostgresDatabase>(std::move(config), clock, random, std::move(logger));
  EKIDEN_CHECK(database->start());
  return database;
}

}  // namespace ekiden::sql
