#pragma once

#include <cstdint>

namespace ekiden::gamification {

/// What an operator decides about boards (options.cpp has keys, bounds and explanations).
struct GamificationConfig {
  std::int64_t request_threads = 4;
  std::int64_t request_queue_max = 1024;
};

}  // namespace ekiden::gamification
