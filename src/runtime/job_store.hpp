#pragma once

#include "base/mutex.hpp"
#include "runtime/job_queue.hpp"

namespace ekiden::runtime {

/// Wakes the runner's thread; rings while it works are kept as one.
class JobQueue::Bell {
 public:
  void ring() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  void wait_until(Instant until) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!rung_) {
      if (!changed_.wait_until(mutex_, until)) break;
    }
    rung_ = false;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool rung_ EKIDEN_GUARDED_BY(mutex_) = false;
};

/// The runner's side of the table `jobs`: plain functions over the transaction. A row's `due_at` is when
/// somebody should look at it: a queued job's time, a running job's lease end, nothing for what has ended.
namespace job_store {

struct KindLimits {
  std::string kind;
  int attempts_max;
};

struct Claim {
  std::vector<Job> jobs;          ///< now running, leased until `lease_until`
  std::vector<Job> given_up;      ///< used up their attempts without an end, in crashes: now dead
  std::optional<Timestamp> next;  ///< when the next job is due, of those not taken
};

/// Takes up to `limit` jobs that are due, the longest due first.
Result<Claim> claim(sql::Tx& tx, const std::vector<KindLimits>& kinds, Timestamp now, Timestamp lease_until,
                    std::int64_t limit);

/// Makes every running job due at once: for a process that is the only one, at its start.
Result<std::int64_t> reclaim_all(sql::Tx& tx, Timestamp now);

/// How an attempt ended, where the handler has not written it itself.
struct End {
  enum class Kind : std::uint8_t { done, retry, dead, release };
  Job job;
  Kind kind = Kind::done;
  Timestamp due_at{};  ///< of `retry` and `release`
  std::string error{};
};
/// Writes ends; those whose job was taken over change nothing.
Result<void> settle(sql::Tx& tx, const std::vector<End>& ends, Timestamp now);

/// Extends the leases of jobs that are still held.
Result<void> renew(sql::Tx& tx, const std::vector<Job>& jobs, Timestamp lease_until);

/// Deletes up to 1,000 jobs that were done before `before`.
Result<std::int64_t> purge(sql::Tx& tx, Timestamp before);

struct Counts {
  std::int64_t queued = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;
};
Result<Counts> count(sql::Tx& tx);

}  // namespace job_store

}  // namespace ekiden::runtime
