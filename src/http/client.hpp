#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "runtime/task.hpp"

namespace ekiden::http {

struct ClientConfig {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6; names are not resolved
  std::uint16_t port = 0;
  std::string host{};                ///< of the Host header; empty: address and port
  std::size_t connections_max = 64;  ///< calls in flight; beyond that they are refused
  std::size_t idle_max = 16;         ///< connections kept for the next call
  std::uint64_t body_bytes_max = 16 * 1024 * 1024;
};

struct ClientRequest {
  Verb verb = Verb::get;
  std::string target = "/";
  Headers headers;
  std::string body;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

/// Calls one server over HTTP/1.1 and keeps its connections. No redirects, no TLS, no decompression.
/// Lives on one loop: construct it for a loop and call it from coroutines of that loop. Calls in flight hold
/// what they need, so it may go before they end.
class Client {
 public:
  Client(boost::asio::any_io_executor loop, ClientConfig config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends the request and reads the whole answer, whatever its status.
  /// A kept connection that turns out to be closed is replaced once, where repeating the call is harmless
  /// (GET, HEAD, PUT, DELETE, OPTIONS).
  /// @param deadline of the machine's monotonic clock.
  /// @errors busy         `connections_max` calls are in flight; nothing was sent.
  ///         unavailable  `upstream-unreachable`: nothing was sent; `upstream-broken`: it may have happened.
  ///         timeout      `upstream-timeout`: it may have happened.
  ///         too_large    `upstream-too-large`: the answer is beyond `body_bytes_max`; it has happened.
  runtime::Task<Result<ClientResponse>> call(ClientRequest request, Deadline deadline);

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace ekiden::http
