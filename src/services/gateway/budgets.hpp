#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/route.hpp"
#include "ports/limits/limits.hpp"
#include "services/gateway/config.hpp"

namespace ekiden::gateway {

/// What a request drew, for the answer's `RateLimit` fields. @source draft-ietf-httpapi-ratelimit-headers-08
struct Draw {
  std::string_view budget;
  limits::Policy policy;
  limits::Decision decision;

  std::string policy_field() const;  ///< `"read";q=200;w=4`
  std::string state_field() const;   ///< `"read";r=199;t=1`
};

/// Which bucket a request draws on: a signed-in person has one for each class, everyone else one for each
/// address (a /64 for IPv6), and signing in always counts by address. @threads any; never blocks
class Budgets {
 public:
  Budgets(limits::Limits& limits, const GatewayConfig& config) : limits_(limits), config_(config) {}

  /// nullopt where budgets are switched off or the class has none.
  std::optional<Draw> draw(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                           std::string_view client_address);
  /// The budget of an address for what carries no valid token: unknown paths, bad tokens.
  std::optional<Draw> draw_for_stranger(std::string_view client_address);

 private:
  limits::Limits& limits_;
  const GatewayConfig& config_;
};

}  // namespace ekiden::gateway
