#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "delivery/event.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery {

struct TailConfig {
  std::string topic;
  std::chrono::seconds since{900};       ///< at the start, events so old are read again
  std::chrono::milliseconds every{500};  ///< how often the log is looked at
  std::size_t read_max = 1'000;          ///< records of one read
};

/// Reads a topic in every process for itself, without a group, from a time on: for what each process keeps in
/// memory. The handler may see an event twice and must not mind; nothing is kept of what was read.
/// @threads `look` and `run` one, the rest any
class Tail {
 public:
  using Handler = std::function<void(const Envelope&)>;
  Tail(TailConfig config, log::Log& log, const Clock& clock, Handler handler, Logger logger);

  /// Hands over what has come since the last look. Events that cannot be read are passed over, and logged.
  /// @returns how many were handed over. @errors as Log; what was not read is read next time.
  Result<std::int64_t> look();
  /// Looks again and again until `stop`. An error is logged once until it has gone.
  void run(std::stop_token stop);
  /// True once a look has reached the end of the topic. @threads any
  bool is_caught_up() const EKIDEN_EXCLUDES(mutex_);

 private:
  Result<log::Offset> first_since(const log::PartitionState& partition, Timestamp since);
  Result<std::int64_t> read_to(const log::PartitionState& partition);

  const TailConfig config_;
  log::Log& log_;
  const Clock& clock_;
  const Handler handler_;
  const Logger logger_;
  std::map<std::int32_t, log::Offset> next_;
  mutable Mutex mutex_;
  CondVar stopped_;
  bool caught_up_ EKIDEN_GUARDED_BY(mutex_) = false;
};

}  // namespace ekiden::delivery
