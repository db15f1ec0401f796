#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/figures.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace ekiden::runtime {

/// Handles to one series each. Small values that do nothing where they were made without a Metrics; must not
/// outlive it. @threads any; never block
class Counter {
 public:
  Counter() = default;
  explicit Counter(prometheus::Counter& series) : series_(&series) {}
  /// @param by at least 0.
  void add(double by = 1) const;
  /// For what is counted elsewhere: brings the series to `total`; a smaller one is ignored.
  /// @threads one at a time for a series
  void raise_to(double total) const;

 private:
  prometheus::Counter* series_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
  void set(double value) const;
  void add(double by) const;

 private:
  prometheus::Gauge* series_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
  void observe(double value) const;

 private:
  prometheus::Histogram* series_ = nullptr;
};

/// What `/metrics` shows, in Prometheus' text format. Passed to whoever counts; a name and its labels make
/// the series once, asking again gives the same. Labels come from code (routes, services, codes), never from
/// what a client sends. Names begin with `ekiden_` and end in their unit (`_seconds`, `_bytes`, `_total`).
/// Throws std::invalid_argument where a name or label is not of Prometheus' form, or a name is used for two
/// kinds.
/// @threads any
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// @param bounds upper ends of the buckets, rising; one without an end is added. The first call for a name
  /// decides.
  Histogram histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                      const Labels& labels = {});

  /// Sets the gauges `ekiden_threads`, `ekiden_threads_busy`, `ekiden_queue_depth`, `ekiden_queue_max`,
  /// `ekiden_inflight`, `ekiden_inflight_max`, `ekiden_loop_lag_seconds`, `ekiden_loop_lag_max_seconds` and
  /// the counters `ekiden_executor_completed_total` and `ekiden_executor_rejected_total` from live figures:
  /// call it before `serialize`. @threads one at a time
  void show(const std::vector<ExecutorFigures>& figures);

  /// `text/plain; version=0.0.4`.
  std::string serialize() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Bucket ends in seconds for answers and handlers: 0.5 ms to 30 s.
const std::vector<double>& latency_bounds();

}  // namespace ekiden::runtime
