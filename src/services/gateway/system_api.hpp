#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/route.hpp"
#include "runtime/figures.hpp"

namespace ekiden::gateway {

constexpr std::string_view kFiguresPattern = "/internal/system/figures";

/// What is running, as the composition root knows it. Every function is cheap and never blocks.
struct SystemSources {
  std::vector<std::pair<std::string, std::string>> services_and_models;
  const runtime::FiguresRegistry* figures = nullptr;
  /// One consumer group's partition.
  struct Lag {
    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t lag_events = 0;
    std::int64_t prefetched = 0;
    std::int64_t applied = 0;
    std::int64_t dead = 0;
    std::int64_t parked = 0;
  };
  std::function<std::vector<Lag>()> lags;
  std::function<std::string()> metrics;                 ///< Prometheus' text format
  std::function<std::vector<std::string>()> not_ready;  ///< names of services that are not ready yet
  std::string version;
  /// At a port that only the cluster reaches, anyone may read the metrics.
  bool metrics_are_open = false;
  /// What one other process says of itself: the body of its `/internal/system/figures`, or why there is none.
  struct Elsewhere {
    std::string service;
    std::string process;
    Result<std::string> figures;
  };
  /// Asks the other processes of the cluster; null where there are none.
  std::function<runtime::Task<std::vector<Elsewhere>>(Deadline deadline)> elsewhere{};
};

/// `/healthz`, `/readyz`, `/metrics`, the pages, the documents of calls and events, and what runs on what.
class SystemApi {
 public:
  explicit SystemApi(SystemSources sources);

  std::vector<http::Route> routes();
  /// What a process behind the gateways answers: health, metrics, and its figures for the gateways.
  std::vector<http::Route> inner_routes();
  /// Called once all tables are known; before that `/api` is empty.
  void show_routes(const std::vector<const http::Route*>& routes);

 private:
  runtime::Task<Result<http::Response>> health(http::Request request);
  runtime::Task<Result<http::Response>> readiness(http::Request request);
  runtime::Task<Result<http::Response>> metrics(http::Request request);
  runtime::Task<Result<http::Response>> concurrency(http::Request request);
  runtime::Task<Result<http::Response>> figures(http::Request request);
  runtime::Task<Result<http::Response>> openapi(http::Request request);
  runtime::Task<Result<http::Response>> asyncapi(http::Request request);
  runtime::Task<Result<http::Response>> start(http::Request request);
  runtime::Task<Result<http::Response>> browse(http::Request request);

  SystemSources sources_;
  std::string openapi_;
  const std::string asyncapi_;
  std::string api_page_;
};

}  // namespace ekiden::gateway
