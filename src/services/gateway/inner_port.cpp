#include "services/gateway/inner_port.hpp"

#include <algorithm>

#include "http/problem.hpp"
#include "http/request_maker.hpp"
#include "services/gateway/dispatcher.hpp"

namespace ekiden::gateway {

namespace {

Error not_from_here() {
  return {Errc::unauthenticated, "not-from-here", "Only other parts of Ekiden may call here."};
}

}  // namespace

void make_inner(http::ServerConfig& config) {
  config.is_internal = true;
  config.framing.fields_max = http::HeadView::kFieldsMax;
  config.framing.head_bytes_max += 16 * 1024;
  config.framing.public_hosts.clear();
  // Longer than any route's own: what a client may ask for was bounded at the edge.
  config.request_timeout_max = std::chrono::minutes{10};
}

http::Fast InnerPort::try_fast(const http::FastRequest& request, http::FastReply& reply) {
  if (request.head.verb != http::Verb::get) return http::Fast::no;
  if (request.head.path() == "/healthz") {
    reply.body = R"({"status":"ok"})";
    return http::Fast::answered;
  }
  http::PathParams params;
  const http::Route* route = router_.match(request.head.verb, request.head.path(), params);
  // Whatever is out of the ordinary takes the long way, which decides and says why.
  if (route == nullptr || !route->fast || request.head.count(http::kInternalCallerHeader) != 1 ||
      !request.head.get("If-None-Match").empty())
    return http::Fast::no;
  const auto caller = verifier_.verify(request.head.verb, request.head.target,
                                       request.head.get(http::kInternalCallerHeader), clock_.now());
  if (!caller || !caller->identity || !authorize(*route, caller->identity)) return http::Fast::no;
  const Instant started = clock_.monotonic();
  if (!route->fast(
          {.params = params.view(), .raw_query = request.head.raw_query(), .identity = *caller->identity},
          reply))
    return http::Fast::no;
  request_metrics_.count(*route, reply.status, clock_.monotonic() - started);
  return http::Fast::answered;
}

Result<void> InnerPort::identify(http::Request& request) const {
  if (request.headers.count(http::kInternalCallerHeader) != 1) return not_from_here();
  const std::string header(*request.headers.get(http::kInternalCallerHeader));
  EKIDEN_TRY(http::InternalCaller caller,
             verifier_.verify(request.verb, request.target, header, clock_.now()));
  request.headers.remove(http::kInternalCallerHeader);
  request.identity = std::move(caller.identity);
  if (!caller.client_address.empty()) request.client_address = std::move(caller.client_address);
  return {};
}

runtime::Task<http::Admission> InnerPort::admit(http::Request& request) {
  std::string allow;
  auto match = router_.find(request.verb, request.path, &allow);
  const bool is_open = match && std::ranges::find(open_, match->route) != open_.end();
  const Result<void> known = identify(request);
  // A stranger does not even learn which paths there are.
  if (!known && !is_open) co_return http::problem(known.error(), request.request_id);
  if (!match) co_return http::unrouted(match.error(), request.verb, allow, request.request_id);
  const http::Route& route = *match->route;
  if (route.auth != http::Auth::internal) {
    const Result<void> allowed = authorize(route, request.identity);
    if (!allowed) co_return http::problem(allowed.error(), request.request_id);
  }
  request.params = std::move(match->params);
  const Deadline own = Deadline::after(clock_, route.timeout);
  if (own.at() < request.deadline.at()) request.deadline = own;
  co_return http::Admitted{.route = &route, .body = route.body};
}

runtime::Task<http::Response> InnerPort::handle(const http::Route& route, http::Request request) {
  return run_route(caller_, route, std::move(request), clock_, logger_, request_metrics_);
}

}  // namespace ekiden::gateway
