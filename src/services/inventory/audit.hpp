#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ports/blobs/blobs.hpp"
#include "services/inventory/domain/counting.hpp"
#include "services/service_spec.hpp"

namespace ekiden::inventory {

/// The equations that the tables must satisfy: `gear-equals-ledger`, `parts-equal-mountings`,
/// `photos-are-kept`.
std::vector<services::AuditCheck> audits(sql::Database& db, const blobs::Blobs& blobs);

/// What the ledger holds otherwise than these workouts give, for the audit of one against the other:
/// `workouts` are the live ones of the workout service, called for one after another until nullopt.
Result<std::vector<std::string>> ledger_equals_workouts(
    sql::Database& db, std::move_only_function<Result<std::optional<Workout>>()> workouts);

}  // namespace ekiden::inventory
