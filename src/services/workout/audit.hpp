#pragma once

#include <vector>

#include "ports/blobs/blobs.hpp"
#include "services/service_spec.hpp"

namespace ekiden::workout {

/// `outbox-equals-workouts` and `uploads-have-blobs`.
std::vector<services::AuditCheck> audits(sql::Database& db, const blobs::Blobs& blobs);

}  // namespace ekiden::workout
