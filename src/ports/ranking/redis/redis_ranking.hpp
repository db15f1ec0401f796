#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/logger.hpp"
#include "base/random.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::ranking {

struct RedisRankingConfig {
  /// What every key begins with: two communities on one server have different ones.
  std::string prefix = "ekiden:ranking:";
  /// How long applied event ids are remembered after the last one of their minute. It must be well beyond the
  /// time for which a caller offers an event again.
  std::chrono::seconds event_ttl{std::chrono::hours{2}};
  /// After so much silence of a process that rebuilds, another may.
  std::chrono::milliseconds rebuild_lease{20'000};
};

/// Boards on one Redis 7, shared by all processes. Each change of a batch is one Lua script that first claims
/// the event ids. What Redis forgets (a flush, a restart, a failover) is noticed: the ready mark is gone, or
/// it names another run of the server (docs/adr/0011-redis-ranking.md).
/// @param client, random, clock outlive the ranking.
std::unique_ptr<Ranking> make_redis_ranking(redis::Client& client, RedisRankingConfig config, Random& random,
                                            const Clock& clock, const Logger& logger);

}  // namespace ekiden::ranking
