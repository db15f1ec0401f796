#include "ports/sql/job.hpp"

#include <exception>

namespace ekiden::sql {

Result<void> contained(const Logger& logger, std::string_view event,
                       std::move_only_function<Result<void>()> call) {
  try {
    return call();
  } catch (const std::exception& error) {
    logger.error(event, {{"message", error.what()}});
  } catch (...) {
    logger.error(event, {{"message", "not a std::exception"}});
  }
  return Error{Errc::internal, "internal", "something went wrong on our side"};
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
  // What they hold goes before the caller hears of the end, whichever it was.
  actions.clear();
  const auto told = contained(logger, "sql_done_threw", [&]() -> Result<void> {
    job.done(std::move(outcome));
    return {};
  });
  static_cast<void>(told);
}

}  // namespace ekiden::sql
