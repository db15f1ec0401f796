#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ports/sql/sqlite/lane.hpp"

namespace ekiden::sql::sqlite {

/// Runs write transactions one after another and lets those that wait share a commit. @threads its lane's
class Writer {
 public:
  Writer(const SqliteConfig& config, JobQueue& queue, Shared& shared, const Clock& clock,
         const Logger& logger)
      : config_(config), queue_(queue), shared_(shared), clock_(clock), logger_(logger) {}

  Result<void> open();
  /// Until the queue is closed and empty.
  void run();

 private:
  struct Slot {
    Job job;
    Result<void> outcome;
    Actions actions;
  };

  void run_group(Job first);
  void fill_group();
  bool has_survivors() const;
  bool has_room(Instant started, std::uint64_t bytes) const;
  Result<void> begin(Deadline deadline);
  void run_slot(Slot& slot);
  /// Without a savepoint, under which SQLite keeps a copy of every page before its first change. Where the
  /// body fails after a change, this undoes the whole transaction: those of the group that succeeded run
  /// again.
  void run_bare(Slot& slot);
  /// What fails is undone alone.
  void run_in_savepoint(Slot& slot);
  void run_survivors_again();
  void commit_group();
  void fail_survivors(const Error& error);
  void answer_group();

  void keep_wal_short();
  /// Opens and checks the file anew after a fault. @returns whether writes may go on.
  bool recover();
  void give_up();

  const SqliteConfig& config_;
  JobQueue& queue_;
  Shared& shared_;
  const Clock& clock_;
  const Logger& logger_;
  std::unique_ptr<Connection> connection_;
  std::vector<Slot> group_;
  int checkpoint_at_ = 0;  ///< pages in the log at which the next checkpoint is tried
  int faults_in_row_ = 0;
  bool given_up_ = false;
};

}  // namespace ekiden::sql::sqlite
