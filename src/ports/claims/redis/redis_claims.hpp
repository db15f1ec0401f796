#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "ports/claims/claims.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::claims {

/// Whose clock says when a lease ends.
enum class TimeOf : std::uint8_t {
  server,  ///< Redis' own: one for all processes
  caller,  ///< the given clock's: for tests
};

struct RedisClaimsConfig {
  std::string prefix = "ekiden:claims:";
  TimeOf time = TimeOf::server;
};

/// Claims as keys of a Redis 7, each with the expiry of its lease. An epoch is the server's time of the claim
/// in microseconds, or one more than the last where that is later: it grows also over a Redis that has lost
/// everything. What a failover loses is lost: two holders of one key are then possible, and the epoch tells
/// them apart. `Lease::expires_at` is by `clock`, read before the call: too early rather than too late.
/// @param client, clock outlive the claims.
std::unique_ptr<Claims> make_redis_claims(redis::Client& client, const Clock& clock,
                                          RedisClaimsConfig config = {});

}  // namespace ekiden::claims
