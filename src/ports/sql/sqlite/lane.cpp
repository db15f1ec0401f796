#include "ports/sql/sqlite/lane.hpp"

#include <exception>
#include <string_view>

namespace ekiden::sql::sqlite {

namespace {

/// Calls `call`; what it throws is logged and becomes `internal`.
template <class Call>
Result<void> contained(const Logger& logger, std::string_view event, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    logger.error(event, {{"message", error.what()}});
  } catch (...) {
    logger.error(event, {{"message", "not a std::exception"}});
  }
  return Error{Errc::internal, "internal", "something went wrong on our side"};
}

}  // namespace

template <class Call>
auto LaneTx::guarded(Call call) -> std::invoke_result_t<Call&> {
  if (!lost_ && deadline_.passed(clock_)) lost_ = deadline_error();
  if (lost_) return *lost_;
  auto outcome = call();
  if (!outcome) lost_ = outcome.error();
  return outcome;
}

Result<Rows> LaneTx::query(std::string_view statement, Params params) {
  return guarded([&] { return connection_.query(statement, params); });
}

Result<std::int64_t> LaneTx::execute(std::string_view statement, Params params) {
  return guarded([&] { return connection_.execute(statement, params); });
}

Result<std::int64_t> LaneTx::execute_batch(std::string_view statement, std::vector<Params> sets) {
  return guarded([&] { return connection_.execute_batch(statement, sets); });
}

void LaneTx::after_commit(std::move_only_function<void()> action) {
  actions_.push_back(std::move(action));
}

Result<void> run_body(Connection& connection, Job& job, const Clock& clock, const Logger& logger,
                      Actions& actions) {
  actions.clear();
  if (job.options.deadline.passed(clock)) return deadline_error();
  connection.set_deadline(job.options.deadline);
  LaneTx tx(connection, job.options.deadline, clock, actions);
  Result<void> outcome = contained(logger, "sql_body_threw", [&] { return job.body(tx); });
  if (tx.lost()) return *tx.lost();
  return outcome;
}

void answer(Job& job, Result<void> outcome, Actions& actions, const Logger& logger) {
  if (outcome) {
    for (auto& action : actions) {
      const auto ran = contained(logger, "sql_after_commit_threw", [&]() -> Result<void> {
        action();
        return {};
      });
      static_cast<void>(ran);
    }
  }
  const auto told = contained(logger, "sql_done_threw", [&]() -> Result<void> {
    job.done(std::move(outcome));
    return {};
  });
  static_cast<void>(told);
}

}  // namespace ekiden::sql::sqlite
