#pragma once

#include <atomic>
#include <memory>

#include "app/running_service.hpp"
#include "http/internal_caller.hpp"
#include "http/server.hpp"
#include "runtime/executor.hpp"
#include "services/gateway/inner_port.hpp"
#include "services/gateway/system_api.hpp"

namespace ekiden::app {

/// The HTTP server of a process that runs services and no gateway: answers gateways that hold the cluster's
/// secret. Everything that it is given outlives it. @threads one, the main thread
class InnerDoor {
 public:
  /// Binds the address; nothing is accepted before `start`. Throws std::system_error where it cannot be
  /// bound.
  InnerDoor(const ProcessParts& process, const RunningServices& services, const http::ClusterSecret& secret);
  InnerDoor(const InnerDoor&) = delete;
  InnerDoor& operator=(const InnerDoor&) = delete;

  void start() { server_->start(); }
  std::uint16_t port() const { return server_->port(); }
  /// From now on `/readyz` says no, and each answer is its connection's last; returns after `delay`.
  void send_away(Duration delay);
  /// Stops accepting and waits for the requests in work, until `deadline`.
  void drain(Deadline deadline);
  void stop();

 private:
  void collect(const services::ServiceSpec& spec);

  const ProcessParts process_;
  const http::CallVerifier verifier_;
  runtime::CpuPool disk_;
  runtime::EventLoopExecutor loops_;
  std::atomic<bool> is_leaving_ = false;
  gateway::SystemApi system_;
  services::ServiceSpec spec_;  ///< the system's own routes
  ServiceHost host_;
  LocalCaller caller_;
  std::vector<http::Router::Entry> entries_;
  std::vector<const http::Route*> routes_;
  std::vector<const http::Route*> open_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<gateway::InnerPort> dispatcher_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace ekiden::app
