#include "ports/sql/postgres/lane.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::sql::postgres {

namespace {

using std::chrono::milliseconds;

constexpr int kLossesMax = 4;
constexpr milliseconds kBackoffFirst{50};
constexpr milliseconds kBackoffMost{5000};
constexpr milliseconds kAskPause{20};
constexpr std::chrono::hours kLaneForgotten{24};
constexpr int kTurnShiftMost = 7;  ///< a lane that lost waits at most 2^7 ms for its turn

/// Real time, whatever clock deadlines are measured by: lanes wait for servers.
const SystemClock kTime;

/// Counts a lane as busy for as long as it lives.
class BusyMark {
 public:
  explicit BusyMark(Shared& shared) : shared_(shared) { ++shared_.busy; }
  ~BusyMark() { --shared_.busy; }
  BusyMark(const BusyMark&) = delete;
  BusyMark& operator=(const BusyMark&) = delete;

 private:
  Shared& shared_;
};

/// The turn of a lane that lost a race, from its first try to the end of its transaction.
class Turn {
 public:
  explicit Turn(Shared& shared) : shared_(shared) {}
  ~Turn() {
    if (is_ours_) shared_.give_turn();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  /// @returns whether it had been ours before
  bool wait(Duration time) {
    if (is_ours_) return true;
    is_ours_ = shared_.take_turn(time);
    return false;
  }

 private:
  Shared& shared_;
  bool is_ours_ = false;
};

}  // namespace

void Shared::connected() {
  const MutexLock lock(mutex_);
  ++connections_;
}

void Shared::disconnected() {
  const MutexLock lock(mutex_);
  if (--connections_ == 0) down_since_ = kTime.monotonic();
}

bool Shared::is_down_for(Duration patience) const {
  const MutexLock lock(mutex_);
  return connections_ == 0 && kTime.monotonic() - down_since_ >= patience;
}

bool Shared::pause_or_stop(Duration time) {
  const Instant until = kTime.monotonic() + time;
  const MutexLock lock(mutex_);
  while (!stopping_ && changed_.wait_until(mutex_, until)) continue;
  return !stopping_;
}

void Shared::pause(Duration time) {
  const Instant until = kTime.monotonic() + time;
  const MutexLock lock(mutex_);
  while (never_.wait_until(mutex_, until)) continue;
}

void Shared::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

bool Shared::is_stopping() const {
  const MutexLock lock(mutex_);
  return stopping_;
}

bool Shared::take_turn(Duration time) {
  const Instant until = kTime.monotonic() + time;
  const MutexLock lock(mutex_);
  while (turn_taken_) {
    if (!turn_free_.wait_until(mutex_, until)) return false;
  }
  turn_taken_ = true;
  return true;
}

void Shared::give_turn() {
  {
    const MutexLock lock(mutex_);
    turn_taken_ = false;
  }
  turn_free_.notify_one();
}

Duration Lane::jittered(Duration whole) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(whole).count();
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(micros / 2, 1));
  return std::chrono::microseconds{half + random_.below(half + 1)};
}

Duration Lane::backoff(int failures) {
  const int shift = std::min(failures, 10);
  return jittered(std::min<Duration>(kBackoffMost, kBackoffFirst * (1 << shift)));
}

Result<void> Lane::open() {
  return open_until(kTime.monotonic() + config_.connect_timeout);
}

Result<void> Lane::open_until(Instant until) {
  drop();
  const Instant latest = kTime.monotonic() + config_.connect_timeout;
  auto opened =
      Connection::open(config_, clock_, logger_, id_, std::min(until, latest), shared_.schema_epoch);
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  shared_.connected();
  return {};
}

void Lane::drop() {
  if (!connection_) return;
  connection_.reset();
  shared_.disconnected();
}

Result<void> Lane::make_schema() {
  const auto run = [this](Access access, TxBody body) {
    Job job{.options = {.access = access}, .body = std::move(body), .done = {}};
    Actions actions;
    return work_off(job, actions);
  };
  EKIDEN_CHECK(run(Access::schema, [this](Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Rows found, tx.query("SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2",
                                          {config_.schema, kLaneTable}));
    if (!found.empty()) return {};
    EKIDEN_CHECK(tx.execute("CREATE SCHEMA IF NOT EXISTS \"" + config_.schema + "\""));
    EKIDEN_CHECK(tx.execute(kMakeLaneTable));
    return {};
  }));
  // Lanes of processes that ended long ago.
  return run(Access::write, [this](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kForgetOldLanes, {clock_.now() - kLaneForgotten}));
    return {};
  });
}

void Lane::run() {
  int failures = 0;
  for (;;) {
    if (!connection_ && !open_until(Instant::max())) {
      // Jobs wait in the queue meanwhile, for lanes that have a connection or for their time to run out.
      if (!shared_.pause_or_stop(backoff(failures++))) break;
      continue;
    }
    failures = 0;
    auto job = queue_.pop();
    if (!job) break;
    serve(std::move(*job));
  }
  drop();
}

void Lane::serve(Job job) {
  Actions actions;
  const BusyMark busy(shared_);
  Result<void> outcome = work_off(job, actions);
  if (job.options.access != Access::read) ++(outcome ? shared_.committed : shared_.rolled_back);
  answer(job, std::move(outcome), actions, logger_);
  // A read's transaction ends behind the answer: nothing depends on how.
  if (connection_) connection_->rollback();
  if (connection_ && !connection_->is_open()) drop();
}

Result<void> Lane::work_off(Job& job, Actions& actions) {
  Result<void> outcome;
  Turn turn(shared_);
  int races = 0;
  int losses = 0;
  bool reprepared = false;
  for (;;) {
    switch (attempt(job, actions, outcome)) {
      case Step::done:
        return outcome;
      case Step::again:
        if (++races >= config_.race_attempts_max)
          return Error{Errc::busy, "race-lost", "others were faster each time; nothing was kept"}
              .with_retry_after(std::chrono::seconds{1});
        // Who has the turn and lost again met somebody who has not lost yet, or another process.
        if (turn.wait(jittered(milliseconds{1 << std::min(races, kTurnShiftMost)})))
          shared_.pause(jittered(milliseconds{std::min(races, 20)}));
        break;
      case Step::reprepare:
        if (std::exchange(reprepared, true)) return outcome;
        connection_->forget_statements();
        break;
      case Step::reconnect:
        // The next attempt looks whether its connection is fit.
        if (++losses >= kLossesMax) return outcome;
        break;
    }
    ++shared_.retried;
  }
}

Lane::Step Lane::step_of(Remedy remedy) {
  switch (remedy) {
    case Remedy::none:
      return Step::done;
    case Remedy::again:
      return Step::again;
    case Remedy::reprepare:
      return Step::reprepare;
    case Remedy::reconnect:
      return Step::reconnect;
  }
  return Step::done;
}

Lane::Step Lane::attempt(Job& job, Actions& actions, Result<void>& outcome) {
  outcome = job.options.deadline.passed(clock_) ? Result<void>(deadline_error()) : connect_for(job);
  if (!outcome) return Step::done;
  connection_->set_deadline(job.options.deadline);
  connection_->begin(job.options.access);
  outcome = run_body(*connection_, job, clock_, logger_, actions);
  if (outcome) return job.options.access == Access::read ? Step::done : commit(outcome);
  const Remedy remedy = connection_->remedy();
  connection_->rollback();
  if (!connection_->is_open() && remedy == Remedy::none) drop();
  return step_of(remedy);
}

Lane::Step Lane::commit(Result<void>& outcome) {
  Failure refusal{unreachable_error()};
  switch (connection_->commit(++last_number_, refusal)) {
    case Connection::CommitAnswer::committed:
      return Step::done;
    case Connection::CommitAnswer::refused:
      outcome = refusal.error;
      connection_->rollback();
      return step_of(refusal.remedy);
    case Connection::CommitAnswer::broken:
      break;
  }
  return settle(connection_->ticket(), outcome);
}

Lane::Step Lane::settle(const Ticket& ticket, Result<void>& outcome) {
  drop();
  outcome = unreachable_error();
  if (ticket.number == 0) return Step::reconnect;  // It had changed nothing.
  const Instant until = kTime.monotonic() + config_.outcome_patience;
  for (int asked = 0; kTime.monotonic() < until; ++asked) {
    if (asked > 0) shared_.pause(jittered(std::min<Duration>(kAskPause * asked, kBackoffFirst * 10)));
    if (!connection_ && !open_until(until)) continue;
    const Committed committed = connection_->ask(ticket);
    if (committed == Committed::yes) {
      logger_.info("sql_lost_commit_found", {{"committed", true}});
      outcome = {};
      return Step::done;
    }
    if (committed == Committed::no) {
      logger_.info("sql_lost_commit_found", {{"committed", false}});
      // What it has locked would keep the next attempt waiting.
      connection_->end_backend(ticket);
      return Step::reconnect;
    }
    // Nobody knows yet: it may hold the lane's row. Then it is ended, and is decided by that.
    if (connection_->is_open()) connection_->end_backend(ticket);
    if (!connection_->is_open()) drop();
  }
  logger_.error("sql_commit_outcome_unknown", {{"number", ticket.number}});
  outcome = Error{Errc::unavailable, "outcome-unknown",
                  "the connection to the database broke; it may or may not have been kept"};
  return Step::done;
}

Result<void> Lane::connect_for(const Job& job) {
  if (connection_ && connection_->is_fit()) return {};
  drop();
  Duration patience = config_.connect_patience;
  if (!job.options.deadline.is_never())
    patience = std::min<Duration>(patience, job.options.deadline.left(clock_));
  const Instant until = kTime.monotonic() + patience;
  for (int failures = 0;; ++failures) {
    if (open_until(until)) return {};
    const Duration pause = backoff(failures);
    if (job.options.deadline.passed(clock_)) return deadline_error();
    if (kTime.monotonic() + pause >= until || !shared_.pause_or_stop(pause)) return unreachable_error();
  }
}

}  // namespace ekiden::sql::postgres
