#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/logger.hpp"
#include "ports/limits/limits.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::limits {

/// Whose clock fills the buckets.
enum class TimeOf : std::uint8_t {
  server,  ///< Redis' own: one for all gateways
  caller,  ///< the given clock's: for tests
};

struct RedisLimitsConfig {
  std::string prefix = "ekiden:limits:";
  TimeOf time = TimeOf::server;
  /// A request waits no longer for its decision.
  std::chrono::milliseconds timeout{100};
};

struct RedisLimitsFigures {
  std::int64_t shared = 0;    ///< decisions by Redis, since the start
  std::int64_t degraded = 0;  ///< without it
  bool is_degraded = false;   ///< how the last one was made
};

class RedisLimits : public Limits {
 public:
  virtual RedisLimitsFigures figures() const = 0;
};

/// Buckets in a Redis 7, shared by all gateways: one Lua script, microseconds of the server's clock.
///
/// While Redis does not answer, `fallback` decides, with the same policy, by this process alone, and the
/// decision says `degraded`: a client then has at most its budget at each gateway, so the budget times their
/// number in all. What was taken meanwhile is not told to Redis afterwards. The change is logged once each
/// way.
/// @param client, fallback, clock outlive the limits; no `take_async` may be open when they go.
std::unique_ptr<RedisLimits> make_redis_limits(redis::Client& client, Limits& fallback, const Clock& clock,
                                               const Logger& logger, RedisLimitsConfig config = {});

}  // namespace ekiden::limits
