#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/bounded_queue.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/sql/sql.hpp"
#include "ports/sql/sqlite/connection.hpp"

namespace ekiden::sql::sqlite {

struct Job {
  TxOptions options;
  TxBody body;
  TxDone done;
};

using JobQueue = BoundedQueue<Job>;
using Actions = std::vector<std::move_only_function<void()>>;

/// What the lanes of one database share.
struct Shared {
  std::atomic<std::size_t> busy{0};
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> rolled_back{0};
  std::atomic<std::uint64_t> retried{0};
  /// A reader met a fault: the writer checks the file before it acknowledges anything more.
  std::atomic<bool> suspect{false};
};

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

/// What a body sees of its lane's connection. After an error every call answers that error.
class LaneTx final : public Tx {
 public:
  LaneTx(Connection& connection, Deadline deadline, const Clock& clock, Actions& actions)
      : connection_(connection), deadline_(deadline), clock_(clock), actions_(actions) {}

  Result<Rows> query(std::string_view statement, Params params) override;
  Result<std::int64_t> execute(std::string_view statement, Params params) override;
  Result<std::int64_t> execute_batch(std::string_view statement, std::vector<Params> sets) override;
  void after_commit(std::move_only_function<void()> action) override;

  const std::optional<Error>& lost() const { return lost_; }

 private:
  template <class Call>
  auto guarded(Call call) -> std::invoke_result_t<Call&>;

  Connection& connection_;
  const Deadline deadline_;
  const Clock& clock_;
  Actions& actions_;
  std::optional<Error> lost_;
};

/// Runs a body in the connection's open transaction. @returns its error, the error that lost the transaction
/// even where the body returned success, or `internal` where it threw. `actions` then holds what to run after
/// the commit.
Result<void> run_body(Connection& connection, Job& job, const Clock& clock, const Logger& logger,
                      Actions& actions);

/// Runs what was left for after the commit, then tells the caller. Nothing they throw ends the lane.
void answer(Job& job, Result<void> outcome, Actions& actions, const Logger& logger);

inline Error deadline_error() {
  return {Errc::timeout, "deadline", "the deadline passed before it could run"};
}

}  // namespace ekiden::sql::sqlite
