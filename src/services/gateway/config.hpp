#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "ports/limits/limits.hpp"

namespace ekiden::gateway {

/// What an operator decides about the door (options.cpp has keys, bounds and explanations).
struct GatewayConfig {
  bool limits_enabled = true;
  limits::Policy read{.rate_per_s = 50, .burst = 200};
  limits::Policy write{.rate_per_s = 10, .burst = 60};
  limits::Policy upload{.rate_per_s = 5, .burst = 1200};  ///< a folder of a thousand files in one go
  limits::Policy auth{.rate_per_s = 0.5, .burst = 20};    ///< per address
  limits::Policy address{.rate_per_s = 200,
                         .burst = 1000};  ///< of everything that comes without a valid token
  std::size_t tokens_remembered = 10'000;
  std::chrono::seconds key_remembered{30};
  std::size_t revocations_max = 200'000;
  std::int64_t loops = 1;
  std::int64_t inflight_max = 4096;
};

}  // namespace ekiden::gateway
