#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "services/gateway/upstream/circuit_breaker.hpp"

namespace ekiden::gateway {

/// Where the services' processes are, and how they are called (options.cpp has keys, bounds and
/// explanations).
struct UpstreamConfig {
  /// By service: `10.0.0.1:8081`, `[fd00::1]:8081` or `name:8081`, of which every address is a process.
  std::map<std::string, std::vector<std::string>, std::less<>> addresses;
  std::size_t connections_max = 64;  ///< to one process, over all loops
  std::size_t waiting_max = 256;     ///< calls that wait for one of these; more get 503
  std::chrono::milliseconds connect_timeout{1'000};
  std::chrono::milliseconds idle_timeout{30'000};   ///< below the services' own
  std::chrono::milliseconds stall_timeout{60'000};  ///< of a body that passes through, without a byte
  std::chrono::milliseconds resolve_every{10'000};
  std::chrono::milliseconds check_every{1'000};
  std::chrono::milliseconds tick{50};  ///< how exactly the timeouts are kept
  int attempts_max = 3;
  double retry_ratio = 0.2;
  double retry_reserve = 100;
  std::size_t tunnels_max = 10'000;  ///< WebSockets at once, of one loop
  CircuitConfig circuit{};
};

}  // namespace ekiden::gateway
