#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/logger.hpp"
#include "base/result.hpp"
#include "runtime/metrics.hpp"
#include "services/gateway/upstream/config.hpp"
#include "services/gateway/upstream/endpoints.hpp"
#include "services/gateway/upstream/retry_budget.hpp"

namespace ekiden::gateway {

/// `host:port` of the configuration, taken apart.
struct ServiceAddress {
  std::string host;  ///< a name, or an address without brackets
  std::uint16_t port = 0;
  /// @errors invalid `bad-address`.
  static Result<ServiceAddress> parse(std::string_view text);
};

/// One service as the gateway sees it. @threads any
struct Upstream {
  Upstream(std::string service, std::vector<ServiceAddress> where, const UpstreamConfig& config,
           Random& random, runtime::Metrics& metrics);

  const std::string name;
  const std::vector<ServiceAddress> addresses;
  EndpointSet endpoints;
  RetryBudget retries;
  runtime::Counter answered;
  runtime::Counter unreachable;
  runtime::Counter broken;
  runtime::Counter timed_out;
  runtime::Counter refused;
  runtime::Counter retried;
};

/// The endpoints that need no name server.
std::vector<boost::asio::ip::tcp::endpoint> literal_endpoints(const std::vector<ServiceAddress>& addresses);

}  // namespace ekiden::gateway
