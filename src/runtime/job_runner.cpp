#include "runtime/job_runner.hpp"

#include <array>
#include <map>
#include <stdexcept>
#include <thread>

#include "runtime/job_store.hpp"

namespace ekiden::runtime {

using job_store::End;

class JobRunner::State : public std::enable_shared_from_this<State> {
 public:
  State(JobRunnerOptions options, const JobQueue& queue, sql::Database& database, JobExecutors executors,
        std::vector<JobKind> kinds, const Clock& clock, Random& random, const Logger& logger)
      : options_(std::move(options)),
        bell_(queue.bell()),
        database_(database),
        executors_(executors),
        clock_(clock),
        random_(random),
        logger_(logger.with(options_.service)) {
    for (JobKind& kind : kinds) {
      const bool is_blocking = std::holds_alternative<BlockingJobHandler>(kind.handler);
      const bool can_run = is_blocking ? executors.pool != nullptr : executors.loops != nullptr;
      if (!can_run) throw std::logic_error("jobs of kind " + kind.kind + " have no executor");
      limits_.push_back({kind.kind, kind.policy.attempts_max});
      kind_names_.push_back(kind.kind);
      if (!kinds_.emplace(kind.kind, kind).second)
        throw std::logic_error("two handlers for jobs of " + kind.kind);
    }
  }

  void start() {
    thread_ = std::thread([this] {
      name_this_thread({options_.service, options_.name});
      run();
    });
  }

  void stop() {
    stop_->store(true);
    bell_->ring();
    if (thread_.joinable()) thread_.join();
  }

  void wake() { bell_->ring(); }

  JobFigures figures() const EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return figures_;
  }

  ExecutorFigures executor_figures() const {
    const JobFigures now = figures();
    ExecutorFigures figures;
    figures.service = options_.service;
    figures.name = options_.name;
    figures.model = "job_queue";
    figures.threads = 1;
    figures.queue_depth = now.queued;
    figures.in_flight = now.running;
    figures.in_flight_max = static_cast<std::int64_t>(options_.concurrent_max);
    figures.completed = now.completed;
    figures.rejected = now.given_up;
    return figures;
  }

 private:
  /// What one turn of the loop has written and found.
  struct Turn {
    job_store::Claim claim;
    bool renewed = false;
    std::int64_t taken_back = 0;  ///< jobs that a previous run of this process held
  };

  void run() {
    for (;;) {
      const bool stopping = stop_->load();
      collect_ends();
      const std::size_t promised = bell_->withdraw();
      if (stopping && held_.empty() && promised == 0 && (ends_.empty() || failures_in_row_ > 2)) return;
      // Nothing is handed over while places are being given to what stands in the table.
      if (needs_turn(stopping)) {
        const Result<Turn> turn = take_turn(free_places(stopping, promised));
        if (!turn) {
          ++failures_in_row_;
          logger_.warning("jobs_turn_failed", {{"jobs", options_.name}, {"error", turn.error().text()}});
          wait(clock_.monotonic() + options_.poll);
          continue;
        }
        failures_in_row_ = 0;
        after_turn(*turn);
        for (const Job& job : turn->claim.jobs) begin(job);
        refresh_counts();
      }
      offer_places(stopping);
      const auto next = has_place() && !stopping ? next_due_ : std::nullopt;
      wait(clock_.monotonic() + rest(clock_.now(), next, renew_at_, options_.poll));
    }
  }

  /// Waits, then begins what was handed over.
  void wait(Instant until) {
    JobQueue::Bell::Waking waking = bell_->wait_until(until);
    is_table_news_ = is_table_news_ || waking.is_table_news;
    for (const Job& job : waking.handed) begin(job);
  }

  bool has_place() const { return held_.size() < options_.concurrent_max; }

  std::size_t free_places(bool stopping, std::size_t promised) const {
    const std::size_t used = held_.size() + promised;
    return stopping || used >= options_.concurrent_max ? 0 : options_.concurrent_max - used;
  }

  /// New jobs may come straight, as long as none waits in the table for whom there is a place.
  void offer_places(bool stopping) {
    const bool is_behind = next_due_ && *next_due_ <= clock_.now();
    const std::size_t promised = bell_->withdraw();
    const std::size_t places = is_behind ? 0 : free_places(stopping, promised);
    bell_->offer(
        {.places = places, .kinds = kind_names_, .lease = options_.lease, .owner = options_.process});
  }

  /// Whether the table has to be looked at: what was handed over and has written its own end leaves nothing
  /// to do there.
  bool needs_turn(bool stopping) const {
    const Timestamp now = clock_.now();
    return stopping || is_table_news_ || !took_back_ || !ends_.empty() || (renew_at_ && now >= *renew_at_) ||
           (next_due_ && now >= *next_due_ && has_place()) || clock_.monotonic() >= poll_at_;
  }

  Result<Turn> take_turn(std::size_t places) {
    return database_.write([&](sql::Tx& tx) -> Result<Turn> {
      const Timestamp now = clock_.now();
      Turn turn;
      if (!took_back_) {
        EKIDEN_TRY(turn.taken_back, job_store::reclaim(tx, options_.process, now));
      }
      EKIDEN_CHECK(job_store::settle(tx, ends_, now));
      if (renew_at_ && now >= *renew_at_) {
        std::vector<Job> held;
        held.reserve(held_.size());
        for (const auto& [id, job] : held_) held.push_back(job);
        EKIDEN_CHECK(job_store::renew(tx, held, now + options_.lease));
        turn.renewed = true;
      }
      EKIDEN_TRY(turn.claim, job_store::claim(tx, limits_, now, {options_.process, now + options_.lease},
                                              static_cast<std::int64_t>(places)));
      return turn;
    });
  }

  void after_turn(const Turn& turn) EKIDEN_EXCLUDES(mutex_) {
    ends_.clear();
    took_back_ = true;
    is_table_news_ = false;
    next_due_ = turn.claim.next;
    poll_at_ = clock_.monotonic() + options_.poll;
    if (turn.taken_back > 0) {
      logger_.warning("jobs_taken_back", {{"jobs", options_.name}, {"count", turn.taken_back}});
    }
    for (const Job& job : turn.claim.given_up) {
      logger_.error("job_given_up",
                    {{"kind", job.kind}, {"job", job.id.to_string()}, {"error", "crashed each time"}});
    }
    if (turn.renewed || !renew_at_) renew_at_ = clock_.now() + options_.lease / 3;
    const MutexLock lock(mutex_);
    figures_.given_up += static_cast<std::int64_t>(turn.claim.given_up.size());
  }

  void begin(const Job& claimed) {
    Job job = claimed;
    job.run = std::make_shared<Job::Run>();
    job.run->stop = stop_;
    held_.emplace(job.id, job);
    const JobKind& kind = kinds_.at(job.kind);
    bool begun = false;
    if (const auto* blocking = std::get_if<BlockingJobHandler>(&kind.handler)) {
      begun = executors_.pool->try_post(
          [self = shared_from_this(), blocking, job] { self->run_blocking(*blocking, job); });
    } else {
      begun = executors_.loops->try_spawn(
          run_coroutine(shared_from_this(), std::get<CoroutineJobHandler>(kind.handler), job));
    }
    if (!begun) put_back(job, options_.poll);
  }

  /// The job has not begun: it does not count as an attempt.
  void put_back(const Job& job, std::chrono::milliseconds wait) {
    ended({.job = job, .kind = End::Kind::release, .due_at = clock_.now() + wait});
  }

  void run_blocking(const BlockingJobHandler& handler, const Job& job) {
    if (stop_->load()) return put_back(job, std::chrono::milliseconds{0});
    Result<void> outcome;
    try {
      outcome = handler(job);
    } catch (const std::exception& failure) {
      outcome = threw(job, failure);
    }
    finish(job, outcome);
  }

  static Task<> run_coroutine(std::shared_ptr<State> self, CoroutineJobHandler handler, Job job) {
    if (self->stop_->load()) co_return self->put_back(job, std::chrono::milliseconds{0});
    Result<void> outcome;
    try {
      outcome = co_await handler(job);
    } catch (const std::exception& failure) {
      outcome = self->threw(job, failure);
    }
    self->finish(job, outcome);
  }

  Result<void> threw(const Job& job, const std::exception& failure) const {
    logger_.error("job_threw", {{"kind", job.kind}, {"job", job.id.to_string()}, {"what", failure.what()}});
    return Error{Errc::internal, "internal", "Something went wrong inside."};
  }

  void finish(const Job& job, const Result<void>& outcome) {
    if (outcome) return ended({.job = job, .kind = End::Kind::done});
    const Error& error = outcome.error();
    const JobVerdict verdict =
        after_failure(error, job.attempt, kinds_.at(job.kind).policy, clock_.now(), random_.below(1024));
    const std::array<LogField, 4> fields{LogField{"kind", job.kind}, LogField{"job", job.id.to_string()},
                                         LogField{"attempt", job.attempt}, LogField{"error", error.slug()}};
    switch (verdict.next) {
      case JobNext::retry:
        logger_.warning("job_failed", {fields[0], fields[2], fields[3]});
        return ended({.job = job, .kind = End::Kind::retry, .due_at = verdict.due_at, .error = error.text()});
      case JobNext::dead:
        logger_.error("job_given_up", {fields[0], fields[2], fields[3]});
        return ended({.job = job, .kind = End::Kind::dead, .error = error.text()});
      case JobNext::drop:
        job.run->settled = true;
        return ended({.job = job, .kind = End::Kind::done});
    }
  }

  /// From any thread: the runner's own writes it.
  void ended(End end) EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      arrived_.push_back(std::move(end));
    }
    bell_->nudge();
  }

  void collect_ends() EKIDEN_EXCLUDES(mutex_) {
    std::vector<End> arrived;
    const MutexLock lock(mutex_);
    arrived.swap(arrived_);
    for (End& end : arrived) {
      held_.erase(end.job.id);
      figures_.completed += end.kind == End::Kind::done ? 1 : 0;
      figures_.retried += end.kind == End::Kind::retry ? 1 : 0;
      figures_.given_up += end.kind == End::Kind::dead ? 1 : 0;
      if (!end.job.run->settled) ends_.push_back(std::move(end));
    }
    figures_.running = static_cast<std::int64_t>(held_.size());
  }

  /// Counting reads the whole index, so it is done once in a while; the same turn cleans up.
  void refresh_counts() EKIDEN_EXCLUDES(mutex_) {
    const Instant now = clock_.monotonic();
    {
      const MutexLock lock(mutex_);
      figures_.running = static_cast<std::int64_t>(held_.size());
    }
    if (now < count_at_) return;
    count_at_ = now + options_.poll;
    const auto counts = database_.read([](sql::Tx& tx) { return job_store::count(tx); });
    if (now >= purge_at_) {
      purge_at_ = now + std::chrono::minutes{10};
      const auto purged = database_.write(
          [this](sql::Tx& tx) { return job_store::purge(tx, clock_.now() - options_.keep_done); });
      if (!purged) logger_.warning("jobs_purge_failed", {{"error", purged.error().text()}});
    }
    if (!counts) return;
    const MutexLock lock(mutex_);
    figures_.queued = counts->queued;
    figures_.dead = counts->dead;
  }

  const JobRunnerOptions options_;
  const std::shared_ptr<JobQueue::Bell> bell_;
  sql::Database& database_;
  const JobExecutors executors_;
  const Clock& clock_;
  Random& random_;
  const Logger logger_;
  std::map<std::string, JobKind> kinds_;
  std::vector<job_store::KindLimits> limits_;
  std::vector<std::string> kind_names_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::thread thread_;

  // Of the runner's own thread alone:
  std::map<JobId, Job> held_;  ///< given to a handler, at most `concurrent_max`
  std::vector<End> ends_;      ///< to be written in the next turn
  std::optional<Timestamp> renew_at_;
  Instant count_at_{};
  Instant purge_at_{};
  int failures_in_row_ = 0;
  bool took_back_ = false;
  bool is_table_news_ = true;          ///< since the last turn
  std::optional<Timestamp> next_due_;  ///< in the table, at the last turn
  Instant poll_at_{};

  mutable Mutex mutex_;
  std::vector<End> arrived_ EKIDEN_GUARDED_BY(mutex_);  ///< at most one for each held job
  JobFigures figures_ EKIDEN_GUARDED_BY(mutex_);
};

JobRunner::JobRunner(JobRunnerOptions options, const JobQueue& queue, sql::Database& database,
                     JobExecutors executors, std::vector<JobKind> kinds, const Clock& clock, Random& random,
                     const Logger& logger, FiguresRegistry& figures)
    : state_(std::make_shared<State>(std::move(options), queue, database, executors, std::move(kinds), clock,
                                     random, logger)) {
  figures.add([weak = std::weak_ptr<State>(state_)](std::vector<ExecutorFigures>& out) {
    if (const auto state = weak.lock()) out.push_back(state->executor_figures());
  });
}

JobRunner::~JobRunner() {
  stop();
}
void JobRunner::start() {
  state_->start();
}
void JobRunner::stop() {
  state_->stop();
}
void JobRunner::wake() {
  state_->wake();
}
JobFigures JobRunner::figures() const {
  return state_->figures();
}

}  // namespace ekiden::runtime
