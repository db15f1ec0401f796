#pragma once

#include <memory>
#include <optional>

#include "ports/sql/sqlite/lane.hpp"

namespace ekiden::sql::sqlite {

/// Runs read transactions, each on a snapshot of its own. @threads its lane's
class Reader {
 public:
  Reader(const SqliteConfig& config, JobQueue& queue, Shared& shared, const Clock& clock,
         const Logger& logger)
      : config_(config), queue_(queue), shared_(shared), clock_(clock), logger_(logger) {}

  Result<void> open();
  /// Until the queue is closed and empty.
  void run();

 private:
  std::optional<Job> next();
  void serve(Job job);
  Result<void> attempt(Job& job, Actions& actions);

  const SqliteConfig& config_;
  JobQueue& queue_;
  Shared& shared_;
  const Clock& clock_;
  const Logger& logger_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace ekiden::sql::sqlite
