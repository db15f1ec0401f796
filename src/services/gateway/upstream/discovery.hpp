#pragma once

#include <memory>

#include "base/logger.hpp"
#include "runtime/task.hpp"
#include "services/gateway/upstream/lane.hpp"
#include "services/gateway/upstream/upstream.hpp"

namespace ekiden::gateway {

/// Asks the name server for the service's names again and again, and lists every address it gives. Where it
/// gives none or does not answer, what was known stays. Ends by being cancelled. On any loop.
runtime::Task<> keep_resolving(std::shared_ptr<Upstream> upstream, std::chrono::milliseconds every,
                               Logger logger);

/// Asks one process whether it is ready (`/readyz`), within `timeout`, on a connection of its own.
runtime::Task<> check_endpoint(std::shared_ptr<http::Watch> watch, EndpointPtr endpoint, Duration timeout,
                               Logger logger);

}  // namespace ekiden::gateway
