#pragma once

#include <chrono>
#include <stop_token>
#include <vector>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "services/service_spec.hpp"

namespace ekiden::app {

/// Runs a service's sweeps every hour, in small transactions. Several processes may do so at once: what one
/// has removed the other does not find. @threads `sweep` and `run` one
class Housekeeper {
 public:
  /// @param sweeps outlive it, like everything else.
  Housekeeper(sql::Database& db, const std::vector<services::Sweep>& sweeps, const Clock& clock,
              Logger logger)
      : db_(db), sweeps_(sweeps), clock_(clock), logger_(std::move(logger)) {}

  /// All sweeps, each until it finds nothing more; ends early where `stop` asks. What fails is logged, and is
  /// due again an hour later. @returns how many rows went.
  std::int64_t sweep(const std::stop_token& stop = {});
  /// `sweep` now and every hour until `stop`.
  void run(std::stop_token stop);

 private:
  sql::Database& db_;
  const std::vector<services::Sweep>& sweeps_;
  const Clock& clock_;
  const Logger logger_;
  Mutex mutex_;
  CondVar stopped_;
};

}  // namespace ekiden::app
