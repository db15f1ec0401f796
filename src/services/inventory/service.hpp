#pragma once

#include <functional>
#include <vector>

#include "base/config.hpp"
#include "base/logger.hpp"
#include "http/cursor.hpp"
#include "ports/blobs/blobs.hpp"
#include "runtime/executor.hpp"
#include "runtime/metrics.hpp"
#include "services/inventory/config.hpp"
#include "services/service_spec.hpp"

namespace ekiden::inventory {

/// What the service works with; everything outlives it.
struct InventoryParts {
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
runtime::Model model(const InventoryConfig& config);

/// The service's routes without handlers: what a gateway in another process needs to know of them.
std::vector<http::Route> routes(const InventoryConfig& config);

services::ServiceSpec inventory_service(InventoryParts parts, InventoryConfig config);

/// Settings `inventory.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
InventoryConfig read_config(const Config& config);

}  // namespace ekiden::inventory
