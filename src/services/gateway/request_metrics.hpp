#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/route.hpp"
#include "runtime/metrics.hpp"

namespace ekiden::gateway {

/// Requests by route and class of answer, and how long they took. The series are made at start. @threads any
class RequestMetrics {
 public:
  RequestMetrics(runtime::Metrics& metrics, const std::vector<const http::Route*>& routes) {
    for (const http::Route* route : routes) {
      Series& series = series_[route];
      runtime::Metrics::Labels labels = {{"method", std::string(http::to_string(route->verb))},
                                         {"route", std::string(route->pattern)}};
      series.seconds =
          metrics.histogram("ekiden_http_request_seconds", "From the admitted head to the answer.",
                            runtime::latency_bounds(), labels);
      for (std::size_t i = 0; i < series.by_class.size(); ++i) {
        labels["class"] = std::to_string(i + 1) + "xx";
        series.by_class[i] =
            metrics.counter("ekiden_http_requests_total", "Answers by class of status.", labels);
      }
    }
  }

  void count(const http::Route& route, int status, Duration took) const {
    const auto found = series_.find(&route);
    if (found == series_.end()) return;
    found->second.seconds.observe(std::chrono::duration<double>(took).count());
    const auto index = static_cast<std::size_t>(status / 100 - 1);
    if (index < found->second.by_class.size()) found->second.by_class[index].add();
  }

 private:
  struct Series {
    runtime::Histogram seconds;
    std::array<runtime::Counter, 5> by_class;
  };
  std::unordered_map<const http::Route*, Series> series_;
};

}  // namespace ekiden::gateway
