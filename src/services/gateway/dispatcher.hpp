#pragma once

#include <vector>

#include "base/logger.hpp"
#include "http/server.hpp"
#include "services/gateway/authenticator.hpp"
#include "services/gateway/budgets.hpp"
#include "services/gateway/request_metrics.hpp"
#include "services/service_caller.hpp"

namespace ekiden::gateway {

/// Takes a request from its route to its answer. Everything that it refers to outlives it. @threads loops
class Dispatcher final : public http::Dispatcher {
 public:
  Dispatcher(const http::Router& router, Authenticator& authenticator, Budgets& budgets,
             services::ServiceCaller& caller, const Clock& clock, const Logger& logger,
             runtime::Metrics& metrics, const std::vector<const http::Route*>& routes)
      : router_(router),
        authenticator_(authenticator),
        budgets_(budgets),
        caller_(caller),
        clock_(clock),
        logger_(logger),
        request_metrics_(metrics, routes) {}

  http::Fast try_fast(const http::FastRequest& request, http::FastReply& reply) override;
  runtime::Task<http::Admission> admit(http::Request& request) override;
  runtime::Task<http::Response> handle(const http::Route& route, http::Request request) override;

 private:
  bool answer_fast(const http::Route& route, const http::PathParams& params, const http::Identity& identity,
                   const http::FastRequest& request, http::FastReply& reply);
  /// To the service's process, without a coroutine where that can be.
  http::Fast pass_on(const http::Route& route, const std::optional<http::Identity>& identity,
                     const http::FastRequest& request, http::FastReply& reply);
  static void send(services::ReadyCall& call, http::OpenRequest& open, const std::optional<Draw>& draw);
  static http::Admission refuse(const Error& error, const std::optional<Draw>& draw,
                                const http::Request& request);

  const http::Router& router_;
  Authenticator& authenticator_;
  Budgets& budgets_;
  services::ServiceCaller& caller_;
  const Clock& clock_;
  const Logger logger_;
  const RequestMetrics request_metrics_;
};

/// Whether this identity may call this route. @errors unauthenticated, forbidden.
Result<void> authorize(const http::Route& route, const std::optional<http::Identity>& identity);

/// The route's answer, or the problem that tells why there is none; bugs are logged, all is counted.
/// Everything but the request outlives the call.
runtime::Task<http::Response> run_route(services::ServiceCaller& caller, const http::Route& route,
                                        http::Request request, const Clock& clock, const Logger& logger,
                                        const RequestMetrics& metrics);

}  // namespace ekiden::gateway
