#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "services/gamification/domain/boards.hpp"
#include "services/gamification/projection.hpp"
#include "services/service_spec.hpp"

namespace ekiden::gamification {

/// The equations that the tables must satisfy.
std::vector<services::AuditCheck> audits(sql::Database& db);

/// What the ranking says otherwise than `scores`; with `repair` it is then rebuilt. Only where the ranking
/// lives.
Result<std::vector<std::string>> ranking_equals_scores(sql::Database& db, const ranking::Ranking& ranking,
                                                       Projection& projection, bool repair);

/// What the ledger holds otherwise than these workouts are worth, for the audit of one against the other:
/// `workouts` are the live ones of the workout service, called for one after another until nullopt.
Result<std::vector<std::string>> ledger_equals_workouts(
    sql::Database& db, std::move_only_function<Result<std::optional<CountedWorkout>>()> workouts);

}  // namespace ekiden::gamification
