#pragma once

#include <vector>

#include "services/gamification/projection.hpp"
#include "services/service_spec.hpp"

namespace ekiden::gamification {

/// The equations that boards must satisfy. @param projection null where only the tables can be looked at (a command
/// beside a running server has no ranking of its own).
std::vector<services::AuditCheck> audits(sql::Database& db, const ranking::Ranking* ranking, Projection* projection);

}  // namespace ekiden::gamification
