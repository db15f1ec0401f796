#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.hpp"

namespace ekiden::runtime {

/// What an executor is doing at this moment; 0 where a figure does not apply. Shown by `/metrics` and by
/// `GET /api/v1/system/concurrency`.
struct ExecutorFigures {
  std::string service;
  std::string name;  ///< `requests`, `cpu`, `argon2`, `io-0`, `consumer:boards`, …
  std::string
      model;  ///< `thread_pool`, `coroutines`, `event_loop`, `async_consumer`, `worker_pool`, `sql_lanes`
  std::int64_t threads = 0;
  std::int64_t threads_busy = 0;
  std::int64_t queue_depth = 0;
  std::int64_t queue_max = 0;
  std::int64_t in_flight = 0;
  std::int64_t in_flight_max = 0;
  std::int64_t loop_lag_us = 0;      ///< how late the loop ran its last probe
  std::int64_t loop_lag_max_us = 0;  ///< the worst of the last minute
  std::int64_t completed = 0;
  std::int64_t rejected = 0;  ///< refused because a bound was reached
};

/// Collects the figures of whatever registered a source. Sources must be cheap and must outlive the
/// registry's use.
/// @threads any
class FiguresRegistry {
 public:
  using Source = std::function<void(std::vector<ExecutorFigures>&)>;
  void add(Source source) EKIDEN_EXCLUDES(mutex_);
  std::vector<ExecutorFigures> collect() const EKIDEN_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<Source> sources_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::runtime
