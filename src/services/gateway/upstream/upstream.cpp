#include "services/gateway/upstream/upstream.hpp"

#include <charconv>

namespace ekiden::gateway {

Result<ServiceAddress> ServiceAddress::parse(std::string_view text) {
  const Error bad{Errc::invalid, "bad-address",
                  "'" + std::string(text) + "' is not `host:port`, `1.2.3.4:port` or `[ip6]:port`",
                  "upstream"};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad;
  const std::string_view digits = text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  ServiceAddress address;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (failed != std::errc{} || end != digits.data() + digits.size() || address.port == 0) return bad;
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!is_bracketed && host.find(':') != std::string_view::npos)) return bad;
  address.host = std::string(host);
  return address;
}

Upstream::Upstream(std::string service, std::vector<ServiceAddress> where, const UpstreamConfig& config,
                   Random& random, runtime::Metrics& metrics)
    : name(std::move(service)),
      addresses(std::move(where)),
      endpoints(config.circuit, random),
      retries(config.retry_ratio, config.retry_reserve) {
  const auto counter = [&](const char* outcome) {
    return metrics.counter("ekiden_upstream_calls_total",
                           "Attempts to call a service's processes, by outcome.",
                           {{"service", name}, {"outcome", outcome}});
  };
  answered = counter("answered");
  unreachable = counter("unreachable");
  broken = counter("broken");
  timed_out = counter("timeout");
  refused = counter("refused");
  retried = metrics.counter("ekiden_upstream_retries_total", "Calls made again on another process.",
                            {{"service", name}});
  endpoints.replace(literal_endpoints(addresses));
}

std::vector<boost::asio::ip::tcp::endpoint> literal_endpoints(const std::vector<ServiceAddress>& addresses) {
  std::vector<boost::asio::ip::tcp::endpoint> found;
  for (const ServiceAddress& address : addresses) {
    boost::system::error_code failed;
    const auto ip = boost::asio::ip::make_address(address.host, failed);
    if (!failed) found.emplace_back(ip, address.port);
  }
  return found;
}

}  // namespace ekiden::gateway
