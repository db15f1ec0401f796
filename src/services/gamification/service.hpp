#pragma once

#include <vector>

#include "base/config.hpp"
#include "base/logger.hpp"
#include "http/cursor.hpp"
#include "ports/ranking/ranking.hpp"
#include "runtime/figures.hpp"
#include "services/gamification/config.hpp"
#include "services/service_spec.hpp"

namespace ekiden::gamification {

/// What the service works with; everything outlives it.
struct GamificationParts {
  sql::Database& db;
  ranking::Ranking& ranking;
  const http::CursorSealer& cursors;
  const Clock& clock;
  Ids& ids;
  Random& random;
  runtime::FiguresRegistry& figures;
  Logger logger;
  std::string process{};  ///< which of those that work on the same database, the same after a restart
};

/// Jobs that an operator can order beside the running server, by a row in this service's table of jobs.
inline constexpr std::string_view kRebuildRankingJob = "rebuild_ranking";
/// Ends `dead` with its findings as the error, where there are any.
inline constexpr std::string_view kAuditRankingJob = "audit_ranking";

/// The service's steps of schema, in order: also for `ekiden migrate`.
std::vector<sql::Migration> migrations();

/// Its concurrency model: what answers its requests is made from it, before the service.
runtime::Model model(const GamificationConfig& config);

/// The service's routes without handlers: what a gateway in another process needs to know of them.
std::vector<http::Route> routes(const GamificationConfig& config);

services::ServiceSpec gamification_service(GamificationParts parts, GamificationConfig config);

/// Settings `gamification.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
GamificationConfig read_config(const Config& config);

}  // namespace ekiden::gamification
