#include "runtime/metrics.hpp"

#include <array>
#include <stdexcept>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace ekiden::runtime {

namespace {

struct FigureRow {
  const char* name;
  const char* help;
  std::int64_t ExecutorFigures::* figure;
  double factor;
  bool is_total = false;
};

constexpr std::array<FigureRow, 10> kFigureRows{{
    {"ekiden_threads", "Threads of the executor.", &ExecutorFigures::threads, 1},
    {"ekiden_threads_busy", "Threads at work.", &ExecutorFigures::threads_busy, 1},
    {"ekiden_queue_depth", "Work that waits.", &ExecutorFigures::queue_depth, 1},
    {"ekiden_queue_max", "Bound of the waiting work.", &ExecutorFigures::queue_max, 1},
    {"ekiden_inflight", "Work begun and not ended.", &ExecutorFigures::in_flight, 1},
    {"ekiden_inflight_max", "Bound of the work in flight.", &ExecutorFigures::in_flight_max, 1},
    {"ekiden_loop_lag_seconds", "How late the loop ran its last probe.", &ExecutorFigures::loop_lag_us, 1e-6},
    {"ekiden_loop_lag_max_seconds", "The worst lag of the last minute.", &ExecutorFigures::loop_lag_max_us,
     1e-6},
    {"ekiden_executor_completed_total", "Work ended.", &ExecutorFigures::completed, 1, true},
    {"ekiden_executor_rejected_total", "Work refused at a bound.", &ExecutorFigures::rejected, 1, true},
}};

}  // namespace

class Metrics::State {
 public:
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
};

void Counter::add(double by) const {
  if (series_ != nullptr) series_->Increment(by);
}
void Counter::raise_to(double total) const {
  if (series_ != nullptr && total > series_->Value()) series_->Increment(total - series_->Value());
}
void Gauge::set(double value) const {
  if (series_ != nullptr) series_->Set(value);
}
void Gauge::add(double by) const {
  if (series_ != nullptr) series_->Increment(by);
}
void Histogram::observe(double value) const {
  if (series_ != nullptr) series_->Observe(value);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter{prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry).Add(labels)};
}

Gauge Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Gauge{prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(labels)};
}

Histogram Metrics::histogram(const std::string& name, const std::string& help,
                             const std::vector<double>& bounds, const Labels& labels) {
  return Histogram{
      prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry).Add(labels, bounds)};
}

void Metrics::show(const std::vector<ExecutorFigures>& figures) {
  for (const FigureRow& row : kFigureRows) {
    for (const ExecutorFigures& entry : figures) {
      const Labels labels{{"service", entry.service}, {"executor", entry.name}, {"model", entry.model}};
      const double value = static_cast<double>(entry.*row.figure) * row.factor;
      if (row.is_total) {
        counter(row.name, row.help, labels).raise_to(value);
      } else {
        gauge(row.name, row.help, labels).set(value);
      }
    }
  }
}

std::string Metrics::serialize() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                          0.25,   0.5,   1,      2.5,   5,    10,    30};
  return bounds;
}

}  // namespace ekiden::runtime
