#include "ports/sql/sqlite/reader.hpp"

#include <utility>

#include "ports/sql/sqlite/outcome.hpp"

namespace ekiden::sql::sqlite {

Result<void> Reader::open() {
  EKIDEN_TRY(connection_, Connection::open(config_, Role::reader, clock_, logger_));
  return {};
}

void Reader::run() {
  while (auto job = next()) serve(std::move(*job));
  connection_.reset();
}

/// Who has nothing to do keeps no pages: the system has them too.
std::optional<Job> Reader::next() {
  constexpr std::chrono::milliseconds kIdle{250};
  if (auto job = queue_.pop_until(clock_.monotonic() + kIdle)) return job;
  if (connection_) connection_->give_back_pages();
  return queue_.pop();
}

void Reader::serve(Job job) {
  constexpr int kAttempts = 3;
  Actions actions;
  Result<void> outcome;
  {
    const BusyMark busy(shared_);
    outcome = attempt(job, actions);
    for (int i = 1; i < kAttempts && !outcome && is_locked(outcome.error()); ++i) {
      ++shared_.retried;
      outcome = attempt(job, actions);
    }
    if (connection_ && connection_->faulty()) {
      shared_.suspect = true;
      connection_.reset();
    }
  }
  answer(job, std::move(outcome), actions, logger_);
}

Result<void> Reader::attempt(Job& job, Actions& actions) {
  if (job.options.deadline.passed(clock_)) return deadline_error();
  if (!connection_) EKIDEN_CHECK(open());
  EKIDEN_CHECK(connection_->control(Control::begin_read));
  Result<void> outcome = run_body(*connection_, job, clock_, logger_, actions);
  if (connection_->in_transaction()) {
    // Nothing was changed, so how the snapshot is given back does not touch the answer.
    const auto ended = connection_->control(Control::rollback);
    static_cast<void>(ended);
  }
  return outcome;
}

}  // namespace ekiden::sql::sqlite
