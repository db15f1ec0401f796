#include "services/gateway/dispatcher.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

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

http::Response refuse_over_budget(const Draw& draw, std::string_view request_id) {
  http::Response response = http::problem(over_budget(draw), request_id);
  put_fields(response.headers, draw);
  return response;
}

/// The same as a fast answer: a client that asks much too often should cost little.
void refuse_fast(const Draw& draw, const http::FastRequest& request, http::FastReply& reply) {
  reply.clear();
  http::Response response = refuse_over_budget(draw, request.request_id);
  reply.status = response.status;
  reply.content_type = "application/problem+json";
  for (const auto& [name, value] : response.headers.all()) {
    if (name != "Content-Type") reply.headers += name + ": " + value + "\r\n";
  }
  reply.body = std::move(response.body);
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
  if (draw && !draw->decision.admitted) return refuse_over_budget(*draw, request.request_id);
  http::Response response = http::problem(error, request.request_id);
  if (error.code() == Errc::unauthenticated) response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

http::Fast Dispatcher::try_fast(const http::FastRequest& request, http::FastReply& reply) {
  const http::HeadView& head = request.head;
  if (head.verb != http::Verb::get) return http::Fast::no;
  if (head.path() == "/healthz") {
    reply.body = R"({"status":"ok"})";
    return http::Fast::answered;
  }
  http::PathParams params;
  const http::Route* route = router_.match(head.verb, head.path(), params);
  // Whatever is out of the ordinary takes the long way, which decides and says why.
  if (route == nullptr || head.count("Authorization") != 1 || !head.get(kTimeoutField).empty())
    return http::Fast::no;
  const auto bearer = bearer_of(head.get("Authorization"));
  const auto identity = bearer ? authenticator_.remembered(*bearer) : std::nullopt;
  if (!identity || !authorize(*route, identity)) return http::Fast::no;
  const bool answers = route->fast && budgets_.decides_at_once() && head.get("If-None-Match").empty();
  if (answers && answer_fast(*route, params, *identity, request, reply)) return http::Fast::answered;
  if (const auto draw = budgets_.known_refusal(route->rate_class, identity, request.client_address)) {
    refuse_fast(*draw, request, reply);
    return http::Fast::answered;
  }
  return caller_.passes(*route) ? pass_on(*route, identity, request, reply) : http::Fast::no;
}

/// False: the long way, and nothing was drawn.
bool Dispatcher::answer_fast(const http::Route& route, const http::PathParams& params,
                             const http::Identity& identity, const http::FastRequest& request,
                             http::FastReply& reply) {
  const Instant started = clock_.monotonic();
  if (!route.fast({.params = params.view(), .raw_query = request.head.raw_query(), .identity = identity},
                  reply)) {
    reply.clear();
    return false;
  }
  if (const auto draw = budgets_.draw_now(route.rate_class, identity, request.client_address)) {
    if (!draw->decision.admitted) {
      refuse_fast(*draw, request, reply);
      return true;
    }
    reply.headers +=
        "RateLimit-Policy: " + draw->policy_field() + "\r\nRateLimit: " + draw->state_field() + "\r\n";
  }
  request_metrics_.count(route, reply.status, clock_.monotonic() - started);
  return true;
}

http::Fast Dispatcher::pass_on(const http::Route& route, const std::optional<http::Identity>& identity,
                               const http::FastRequest& request, http::FastReply& reply) {
  const Instant started = clock_.monotonic();
  auto done = [this, &route, started](int status) {
    request_metrics_.count(route, status, clock_.monotonic() - started);
  };
  http::Headers fields;
  if (budgets_.decides_at_once()) {
    const auto draw = budgets_.draw_now(route.rate_class, identity, request.client_address);
    if (draw && !draw->decision.admitted) {
      refuse_fast(*draw, request, reply);
      return http::Fast::answered;
    }
    if (draw) put_fields(fields, *draw);
    const auto call = caller_.prepare(route, request, identity, std::move(done));
    if (call && call->send(fields)) return http::Fast::taken;
    request.open->set_drawn(std::move(fields));
    return http::Fast::no;
  }
  std::shared_ptr<services::ReadyCall> call = caller_.prepare(route, request, identity, std::move(done));
  if (!call) return http::Fast::no;
  auto decided = [call = std::move(call), open = request.open](std::optional<Draw> draw) mutable {
    boost::asio::any_io_executor loop = open->loop();
    boost::asio::post(loop,
                      [call = std::move(call), open = std::move(open), draw] { send(*call, *open, draw); });
  };
  budgets_.draw_then(route.rate_class, identity, request.client_address, std::move(decided));
  return http::Fast::taken;
}

void Dispatcher::send(services::ReadyCall& call, http::OpenRequest& open, const std::optional<Draw>& draw) {
  if (draw && !draw->decision.admitted) {
    http::Response refusal = http::problem(over_budget(*draw), open.request_id());
    put_fields(refusal.headers, *draw);
    return open.answer(std::move(refusal));
  }
  http::Headers fields;
  if (draw) put_fields(fields, *draw);
  if (call.send(fields)) return;
  open.set_drawn(std::move(fields));
  open.give_back();
}

runtime::Task<http::Admission> Dispatcher::admit(http::Request& request) {
  std::string allow;
  auto match = router_.find(request.verb, request.path, &allow);
  if (match && match->route->auth == http::Auth::internal) {
    match = Error{Errc::not_found, "not-found", "there is nothing here"};
  }
  if (!match) {
    const std::optional<Draw> draw = co_await budgets_.draw_for_stranger(request.client_address);
    if (draw && !draw->decision.admitted) co_return refuse_over_budget(*draw, request.request_id);
    co_return http::unrouted(match.error(), request.verb, allow, request.request_id);
  }
  const http::Route& route = *match->route;
  Result<std::optional<http::Identity>> identity = co_await authenticator_.identify(request);
  if (!identity) {
    const std::optional<Draw> draw = co_await budgets_.draw_for_stranger(request.client_address);
    co_return refuse(identity.error(), draw, request);
  }
  std::optional<Draw> draw;
  if (!request.has_drawn) draw = co_await budgets_.draw(route.rate_class, *identity, request.client_address);
  if (draw) {
    if (!draw->decision.admitted) co_return refuse_over_budget(*draw, request.request_id);
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
