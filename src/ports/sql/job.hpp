#pragma once

// What adapters share: a transaction on its way through a lane, and how its body is run and answered.

#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::sql {

struct Job {
  TxOptions options;
  TxBody body;
  TxDone done;
};

using Actions = std::vector<std::move_only_function<void()>>;

inline Error deadline_error() {
  return {Errc::timeout, "deadline", "the deadline passed before it could run"};
}

/// Calls `call`; what it throws is logged as `event` and becomes `internal`.
Result<void> contained(const Logger& logger, std::string_view event,
                       std::move_only_function<Result<void>()> call);

/// Runs what was left for after the commit, then tells the caller. Nothing they throw ends the lane.
void answer(Job& job, Result<void> outcome, Actions& actions, const Logger& logger);

/// What a body sees of its lane's connection, which has `query`, `execute` and `execute_batch` as Tx has
/// them. After an error every call answers that error.
template <class Connection>
class LaneTx final : public Tx {
 public:
  LaneTx(Connection& connection, Deadline deadline, const Clock& clock, Actions& actions)
      : connection_(connection), deadline_(deadline), clock_(clock), actions_(actions) {}

  Result<Rows> query(std::string_view statement, Params params) override {
    return guarded([&] { return connection_.query(statement, params); });
  }
  Result<std::int64_t> execute(std::string_view statement, Params params) override {
    return guarded([&] { return connection_.execute(statement, params); });
  }
  Result<std::int64_t> execute_batch(std::string_view statement, std::vector<Params> sets) override {
    return guarded([&] { return connection_.execute_batch(statement, sets); });
  }
  void after_commit(std::move_only_function<void()> action) override {
    actions_.push_back(std::move(action));
  }

  const std::optional<Error>& lost() const { return lost_; }

 private:
  template <class Call>
  auto guarded(Call call) -> std::invoke_result_t<Call&> {
    if (!lost_ && deadline_.passed(clock_)) lost_ = deadline_error();
    if (lost_) return *lost_;
    auto outcome = call();
    if (!outcome) lost_ = outcome.error();
    return outcome;
  }

  Connection& connection_;
  const Deadline deadline_;
  const Clock& clock_;
  Actions& actions_;
  std::optional<Error> lost_;
};

/// Runs a body in the connection's open transaction. @returns its error, the error that lost the transaction
/// even where the body returned success, or `internal` where it threw. `actions` then holds what to run after
/// the commit.
template <class Connection>
Result<void> run_body(Connection& connection, Job& job, const Clock& clock, const Logger& logger,
                      Actions& actions) {
  actions.clear();
  if (job.options.deadline.passed(clock)) return deadline_error();
  connection.set_deadline(job.options.deadline);
  LaneTx<Connection> tx(connection, job.options.deadline, clock, actions);
  Result<void> outcome = contained(logger, "sql_body_threw", [&] { return job.body(tx); });
  if (tx.lost()) return *tx.lost();
  return outcome;
}

}  // namespace ekiden::sql
