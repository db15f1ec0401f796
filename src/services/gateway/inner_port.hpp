#pragma once

#include <vector>

#include "base/logger.hpp"
#include "http/internal_caller.hpp"
#include "http/server.hpp"
#include "services/gateway/request_metrics.hpp"
#include "services/service_caller.hpp"

namespace ekiden::gateway {

/// What a service's process answers behind the gateways: calls that a holder of the cluster's secret has
/// signed, and nobody else's but for the routes that are `open` (health, metrics). Who asks is what the
/// signature covers; the gateway has checked whether they may, and it is checked here again.
/// @threads loops
class InnerPort final : public http::Dispatcher {
 public:
  /// @param router of the service's routes, the internal ones too, and of the open ones.
  InnerPort(const http::Router& router, const http::CallVerifier& verifier,
            const std::vector<const http::Route*>& open, services::ServiceCaller& caller, const Clock& clock,
            const Logger& logger, runtime::Metrics& metrics, const std::vector<const http::Route*>& routes)
      : router_(router),
        verifier_(verifier),
        open_(open),
        caller_(caller),
        clock_(clock),
        logger_(logger),
        request_metrics_(metrics, routes) {}

  http::Fast try_fast(const http::FastRequest& request, http::FastReply& reply) override;
  runtime::Task<http::Admission> admit(http::Request& request) override;
  runtime::Task<http::Response> handle(const http::Route& route, http::Request request) override;

 private:
  Result<void> identify(http::Request& request) const;

  const http::Router& router_;
  const http::CallVerifier& verifier_;
  const std::vector<const http::Route*> open_;
  services::ServiceCaller& caller_;
  const Clock& clock_;
  const Logger logger_;
  const RequestMetrics request_metrics_;
};

/// What differs at a port that only gateways reach: identities are kept, heads may be larger by what a
/// gateway adds, and a deadline is the gateway's to bound.
void make_inner(http::ServerConfig& config);

}  // namespace ekiden::gateway
