#include "services/gateway/budgets.hpp"

#include <cmath>

#include "http/client_address.hpp"

namespace ekiden::gateway {

namespace {

const limits::Policy* policy_of(const GatewayConfig& config, http::RateClass rate_class) {
  switch (rate_class) {
    case http::RateClass::read:
      return &config.read;
    case http::RateClass::write:
      return &config.write;
    case http::RateClass::upload:
      return &config.upload;
    case http::RateClass::auth:
      return &config.auth;
    case http::RateClass::none:
      return nullptr;
  }
  return nullptr;
}

std::int64_t seconds_up(std::chrono::milliseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

}  // namespace

std::string Draw::policy_field() const {
  const auto window =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(policy.burst) / policy.rate_per_s));
  return "\"" + std::string(budget) + "\";q=" + std::to_string(policy.burst) + ";w=" + std::to_string(window);
}

std::string Draw::state_field() const {
  return "\"" + std::string(budget) + "\";r=" + std::to_string(decision.remaining) +
         ";t=" + std::to_string(seconds_up(decision.reset_after));
}

std::optional<Draw> Budgets::draw(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                                  std::string_view client_address) {
  const limits::Policy* policy = policy_of(config_, rate_class);
  if (policy == nullptr || !config_.limits_enabled) return std::nullopt;
  const std::string_view budget = http::to_string(rate_class);
  const bool by_person = identity && rate_class != http::RateClass::auth;
  const std::string key = std::string(budget) + ":" +
                          (by_person ? identity->user_id.to_string() : http::rate_key(client_address));
  return Draw{.budget = budget, .policy = *policy, .decision = limits_.take(key, *policy)};
}

std::optional<Draw> Budgets::draw_for_stranger(std::string_view client_address) {
  if (!config_.limits_enabled) return std::nullopt;
  return Draw{.budget = "address",
              .policy = config_.address,
              .decision = limits_.take("address:" + http::rate_key(client_address), config_.address)};
}

}  // namespace ekiden::gateway
