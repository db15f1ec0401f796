#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "ports/sql/job.hpp"
#include "ports/sql/postgres/connection.hpp"
#include "ports/sql/postgres/job_queue.hpp"

namespace ekiden::sql::postgres {

/// What the lanes of one database share. @threads any
class Shared {
 public:
  std::atomic<std::size_t> busy{0};
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> rolled_back{0};
  std::atomic<std::uint64_t> retried{0};
  std::atomic<std::uint64_t> schema_epoch{0};

  void connected() EKIDEN_EXCLUDES(mutex_);
  void disconnected() EKIDEN_EXCLUDES(mutex_);
  /// True where no lane has had a connection for so long.
  bool is_down_for(Duration patience) const EKIDEN_EXCLUDES(mutex_);

  /// Waits, but no longer than until the database is closed. @returns false where it is being closed.
  bool pause_or_stop(Duration time) EKIDEN_EXCLUDES(mutex_);
  /// Waits, also while the database is being closed: whoever waits here ends by itself soon.
  void pause(Duration time) EKIDEN_EXCLUDES(mutex_);
  void stop() EKIDEN_EXCLUDES(mutex_);
  bool is_stopping() const EKIDEN_EXCLUDES(mutex_);

  /// One lane that has lost a race goes first; the others wait, no longer than `time`.
  /// @returns whether the turn is the caller's now
  bool take_turn(Duration time) EKIDEN_EXCLUDES(mutex_);
  void give_turn() EKIDEN_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  CondVar turn_free_;
  CondVar never_;
  std::size_t connections_ EKIDEN_GUARDED_BY(mutex_) = 0;
  Instant down_since_ EKIDEN_GUARDED_BY(mutex_){};
  bool stopping_ EKIDEN_GUARDED_BY(mutex_) = false;
  bool turn_taken_ EKIDEN_GUARDED_BY(mutex_) = false;
};

inline Error unreachable_error() {
  return Error{Errc::unavailable, "database-unreachable", "the database cannot be reached; nothing was kept"}
      .with_retry_after(std::chrono::seconds{1});
}

/// A connection and what runs on it. @threads its own
class Lane {
 public:
  Lane(const PostgresConfig& config, JobQueue& queue, Shared& shared, const Clock& clock, Random& random,
       const Logger& logger)
      : config_(config),
        queue_(queue),
        shared_(shared),
        clock_(clock),
        random_(random),
        logger_(logger),
        id_(Ids(clock, random).next()) {}

  /// Connects now. @errors unavailable
  Result<void> open();
  /// Makes the schema where it is absent, and the table of lanes in it.
  Result<void> make_schema();
  /// Until the queue is closed and empty.
  void run();

 private:
  enum class Step : std::uint8_t { done, again, reprepare, reconnect };

  void serve(Job job);
  Result<void> work_off(Job& job, Actions& actions);
  Step attempt(Job& job, Actions& actions, Result<void>& outcome);
  Step commit(Result<void>& outcome);
  Step settle(const Ticket& ticket, Result<void>& outcome);
  static Step step_of(Remedy remedy);

  Result<void> open_until(Instant until);
  /// A connection for a job that has one no more, or whose lane's has gone while it was idle.
  Result<void> connect_for(const Job& job);
  void drop();
  /// Half of `whole` to the whole of it, by chance: so that lanes do not march in step.
  Duration jittered(Duration whole);
  Duration backoff(int failures);

  const PostgresConfig& config_;
  JobQueue& queue_;
  Shared& shared_;
  const Clock& clock_;
  Random& random_;
  const Logger& logger_;
  const Uuid id_;
  std::int64_t last_number_ = 0;  ///< of the transactions that it has committed or tried to
  std::unique_ptr<Connection> connection_;
};

}  // namespace ekiden::sql::postgres
