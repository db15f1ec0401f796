#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/logger.hpp"
#include "base/random.hpp"
#include "runtime/executor.hpp"
#include "runtime/job_policy.hpp"
#include "runtime/job_queue.hpp"

namespace ekiden::runtime {

/// Does a job and, in the transaction of its effect, calls `JobQueue::complete`. Without that call the runner
/// writes the end afterwards, and a crash in between does the job twice.
using BlockingJobHandler = std::function<Result<void>(const Job&)>;
using CoroutineJobHandler = std::function<Task<Result<void>>(Job)>;

struct JobKind {
  std::string kind;
  std::variant<BlockingJobHandler, CoroutineJobHandler> handler;
  JobPolicy policy{};
};

struct JobRunnerOptions {
  std::string service;
  std::string name = "jobs";
  std::size_t concurrent_max = 8;  ///< jobs at once
  std::chrono::milliseconds lease{
      15'000};  ///< renewed while the job runs; how long a lost process holds its jobs
  std::chrono::milliseconds poll{1'000};  ///< how long jobs of other processes may wait unseen
  std::chrono::hours keep_done{24 * 7};
  /// Of all that run this table, the same after a restart: what a previous run held is then taken back at
  /// once. Two of one name only do some jobs twice.
  std::string process{};
};

/// Where handlers run. The blocking ones need `pool`, the coroutines `loops`.
struct JobExecutors {
  WorkerPool* pool = nullptr;
  LoopExecutor* loops = nullptr;
};

struct JobFigures {
  std::int64_t queued = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;
  std::int64_t completed = 0;  ///< these three since the start
  std::int64_t retried = 0;
  std::int64_t given_up = 0;
};

/// Takes jobs from the table and has them done, `concurrent_max` at a time. Its own thread claims several in
/// one transaction, which also writes how others have ended and renews leases. Everything that it knows can
/// be lost: what was running when the process died runs again, at most `attempts_max` times. One runner for
/// each JobQueue.
/// @threads any
class JobRunner {
 public:
  JobRunner(JobRunnerOptions options, const JobQueue& queue, sql::Database& database, JobExecutors executors,
            std::vector<JobKind> kinds, const Clock& clock, Random& random, const Logger& logger,
            FiguresRegistry& figures);
  /// `stop`.
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start();

  /// Takes no more jobs, tells running ones (`Job::stop_requested`), and returns when none runs any more.
  /// Jobs that have not begun go back. The executors must still run.
  void stop();

  /// Looks at the table at once.
  void wake();

  JobFigures figures() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace ekiden::runtime
