#include "services/gateway/dispatcher.hpp"

#include <algorithm>

#include "http/problem.hpp"

namespace ekiden::gateway {

namespace {

constexpr std::string_view kTimeoutField = "Ekiden-Timeout-Ms";

Error not_signed_in() {
  return {Errc::unauthenticated, "not-signed-in", "sign in, and send the access token as a bearer token"};
}

Error over_budget(const Draw& draw) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(draw.decision.retry_after);
  return Error{Errc::limited, "too-many-requests", "this client's budget for such requests is used up: wait"}
      .with_retry_after(wait);
}

void put_fields(http::Headers& headers, const Draw& draw) {
  headers.set("RateLimit-Policy", draw.policy_field());
  headers.set("RateLimit", draw.state_field());
}

http::Response refuse_over_budget(const Draw& draw, const http::Request& request) {
  http::Response response = http::problem(over_budget(draw), request.request_id);
  put_fields(response.headers, draw);
  return response;
}

}  // namespace

Result<void> authorize(const http::Route& route, const std::optional<http::Identity>& identity) {
  if (route.auth == http::Auth::none) return {};
  if (!identity) return not_signed_in();
  if (identity->by_api_key &&
      (route.scope.empty() || std::ranges::find(identity->scopes, route.scope) == identity->scopes.end())) {
    return Error{Errc::forbidden, "scope-missing", "this API key is not good for that"};
  }
  switch (route.auth) {
    case http::Auth::none:
    case http::Auth::user:
      return {};
    case http::Auth::organizer:
      if (identity->role != http::Role::member) return {};
      return Error{Errc::forbidden, "not-an-organizer", "only organizers may do that"};
    case http::Auth::admin:
      if (identity->role == http::Role::admin) return {};
      return Error{Errc::forbidden, "not-an-administrator", "only administrators may do that"};
    case http::Auth::internal:
      break;
  }
  return Error{Errc::not_found, "not-found", "there is nothing here"};
}

http::Admission Dispatcher::refuse(const Error& error, const std::optional<Draw>& draw,
                                   const http::Request& request) {
  if (draw && !draw->decision.admitted) return refuse_over_budget(*draw, request);
  http::Response response = http::problem(error, request.request_id);
  if (error.code() == Errc::unauthenticated) response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

bool Dispatcher::try_fast(const http::FastRequest& request, http::FastReply& reply) {
  if (request.head.verb != http::Verb::get) return false;
  if (request.head.path() == "/healthz") {
    reply.body = R"({"status":"ok"})";
    return true;
  }
  http::PathParams params;
  const http::Route* route = router_.match(request.head.verb, request.head.path(), params);
  if (route == nullptr || !route->fast || request.head.count("Authorization") != 1) return false;
  if (!budgets_.decides_at_once()) return false;
  // Whatever is out of the ordinary takes the long way, which decides and says why.
  if (!request.head.get("If-None-Match").empty() || !request.head.get(kTimeoutField).empty()) return false;
  const auto bearer = bearer_of(request.head.get("Authorization"));
  const auto identity = bearer ? authenticator_.remembered(*bearer) : std::nullopt;
  if (!identity || !authorize(*route, identity)) return false;
  const Instant started = clock_.monotonic();
  if (!route->fast({.params = params.view(), .raw_query = request.head.raw_query(), .identity = *identity},
                   reply))
    return false;
  if (const auto draw = budgets_.draw_now(route->rate_class, identity, request.client_address)) {
    if (!draw->decision.admitted) {
      reply.clear();
      return false;
    }
    reply.headers +=
        "RateLimit-Policy: " + draw->policy_field() + "\r\nRateLimit: " + draw->state_field() + "\r\n";
  }
  request_metrics_.count(*route, reply.status, clock_.monotonic() - started);
  return true;
}

runtime::Task<http::Admission> Dispatcher::admit(http::Request& request) {
  std::string allow;
  auto match = router_.find(request.verb, request.path, &allow);
  if (match && match->route->auth == http::Auth::internal) {
    match = Error{Errc::not_found, "not-found", "there is nothing here"};
  }
  if (!match) {
    const std::optional<Draw> draw = co_await budgets_.draw_for_stranger(request.client_address);
    if (draw && !draw->decision.admitted) co_return refuse_over_budget(*draw, request);
    co_return http::unrouted(match.error(), request.verb, allow, request.request_id);
  }
  const http::Route& route = *match->route;
  Result<std::optional<http::Identity>> identity = co_await authenticator_.identify(request);
  if (!identity) {
    const std::optional<Draw> draw = co_await budgets_.draw_for_stranger(request.client_address);
    co_return refuse(identity.error(), draw, request);
  }
  const std::optional<Draw> draw =
      co_await budgets_.draw(route.rate_class, *identity, request.client_address);
  if (draw) {
    if (!draw->decision.admitted) co_return refuse_over_budget(*draw, request);
    put_fields(request.answer_headers, *draw);
  }
  const Result<void> allowed = authorize(route, *identity);
  if (!allowed) {
    const std::optional<Draw> stranger = co_await budgets_.draw_for_stranger(request.client_address);
    co_return refuse(allowed.error(), stranger, request);
  }
  request.identity = *std::move(identity);
  request.params = std::move(match->params);
  const Deadline own = Deadline::after(clock_, route.timeout);
  if (own.at() < request.deadline.at()) request.deadline = own;
  const bool passes = caller_.passes(route);
  if (passes) {
    if (auto upgrade = caller_.upgrade(route, request)) co_return *std::move(upgrade);
  }
  co_return http::Admitted{.route = &route, .body = route.body, .passes = passes};
}

runtime::Task<http::Response> run_route(services::ServiceCaller& caller, const http::Route& route,
                                        http::Request request, const Clock& clock, const Logger& logger,
                                        const RequestMetrics& metrics) {
  const std::string request_id = request.request_id;
  const std::string trace_id = request.trace.trace_id;
  const Instant started = clock.monotonic();
  Result<http::Response> answer = co_await caller.call(route, std::move(request));
  if (!answer && answer.error().code() == Errc::internal) {
    logger.error("request_failed", {{"route", route.pattern},
                                    {"request_id", request_id},
                                    {"trace_id", trace_id},
                                    {"slug", answer.error().slug()},
                                    {"text", answer.error().text()}});
  }
  http::Response response = answer ? *std::move(answer) : http::problem(answer.error(), request_id);
  metrics.count(route, response.status, clock.monotonic() - started);
  co_return response;
}

runtime::Task<http::Response> Dispatcher::handle(const http::Route& route, http::Request request) {
  const http::Headers extra = request.answer_headers;
  http::Response response =
      co_await run_route(caller_, route, std::move(request), clock_, logger_, request_metrics_);
  for (const auto& [name, value] : extra.all()) response.headers.set(name, value);
  co_return response;
}

}  // namespace ekiden::gateway
