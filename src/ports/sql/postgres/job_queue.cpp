#include "ports/sql/postgres/job_queue.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::sql::postgres {

namespace {

const SystemClock kTime;
/// A deadline's clock may be moved by hand, and connections may come back: so it is looked at this often.
constexpr std::chrono::milliseconds kTick{100};

}  // namespace

bool JobQueue::try_push(Job&& job) {
  bool must_look = false;
  {
    const MutexLock lock(mutex_);
    if (closed_ || jobs_.size() >= max_) return false;
    jobs_.push_back(std::move(job));
    // While lanes are idle one of them takes it in a moment, and the keeper sleeps on.
    must_look = jobs_.size() > idle_lanes_ && next_look() < keeper_until_;
  }
  ready_.notify_one();
  if (must_look) look_.notify_one();
  return true;
}

std::optional<Job> JobQueue::pop() {
  const MutexLock lock(mutex_);
  ++idle_lanes_;
  while (jobs_.empty() && !closed_) ready_.wait(mutex_);
  --idle_lanes_;
  if (jobs_.empty()) return std::nullopt;
  std::optional<Job> job{std::move(jobs_.front())};
  jobs_.pop_front();
  return job;
}

Instant JobQueue::next_look() const {
  const Instant now = kTime.monotonic();
  Duration soonest = kTick;
  if (!jobs_.empty()) soonest = std::min(soonest, jobs_.back().options.deadline.left(clock_));
  return now + soonest;
}

std::optional<std::vector<Job>> JobQueue::take_late() {
  const MutexLock lock(mutex_);
  keeper_until_ = Instant::max();
  if (jobs_.empty()) {
    if (!closed_) look_.wait(mutex_);
  } else {
    keeper_until_ = kTime.monotonic() + kTick;
    for (const Job& job : jobs_) {
      if (!job.options.deadline.is_never())
        keeper_until_ = std::min(keeper_until_, kTime.monotonic() + job.options.deadline.left(clock_));
    }
    if (!closed_) look_.wait_until(mutex_, keeper_until_);
  }
  keeper_until_ = Instant{};
  if (closed_) return std::nullopt;
  std::vector<Job> late;
  for (Job& job : jobs_) {
    if (job.options.deadline.passed(clock_)) late.push_back(std::move(job));
  }
  // What was moved from has no body any more.
  std::erase_if(jobs_, [](const Job& job) { return !job.body; });
  return late;
}

std::vector<Job> JobQueue::take_all() {
  const MutexLock lock(mutex_);
  std::vector<Job> all(std::make_move_iterator(jobs_.begin()), std::make_move_iterator(jobs_.end()));
  jobs_.clear();
  return all;
}

void JobQueue::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  ready_.notify_all();
  look_.notify_all();
}

std::size_t JobQueue::size() const {
  const MutexLock lock(mutex_);
  return jobs_.size();
}

}  // namespace ekiden::sql::postgres
