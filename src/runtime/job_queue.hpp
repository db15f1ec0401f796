#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::runtime {

using JobId = Id<struct JobIdTag>;

/// The table `jobs`. A service that keeps jobs lists it among its migrations.
extern const sql::Migration kJobsMigration;
/// And a later step of it, after the service's own.
extern const sql::Migration kJobsOwnerMigration;

/// Slug of the `conflict` that a runner meets whose job was given to another.
inline constexpr std::string_view kJobTakenOver = "job-taken-over";

/// What is to be done, written in the transaction that makes it necessary.
struct NewJob {
  std::string kind{};        ///< which handler: `settle_challenge`
  std::string key{};         ///< one job of a kind has it; empty: no such bound
  std::string payload{};     ///< the handler's own, usually JSON
  Timestamp run_at{};        ///< not before; the default is at once
  bool again_after = false;  ///< where the job of this key has ended, run it anew
};

/// A job in a runner's hands.
struct Job {
  JobId id{};
  std::string kind{};
  std::string key{};
  std::string payload{};
  int attempt = 1;         ///< from 1; every taking counts, also one that a crash cut short
  std::int64_t epoch = 0;  ///< grows with every taking: an older holder can change nothing any more

  /// True when the program is about to stop: a long handler then keeps where it is and calls
  /// `continue_later`.
  bool stop_requested() const { return run && run->stop->load(); }

  /// Shared between the handler and its runner.
  struct Run {
    std::shared_ptr<const std::atomic<bool>> stop;
    std::atomic<bool> settled = false;  ///< the handler has written the job's end itself, durably
  };
  std::shared_ptr<Run> run{};
};

struct JobStatus {
  JobId id;
  std::string kind;
  std::string key;
  std::string state;  ///< `queued`, `running`, `done`, `dead`
  int attempts = 0;
  double progress = 0;               ///< 0 to 1
  std::optional<std::string> error;  ///< of the last attempt that failed
  Timestamp created_at;
  std::optional<Timestamp> due_at;  ///< queued: not before; running: the lease's end
  std::optional<Timestamp> ended_at;
};

/// Writes and reads jobs, inside the caller's transactions. Errors as Tx::execute. A small value.
/// @threads as the transaction
class JobQueue {
 public:
  JobQueue(const Clock& clock, Ids& ids);

  /// Adds a job; false where its key exists already and nothing was changed. After the commit it goes
  /// straight to this process's runner where that has a place free; else the runner wakes. Where the answer
  /// to the commit was lost, the job begins when its lease ends.
  Result<bool> enqueue(sql::Tx& tx, NewJob job) const;

  /// Ends the job in the handler's own transaction, so that effect and end are one step: the way to write
  /// handlers.
  /// @errors conflict  slug `job-taken-over`: another runner has it now; roll back.
  Result<void> complete(sql::Tx& tx, const Job& job) const;

  /// Ends this attempt without counting it: the job runs again with `payload`, not before `run_at`. For work
  /// in steps. Errors as `complete`.
  Result<void> continue_later(sql::Tx& tx, const Job& job, std::string payload, Timestamp run_at) const;

  /// @param progress 0 to 1. Errors as `complete`.
  Result<void> set_progress(sql::Tx& tx, const Job& job, double progress) const;

  Result<std::optional<JobStatus>> find(sql::Tx& tx, JobId id) const;
  Result<std::optional<JobStatus>> find(sql::Tx& tx, std::string_view kind, std::string_view key) const;
  /// The jobs that were given up, oldest first.
  Result<std::vector<JobStatus>> dead(sql::Tx& tx, std::int64_t limit) const;
  /// Gives a dead job all its attempts again. False where it is not dead.
  Result<bool> revive(sql::Tx& tx, JobId id) const;

  /// Rung after each commit that made work. Set by the runner.
  class Bell;
  const std::shared_ptr<Bell>& bell() const { return bell_; }

 private:
  const Clock* clock_;
  Ids* ids_;
  std::shared_ptr<Bell> bell_;
};

}  // namespace ekiden::runtime
