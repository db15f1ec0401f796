#pragma once

#include "app/service_set.hpp"

namespace ekiden::app {

/// Boards against the workouts themselves: what nothing in between can have lost or doubled.
Result<std::vector<std::string>> ledger_equals_workouts(AuditPlace& place);

/// What gear is given by workouts, against the workouts themselves.
Result<std::vector<std::string>> gear_ledger_equals_workouts(AuditPlace& place);

/// The ranking against the ledger's scores, asked of the server, whose ranking it is.
Result<std::vector<std::string>> ranking_equals_scores(AuditPlace& place);

}  // namespace ekiden::app
