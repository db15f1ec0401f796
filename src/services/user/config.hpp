#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ekiden::user {

/// Whoever has a password hashed waits here, on threads that nothing else needs.
inline constexpr std::string_view kHashingLane = "passwords";

enum class Registration { open, invitation, closed };

/// What an operator decides about accounts (options.cpp has keys, bounds and explanations).
struct UserConfig {
  Registration registration = Registration::open;
  std::chrono::seconds access_ttl{900};
  std::chrono::seconds session_ttl{std::chrono::hours{24 * 60}};
  std::chrono::seconds reset_ttl{std::chrono::minutes{15}};
  std::chrono::seconds invitation_ttl{std::chrono::hours{24 * 14}};
  std::int64_t api_keys_max = 20;  ///< per person
  std::int64_t request_threads = 8;
  std::int64_t request_queue_max = 512;
  std::int64_t hash_threads = 1;
  std::int64_t hash_queue_max = 32;
  std::int64_t hash_memory_kib = 19 * 1024;
  std::int64_t hash_passes = 2;
};

}  // namespace ekiden::user
