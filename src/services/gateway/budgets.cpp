#include "services/gateway/budgets.hpp"

#include <cmath>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/client_address.hpp"

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;

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

/// The decision comes on another thread; the coroutine goes on upon its own.
runtime::Task<limits::Decision> take_on_loop(limits::Limits& limits, std::string key, limits::Policy policy) {
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto start = [](auto handler, limits::Limits* from, asio::any_io_executor back, std::string of,
                  limits::Policy by) {
    auto resume = [handler = std::move(handler),
                   guard = asio::make_work_guard(back)](limits::Decision decision) mutable {
      asio::post(guard.get_executor(),
                 [handler = std::move(handler), decision]() mutable { std::move(handler)(decision); });
      guard.reset();
    };
    from->take_async(of, by, 1, std::move(resume));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(limits::Decision)>(
      start, asio::use_awaitable, &limits, std::move(executor), std::move(key), policy);
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

std::optional<Draw> Budgets::plan(http::RateClass rate_class) const {
  const limits::Policy* policy = policy_of(config_, rate_class);
  if (policy == nullptr || !config_.limits_enabled) return std::nullopt;
  return Draw{.budget = http::to_string(rate_class), .policy = *policy, .decision = {}};
}

std::string Budgets::key_of(const Draw& draw, const std::optional<http::Identity>& identity,
                            http::RateClass rate_class, std::string_view client_address) {
  const bool by_person = identity && rate_class != http::RateClass::auth;
  return std::string(draw.budget) + ":" +
         (by_person ? identity->user_id.to_string() : http::rate_key(client_address));
}

std::optional<Draw> Budgets::draw_now(http::RateClass rate_class,
                                      const std::optional<http::Identity>& identity,
                                      std::string_view client_address) {
  std::optional<Draw> draw = plan(rate_class);
  if (draw) {
    draw->decision = limits_.take(key_of(*draw, identity, rate_class, client_address), draw->policy);
  }
  return draw;
}

std::optional<Draw> Budgets::known_refusal(http::RateClass rate_class,
                                           const std::optional<http::Identity>& identity,
                                           std::string_view client_address) {
  std::optional<Draw> draw = plan(rate_class);
  if (!draw) return std::nullopt;
  const auto refusal =
      limits_.known_refusal(key_of(*draw, identity, rate_class, client_address), draw->policy);
  if (!refusal) return std::nullopt;
  draw->decision = *refusal;
  return draw;
}

void Budgets::draw_then(http::RateClass rate_class, const std::optional<http::Identity>& identity,
                        std::string_view client_address,
                        std::move_only_function<void(std::optional<Draw>)> done) {
  std::optional<Draw> draw = plan(rate_class);
  if (!draw) return done(std::nullopt);
  const std::string key = key_of(*draw, identity, rate_class, client_address);
  limits_.take_async(key, draw->policy, 1,
                     [draw = *draw, done = std::move(done)](limits::Decision decision) mutable {
                       draw.decision = decision;
                       done(draw);
                     });
}

runtime::Task<std::optional<Draw>> Budgets::draw(http::RateClass rate_class,
                                                 std::optional<http::Identity> identity,
                                                 std::string client_address) {
  if (decides_at_once()) co_return draw_now(rate_class, identity, client_address);
  std::optional<Draw> draw = plan(rate_class);
  if (!draw) co_return std::nullopt;
  std::string key = key_of(*draw, identity, rate_class, client_address);
  co_return co_await decide(*std::move(draw), std::move(key));
}

runtime::Task<std::optional<Draw>> Budgets::draw_for_stranger(std::string client_address) {
  if (!config_.limits_enabled) co_return std::nullopt;
  Draw draw{.budget = "address", .policy = config_.address, .decision = {}};
  std::string key = "address:" + http::rate_key(client_address);
  co_return co_await decide(std::move(draw), std::move(key));
}

runtime::Task<std::optional<Draw>> Budgets::decide(Draw draw, std::string key) {
  if (decides_at_once()) {
    draw.decision = limits_.take(key, draw.policy);
    co_return draw;
  }
  draw.decision = co_await take_on_loop(limits_, std::move(key), draw.policy);
  co_return draw;
}

}  // namespace ekiden::gateway
