#pragma once

#include <vector>

#include "events/workouts.hpp"
#include "ports/blobs/blobs.hpp"
#include "services/service_spec.hpp"

namespace ekiden::workout {

/// `outbox-equals-workouts` and `uploads-have-blobs`.
std::vector<services::AuditCheck> audits(sql::Database& db, const blobs::Blobs& blobs);

/// What the living workouts are worth, page by page in order of id: for audits of what others made of them.
Result<std::vector<events::WorkoutState>> live_workouts(sql::Database& db, WorkoutId after,
                                                        std::int64_t limit);

}  // namespace ekiden::workout
