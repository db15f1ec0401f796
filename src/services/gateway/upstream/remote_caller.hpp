#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/logger.hpp"
#include "http/internal_caller.hpp"
#include "http/server.hpp"
#include "runtime/metrics.hpp"
#include "runtime/task_group.hpp"
#include "services/gateway/upstream/forward.hpp"
#include "services/gateway/upstream/upstream.hpp"
#include "services/service_caller.hpp"

namespace ekiden::gateway {

/// What one process of a service answered to a call that went to all of them.
struct ProcessAnswer {
  std::string service;
  std::string process;  ///< `10.0.0.1:8081`
  Result<http::Response> answer;
};

/// Calls services that are processes of their own, over HTTP/1.1. Bodies pass through piece by piece.
/// @threads loops; `add`, `start` and `stop`: one
class RemoteCaller final : public services::ServiceCaller {
 public:
  /// @param loops of the server whose requests are passed on; each has connections of its own. They are
  ///              stopped after stop(). The rest outlives the caller.
  RemoteCaller(UpstreamConfig config, const std::vector<boost::asio::any_io_executor>& loops,
               const http::CallSigner& signer, const Clock& clock, Random& random, const Logger& logger,
               runtime::Metrics& metrics);
  ~RemoteCaller() override;

  /// Calls to these routes go to processes of `service`. @errors invalid `bad-address`, `no-address`.
  Result<void> add(std::string_view service, const std::vector<const http::Route*>& routes);
  /// Begins to look after the processes: names, health.
  void start();
  /// Ends that, and every tunnel. Not from a loop.
  void stop();

  /// A GET, HEAD or keyed call that breaks before a byte of its answer is made again on another process,
  /// within the service's retry budget; a call that was not sent yet always is.
  /// @errors busy, timeout, unavailable as ServiceCaller::call. What a process answers, whatever its status,
  /// is an answer.
  runtime::Task<Result<http::Response>> call(const http::Route& route, http::Request request) override;
  bool is_reachable(std::string_view service) const override;
  bool passes(const http::Route& route) const override { return routes_.contains(&route); }
  std::shared_ptr<services::ReadyCall> prepare(const http::Route& route, const http::FastRequest& request,
                                               const std::optional<http::Identity>& identity,
                                               services::ReadyCall::Done done) override;
  std::optional<http::Upgrade> upgrade(const http::Route& route, const http::Request& request) override;

  /// Sends the call to every process of every service, at most `processes_max`, all at the same time.
  runtime::Task<std::vector<ProcessAnswer>> call_all(std::string target, Deadline deadline,
                                                     std::size_t processes_max);

 private:
  friend class ShortCall;
  struct Loop;
  struct Round;

  Loop* loop_of(const boost::asio::any_io_executor& executor) const;
  runtime::Task<Result<http::Response>> call_on(std::shared_ptr<Lane> lane,
                                                std::shared_ptr<Upstream> upstream, const http::Route& route,
                                                http::Request request);
  runtime::Task<Attempt> attempt(std::shared_ptr<Lane> lane, EndpointPtr endpoint, const Call& call);
  void judge(Upstream& upstream, Trial& trial, const Attempt& attempt, Deadline deadline) const;
  bool may_repeat(Upstream& upstream, const Call& call, const Attempt& made) const;
  runtime::Task<> tunnel(std::shared_ptr<Lane> lane, std::shared_ptr<Upstream> upstream,
                         const http::Route& route, http::UpgradedConnection client);
  runtime::Task<> keep_checking(std::shared_ptr<Upstream> upstream);
  runtime::Task<> ask_process(std::string service, EndpointPtr endpoint, std::string target,
                              Deadline deadline, std::shared_ptr<Round> round);
  runtime::Task<std::vector<ProcessAnswer>> call_all_here(std::string target, Deadline deadline,
                                                          std::size_t processes_max);

  const UpstreamConfig config_;
  const http::CallSigner& signer_;
  const Clock& clock_;
  Random& random_;
  const Logger logger_;
  runtime::Metrics& metrics_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::map<std::string, std::shared_ptr<Upstream>, std::less<>> upstreams_;
  std::unordered_map<const http::Route*, std::shared_ptr<Upstream>> routes_;
  std::shared_ptr<http::Watch> watch_;  ///< of the first loop, over health checks
};

}  // namespace ekiden::gateway
