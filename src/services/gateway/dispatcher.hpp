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

  bool try_fast(const http::FastRequest& request, http::FastReply& reply) override;
  runtime::Task<http::Admission> admit(http::Request& request) override;
  runtime::Task<http::Response> handle(const http::Route& route, http::Request request) override;

 private:
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
