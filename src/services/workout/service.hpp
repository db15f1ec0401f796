#pragma once

#include <functional>
#include <vector>

#include "base/config.hpp"
#include "http/cursor.hpp"
#include "ports/blobs/blobs.hpp"
#include "runtime/executor.hpp"
#include "runtime/metrics.hpp"
#include "services/service_spec.hpp"
#include "services/workout/config.hpp"

namespace ekiden::workout {

/// What the service works with; everything outlives it.
struct WorkoutParts {
  sql::Database& db;
  blobs::Blobs& blobs;
  runtime::LoopExecutor& loops;  ///< the service's own: its jobs run there beside its requests
  const http::CursorSealer& cursors;
  runtime::FiguresRegistry& figures;
  runtime::Metrics& metrics;
  std::function<void()> wake_relay;
  const Clock& clock;
  Ids& ids;
  Random& random;
  Logger logger;
  std::string process{};  ///< which of those that work on the same database, the same after a restart
};

/// The service's steps of schema, in order: also for `ekiden migrate`.
std::vector<sql::Migration> migrations();

/// Its concurrency model: the loops are made from it before the service.
runtime::Model model(const WorkoutConfig& config);

/// The service's routes without handlers: what a gateway in another process needs to know of them.
std::vector<http::Route> routes(const WorkoutConfig& config);

services::ServiceSpec workout_service(WorkoutParts parts, WorkoutConfig config);

/// Settings `workout.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
WorkoutConfig read_config(const Config& config);

}  // namespace ekiden::workout
