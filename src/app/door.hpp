#pragma once

#include <atomic>
#include <list>
#include <memory>

#include "app/running_service.hpp"
#include "delivery/tail.hpp"
#include "http/server.hpp"
#include "runtime/executor.hpp"
#include "services/gateway/config.hpp"
#include "services/gateway/dispatcher.hpp"
#include "services/gateway/system_api.hpp"
#include "services/gateway/upstream/remote_caller.hpp"

namespace ekiden::app {

/// The gateway with its HTTP server: what answers for this process, made of the routes of its services.
/// Everything that it is given outlives it. @threads one, the main thread
class Door {
 public:
  /// Binds the address; nothing is accepted before `start`. Throws std::system_error where it cannot be
  /// bound.
  Door(const ProcessParts& process, const RunningServices& services);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void start();
  std::uint16_t port() const { return server_->port(); }
  /// From now on `/readyz` says no, and each answer is its connection's last; returns after `delay`.
  void send_away(Duration delay);
  /// Stops accepting and waits for the requests in work, until `deadline`.
  void drain(Deadline deadline);
  void stop();

 private:
  void collect(const services::ServiceSpec& spec);
  void call_elsewhere(const RunningServices& services);
  gateway::SystemSources sources(const RunningServices& services);
  runtime::Task<std::vector<gateway::SystemSources::Elsewhere>> ask_elsewhere(Deadline deadline);

  const ProcessParts process_;
  const gateway::GatewayConfig config_;
  const http::TokenVerifier verifier_;
  gateway::Revocations revocations_;
  delivery::Tail revocations_tail_;
  runtime::CpuPool disk_;
  runtime::EventLoopExecutor loops_;
  const http::CallSigner call_signer_;
  std::atomic<bool> is_leaving_ = false;
  gateway::SystemApi system_;
  services::ServiceSpec spec_;  ///< the system's own routes
  ServiceHost host_;
  LocalCaller caller_;
  std::list<services::ServiceSpec> elsewhere_;  ///< names and routes of services in other processes
  std::unique_ptr<gateway::RemoteCaller> remote_;
  std::vector<http::Router::Entry> entries_;
  std::vector<const http::Route*> routes_;
  const http::Route* resolve_key_ = nullptr;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<gateway::Authenticator> authenticator_;
  std::unique_ptr<gateway::Budgets> budgets_;
  std::unique_ptr<gateway::Dispatcher> dispatcher_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<runtime::WorkerThread> tail_thread_;
};

}  // namespace ekiden::app
