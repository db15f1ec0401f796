#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "http/route.hpp"
#include "http/server.hpp"
#include "runtime/task.hpp"

namespace ekiden::services {

/// A request that is ready to go to its service, made within ServiceCaller::prepare.
class ReadyCall {
 public:
  /// Told of the status, where it is answered.
  using Done = std::move_only_function<void(int status)>;
  virtual ~ReadyCall() = default;
  /// Sends it; its OpenRequest will be answered or given back. False where it was not sent: the request then
  /// takes the long way.
  /// @param drawn headers for the answer; taken where it was sent.
  virtual bool send(http::Headers& drawn) = 0;
};

/// How the gateway reaches a service: in one process a call onto its executor, in a cluster a request to one
/// of its processes. @threads loops; never blocks
class ServiceCaller {
 public:
  virtual ~ServiceCaller() = default;
  /// Runs the route's handler where its service's model wants it, and resumes on the caller's loop.
  /// @errors busy: the service's queue is full; timeout: the request's deadline passed; unavailable: the
  /// service does
  ///         not run or does not answer; internal: the handler threw (logged); and the handler's own.
  virtual runtime::Task<Result<http::Response>> call(const http::Route& route, http::Request request) = 0;
  /// True where the request's body is left unread for call(): it passes through.
  virtual bool passes(const http::Route& route) const {
    (void)route;
    return false;
  }
  /// Makes the call of a GET that passes, to be sent without a coroutine, on its connection's loop. Null
  /// where only call() can.
  virtual std::shared_ptr<ReadyCall> prepare(const http::Route& route, const http::FastRequest& request,
                                             const std::optional<http::Identity>& identity,
                                             ReadyCall::Done done) {
    (void)route;
    (void)request;
    (void)identity;
    (void)done;
    return nullptr;
  }
  /// What takes the connection where the request asks for a WebSocket and its route is one; nullopt
  /// otherwise.
  virtual std::optional<http::Upgrade> upgrade(const http::Route& route, const http::Request& request) {
    (void)route;
    (void)request;
    return std::nullopt;
  }
  /// False where no process of the service can be reached.
  virtual bool is_reachable(std::string_view service) const = 0;
};

}  // namespace ekiden::services
