#include "services/gateway/upstream/discovery.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

/// What one name stands for, added to `found`; false where nobody could say.
runtime::Task<bool> resolve(ServiceAddress address, std::vector<Tcp::endpoint>& found) {
  Tcp::resolver resolver(co_await asio::this_coro::executor);
  boost::system::error_code failed;
  const std::string port = std::to_string(address.port);
  const auto results = co_await resolver.async_resolve(address.host, port, Tcp::resolver::numeric_service,
                                                       asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return false;
  for (const auto& result : results) found.push_back(result.endpoint());
  co_return !results.empty();
}

std::string_view to_string(Readiness readiness) {
  switch (readiness) {
    case Readiness::unknown:
      return "unknown";
    case Readiness::ready:
      return "ready";
    case Readiness::not_ready:
      return "not_ready";
    case Readiness::unreachable:
      return "unreachable";
  }
  return "unknown";
}

runtime::Task<Readiness> ask(http::Outbound& connection, const Tcp::endpoint at) {
  const Result<void> connected = co_await connection.connect(at);
  if (!connected) co_return Readiness::unreachable;
  const Result<void> sent =
      co_await connection.write("GET /readyz HTTP/1.1\r\nHost: ekiden.internal\r\nConnection: close\r\n\r\n");
  if (!sent) co_return Readiness::unreachable;
  const Result<void> got = co_await connection.read_head(false);
  if (!got) co_return Readiness::unreachable;
  co_return connection.head().status == 200 ? Readiness::ready : Readiness::not_ready;
}

}  // namespace

runtime::Task<> keep_resolving(std::shared_ptr<Upstream> upstream, std::chrono::milliseconds every,
                               Logger logger) {
  const std::vector<Tcp::endpoint> fixed = literal_endpoints(upstream->addresses);
  if (fixed.size() == upstream->addresses.size()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  bool was_known = true;
  for (;;) {
    std::vector<Tcp::endpoint> found = fixed;
    bool is_known = true;
    for (const ServiceAddress& address : upstream->addresses) {
      boost::system::error_code not_literal;
      static_cast<void>(asio::ip::make_address(address.host, not_literal));
      if (not_literal && !co_await resolve(address, found)) is_known = false;
    }
    if (is_known) upstream->endpoints.replace(found);
    if (!is_known && was_known) logger.warning("name_not_resolved", {{"service", upstream->name}});
    was_known = is_known;
    timer.expires_after(every);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

runtime::Task<> check_endpoint(std::shared_ptr<http::Watch> watch, EndpointPtr endpoint, Duration timeout,
                               Logger logger) {
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  http::Outbound connection(loop, watch, {});
  connection.begin(watch->clock().monotonic() + timeout, nullptr);
  const Readiness now = co_await ask(connection, endpoint->at);
  const Readiness before = endpoint->readiness();
  endpoint->set_readiness(now);
  if (now == before) co_return;
  if (now == Readiness::ready) endpoint->recovered();
  logger.info("endpoint_changed",
              {{"endpoint", endpoint->name}, {"was", to_string(before)}, {"is", to_string(now)}});
}

}  // namespace ekiden::gateway
