#pragma once

#include <algorithm>
#include <utility>

#include "base/mutex.hpp"
#include "runtime/job_queue.hpp"

namespace ekiden::runtime {

/// Between those who make jobs and the runner. It wakes the runner's thread; rings while it works are kept as
/// one. And it lets a new job go straight to the runner where that has a place free: such a job is written as
/// running, under a lease, by the transaction that makes it, so that nobody has to find it in the table
/// first.
class JobQueue::Bell : public std::enable_shared_from_this<Bell> {
 public:
  /// What the runner offers.
  struct Offer {
    std::size_t places = 0;
    std::vector<std::string> kinds;
    std::chrono::milliseconds lease{};
    std::string owner{};  ///< the process
  };
  /// A place that a transaction has taken. Where it is rolled back, the place goes back with this object.
  class Place {
   public:
    Place(std::shared_ptr<Bell> bell, std::chrono::milliseconds lease, std::string owner)
        : lease(lease), owner(std::move(owner)), bell_(std::move(bell)) {}
    ~Place() {
      if (bell_) bell_->give_back();
    }
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    /// The job is durable: the runner's now.
    void hand_over(Job job) { std::exchange(bell_, {})->hand(std::move(job)); }
    const std::chrono::milliseconds lease;
    const std::string owner;

   private:
    std::shared_ptr<Bell> bell_;
  };
  /// Why the runner wakes.
  struct Waking {
    bool is_table_news = false;  ///< the table has something new
    std::vector<Job> handed;     ///< running already in the table, and the runner's to begin
  };

  /// The table has news.
  void ring() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    waking_.is_table_news = true;
    rung_ = true;
    changed_.notify_all();
  }
  /// There is something to look at beside the table.
  void nudge() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  Waking wait_until(Instant until) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!rung_) {
      if (!changed_.wait_until(mutex_, until)) break;
    }
    rung_ = false;
    return std::exchange(waking_, {});
  }

  void offer(Offer offer) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    offer_ = std::move(offer);
  }
  /// Offers nothing any more. @returns how many places of earlier offers are promised: taken, or with a job
  /// that `wait_until` has not given out.
  std::size_t withdraw() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    offer_.places = 0;
    return taken_ + waking_.handed.size();
  }
  /// A place for a job of this kind, or nullopt.
  std::optional<Place> take(std::string_view kind) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (offer_.places == 0 || std::ranges::find(offer_.kinds, kind) == offer_.kinds.end())
      return std::nullopt;
    --offer_.places;
    ++taken_;
    return std::optional<Place>(std::in_place, shared_from_this(), offer_.lease, offer_.owner);
  }

 private:
  void hand(Job job) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    --taken_;
    waking_.handed.push_back(std::move(job));
    rung_ = true;
    changed_.notify_all();
  }
  void give_back() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    --taken_;
    // Offered meanwhile was one place less: the runner counts anew.
    rung_ = true;
    changed_.notify_all();
  }

  Mutex mutex_;
  CondVar changed_;
  Waking waking_ EKIDEN_GUARDED_BY(mutex_);
  Offer offer_ EKIDEN_GUARDED_BY(mutex_);
  std::size_t taken_ EKIDEN_GUARDED_BY(mutex_) = 0;
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
  std::vector<Job> jobs;          ///< now running, leased
  std::vector<Job> given_up;      ///< used up their attempts without an end, in crashes: now dead
  std::optional<Timestamp> next;  ///< when the next job is due, of those not taken
};

/// Whose a job is, and how long nobody else may take it.
struct Lease {
  std::string owner;
  Timestamp until;
};

/// Takes up to `limit` jobs that are due, the longest due first.
Result<Claim> claim(sql::Tx& tx, const std::vector<KindLimits>& kinds, Timestamp now, const Lease& lease,
                    std::int64_t limit);

/// Makes the running jobs of a process due at once, and those that say no owner: for its start.
Result<std::int64_t> reclaim(sql::Tx& tx, const std::string& owner, Timestamp now);

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
