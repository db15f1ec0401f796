#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/logger.hpp"
#include "runtime/executor.hpp"
#include "services/service_caller.hpp"
#include "services/service_spec.hpp"

namespace ekiden::app {

/// Where a service's handlers run, as its model says. @threads any
class ServiceHost {
 public:
  ServiceHost(std::string_view service, const runtime::Model& model, const Clock& clock, const Logger& logger,
              runtime::FiguresRegistry& figures);
  ~ServiceHost();

  /// Runs the handler on the service's own threads and resumes on the caller's. @errors as
  /// ServiceCaller::call.
  runtime::Task<Result<http::Response>> run(const http::Route& route, http::Request request);
  /// The service's loops; null for a thread pool.
  runtime::LoopExecutor* loops() const { return loops_.get(); }
  /// Whether the service's model has this lane; the empty name is that of its common threads.
  bool has_lane(std::string_view lane) const;
  /// Runs what is queued, then ends the threads.
  void stop();

 private:
  const Logger logger_;
  using Pool = std::unique_ptr<runtime::ThreadPoolExecutor>;
  std::map<std::string, Pool, std::less<>> pools_;  ///< by lane; empty where the service has loops
  std::unique_ptr<runtime::LoopExecutor> loops_;
  std::atomic<std::size_t> next_loop_ = 0;
};

/// Calls services of this process. Filled at start, then only read.
class LocalCaller final : public services::ServiceCaller {
 public:
  void add(const services::ServiceSpec& spec, ServiceHost& host);
  runtime::Task<Result<http::Response>> call(const http::Route& route, http::Request request) override;
  bool is_reachable(std::string_view service) const override;
  bool passes(const http::Route& route) const override;
  std::optional<http::Upgrade> upgrade(const http::Route& route, const http::Request& request) override;
  /// What does not run here is called there. Outlives the calls.
  void pass_on_to(services::ServiceCaller& elsewhere) { elsewhere_ = &elsewhere; }

 private:
  services::ServiceCaller* elsewhere_ = nullptr;
  std::unordered_map<const http::Route*, ServiceHost*> hosts_;
  std::map<std::string, bool, std::less<>> services_;
};

}  // namespace ekiden::app
