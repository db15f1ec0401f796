#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/sql/job.hpp"

namespace ekiden::sql::postgres {

/// Transactions that wait for a lane. Unlike a BoundedQueue it gives out those whose deadline has passed
/// while every lane is taken. @threads any
class JobQueue {
 public:
  JobQueue(std::size_t max, const Clock& clock) : max_(max), clock_(clock) {}

  /// False when it is full or closed; `job` is then untouched.
  bool try_push(Job&& job) EKIDEN_EXCLUDES(mutex_);
  /// Waits for a job; nullopt once the queue is closed and empty.
  std::optional<Job> pop() EKIDEN_EXCLUDES(mutex_);
  /// Waits until something ought to be looked at and takes out the jobs whose deadline has passed; nullopt
  /// once the queue is closed. For one thread, which looks several times a second while jobs wait.
  std::optional<std::vector<Job>> take_late() EKIDEN_EXCLUDES(mutex_);
  /// All that waits, at once.
  std::vector<Job> take_all() EKIDEN_EXCLUDES(mutex_);
  void close() EKIDEN_EXCLUDES(mutex_);

  std::size_t size() const EKIDEN_EXCLUDES(mutex_);
  std::size_t max() const { return max_; }

 private:
  /// When, in real time, the keeper must look again.
  Instant next_look() const EKIDEN_REQUIRES(mutex_);

  const std::size_t max_;
  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar ready_;
  CondVar look_;
  std::deque<Job> jobs_ EKIDEN_GUARDED_BY(mutex_);
  std::size_t idle_lanes_ EKIDEN_GUARDED_BY(mutex_) = 0;
  Instant keeper_until_ EKIDEN_GUARDED_BY(mutex_){};
  bool closed_ EKIDEN_GUARDED_BY(mutex_) = false;
};

}  // namespace ekiden::sql::postgres
