#include "ports/sql/sqlite/writer.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "ports/sql/sqlite/outcome.hpp"

namespace ekiden::sql::sqlite {

namespace {

constexpr Duration kGroupTimeMax = std::chrono::milliseconds{20};
constexpr std::uint64_t kGroupBytesMax = 8 * 1024 * 1024;
constexpr int kCheckpointPages = 1000;
/// From here on the log waits for the readers that keep it from starting over.
constexpr int kWalPagesMax = 8 * kCheckpointPages;
constexpr int kFaultsMax = 3;

Error fault_error() {
  return {Errc::unavailable, "storage-fault", "the storage failed; it may or may not have been kept"};
}

}  // namespace

Result<void> Writer::open() {
  EKIDEN_TRY(connection_, Connection::open(config_, Role::writer, clock_, logger_));
  checkpoint_at_ = kCheckpointPages;
  return {};
}

void Writer::run() {
  while (auto job = queue_.pop()) {
    if (!given_up_ && (connection_->faulty() || shared_.suspect) && !recover()) give_up();
    run_group(std::move(*job));
    if (!given_up_ && !connection_->faulty()) keep_wal_short();
  }
  if (!given_up_ && !connection_->faulty()) {
    const auto emptied = connection_->checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (!emptied && !is_locked(emptied.error())) logger_.warning("sql_last_checkpoint_failed");
  }
  connection_.reset();
}

void Writer::run_group(Job first) {
  group_.clear();
  group_.push_back({.job = std::move(first), .outcome = {}, .actions = {}});
  if (given_up_) {
    fail_survivors(fault_error());
  } else {
    const BusyMark busy(shared_);
    const Result<void> begun = begin(group_.front().job.options.deadline);
    if (!begun) {
      fail_survivors(begun.error());
    } else {
      fill_group();
      commit_group();
    }
  }
  answer_group();
}

void Writer::fill_group() {
  const Instant started = clock_.monotonic();
  const std::uint64_t bytes = connection_->bytes_bound();
  run_bare(group_.front());
  bool is_careful = false;
  // What arrives while the group runs may join it; nobody waits for company.
  while (!connection_->faulty() && has_room(started, bytes)) {
    if (!connection_->in_transaction()) {
      if (is_careful || !has_survivors()) break;
      is_careful = true;
      run_survivors_again();
      continue;
    }
    auto next = queue_.pop_until(Instant{});
    if (!next) break;
    group_.push_back({.job = std::move(*next), .outcome = {}, .actions = {}});
    if (is_careful) {
      run_in_savepoint(group_.back());
    } else {
      run_bare(group_.back());
    }
  }
  if (connection_->faulty()) {
    fail_survivors(fault_error());
  } else if (!connection_->in_transaction()) {
    run_survivors_again();
  }
}

bool Writer::has_survivors() const {
  return std::ranges::any_of(group_, [](const Slot& slot) { return slot.outcome.has_value(); });
}

bool Writer::has_room(Instant started, std::uint64_t bytes) const {
  return group_.size() < config_.group_max && connection_->bytes_bound() - bytes < kGroupBytesMax &&
         clock_.monotonic() - started < kGroupTimeMax;
}

Result<void> Writer::begin(Deadline deadline) {
  if (deadline.passed(clock_)) return deadline_error();
  auto patience = config_.busy_timeout;
  if (!deadline.is_never()) {
    patience = std::min(patience, std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock_)));
  }
  connection_->set_busy_timeout(patience);
  Result<void> begun = connection_->control(Control::begin_write);
  if (!begun && is_locked(begun.error()) && deadline.passed(clock_)) return deadline_error();
  return begun;
}

void Writer::run_slot(Slot& slot) {
  slot.outcome = run_body(*connection_, slot.job, clock_, logger_, slot.actions);
  if (!slot.outcome) return;
  // Some errors (a full disk, no memory) undo the whole transaction and not only the statement.
  if (!connection_->in_transaction()) {
    slot.outcome =
        Error{Errc::internal, "transaction-ended", "the transaction was ended by one of its statements"};
  } else if (connection_->owes_foreign_keys()) {
    slot.outcome =
        Error{Errc::conflict, "foreign-key", "the row that it refers to is missing, or others refer to it"};
  }
}

void Writer::run_bare(Slot& slot) {
  const std::uint64_t before = connection_->changes_run();
  run_slot(slot);
  if (slot.outcome || !connection_->in_transaction() || connection_->changes_run() == before) return;
  const Result<void> undone = connection_->control(Control::rollback);
  static_cast<void>(undone);  // Either it worked, or the connection is faulty, which the caller asks.
}

void Writer::run_in_savepoint(Slot& slot) {
  slot.outcome = connection_->control(Control::savepoint);
  if (!slot.outcome) return;
  run_slot(slot);
  if (!connection_->in_transaction()) return;
  Result<void> ended;
  if (!slot.outcome) ended = connection_->control(Control::undo);
  if (ended) ended = connection_->control(Control::release);
  if (!ended) slot.outcome = ended;
}

void Writer::run_survivors_again() {
  // Each round either keeps all that were left or loses at least one of them, so this ends.
  while (has_survivors()) {
    const Result<void> begun = connection_->control(Control::begin_write);
    if (!begun) return fail_survivors(begun.error());
    for (Slot& slot : group_) {
      if (!slot.outcome) continue;
      ++shared_.retried;
      run_in_savepoint(slot);
      if (connection_->faulty()) return fail_survivors(fault_error());
      if (!connection_->in_transaction()) break;
    }
    if (connection_->in_transaction()) return;
  }
}

void Writer::commit_group() {
  const auto survivors = static_cast<std::uint64_t>(
      std::ranges::count_if(group_, [](const Slot& slot) { return slot.outcome.has_value(); }));
  if (connection_->in_transaction() && survivors > 0) {
    const Result<void> committed = connection_->control(Control::commit);
    if (committed) {
      ++shared_.commits;
      shared_.committed += survivors;
      faults_in_row_ = 0;
    } else {
      const bool kept_nothing =
          committed.error().code() == Errc::storage_full || is_locked(committed.error());
      fail_survivors(kept_nothing ? committed.error() : fault_error());
    }
  }
  if (connection_->in_transaction()) {
    const auto undone = connection_->control(Control::rollback);
    static_cast<void>(undone);  // Either it worked, or the connection is faulty and is closed.
  }
}

void Writer::fail_survivors(const Error& error) {
  for (Slot& slot : group_) {
    if (slot.outcome) slot.outcome = error;
  }
}

void Writer::answer_group() {
  for (Slot& slot : group_) {
    if (!slot.outcome) ++shared_.rolled_back;
    answer(slot.job, std::move(slot.outcome), slot.actions, logger_);
  }
  group_.clear();
}

void Writer::keep_wal_short() {
  const int pages = connection_->wal_pages();
  // Readers can keep the log from starting over; then it grows, and trying at every commit would only cost.
  if (pages + kCheckpointPages < checkpoint_at_) checkpoint_at_ = kCheckpointPages;
  if (pages < checkpoint_at_) return;
  const auto done =
      connection_->checkpoint(pages < kWalPagesMax ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART);
  if (!done && !is_locked(done.error()))
    logger_.warning("sql_checkpoint_failed", {{"slug", done.error().slug()}});
  checkpoint_at_ = pages + kCheckpointPages;
}

bool Writer::recover() {
  logger_.error("sql_storage_fault", {{"in_row", faults_in_row_ + 1}});
  shared_.suspect = false;
  if (++faults_in_row_ > kFaultsMax) return false;
  connection_.reset();
  if (!open()) return false;
  const auto verified = connection_->verify();
  if (verified) logger_.warning("sql_storage_verified");
  return verified.has_value();
}

void Writer::give_up() {
  given_up_ = true;
  connection_.reset();
  logger_.error("sql_writes_stopped", {{"remedy", "check the disk, then start again"}});
  if (!config_.on_fatal) return;
  try {
    config_.on_fatal();
  } catch (const std::exception& error) {
    logger_.error("sql_on_fatal_threw", {{"message", error.what()}});
  }
}

}  // namespace ekiden::sql::sqlite
