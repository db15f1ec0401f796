#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "http/route.hpp"
#include "ports/limits/limits.hpp"
#include "runtime/task.hpp"
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
  runtime::Task<std::optional<Draw>> draw(http::RateClass rate_class, std::optional<http::Identity> identity,
                                          std::string client_address);
  /// The budget of an address for what carries no valid token: unknown paths, bad tokens.
  runtime::Task<std::optional<Draw>> draw_for_stranger(std::string client_address);

  /// Whether `draw_now` may be called: a decision never waits for a network.
  bool decides_at_once() const { return !limits_.does_wait(); }
  /// What the request would draw, where it is known already that it would be refused.
  std::optional<Draw> known_refusal(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                                    std::string_view client_address);
  /// As `draw`, without a coroutine: `done` is called once, within this call or on another thread.
  void draw_then(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                 std::string_view client_address, std::move_only_function<void(std::optional<Draw>)> done);
  /// As `draw`, within the call.
  std::optional<Draw> draw_now(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                               std::string_view client_address);

 private:
  /// What a request would draw on; the decision is open.
  std::optional<Draw> plan(http::RateClass rate_class) const;
  static std::string key_of(const Draw& draw, const std::optional<http::Identity>& identity,
                            http::RateClass rate_class, std::string_view client_address);
  runtime::Task<std::optional<Draw>> decide(Draw draw, std::string key);

  limits::Limits& limits_;
  const GatewayConfig& config_;
};

}  // namespace ekiden::gateway
