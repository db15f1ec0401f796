#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "ports/log/log.hpp"
#include "runtime/worker_thread.hpp"

namespace ekiden::app {

/// Makes the topics that a process works with. Where the log does not answer the process starts all the same,
/// and they are made when it does: events wait in outboxes meanwhile.
/// @threads `start` and `stop` one
class TopicMaker {
 public:
  TopicMaker(log::Log& log, std::vector<log::TopicConfig> topics, const Clock& clock, Logger logger)
      : log_(log), topics_(std::move(topics)), clock_(clock), logger_(std::move(logger)) {}

  /// Tries once, then goes on trying on a thread of its own. Throws std::runtime_error where the log refuses.
  void start();
  void stop();

 private:
  void keep_trying(const std::stop_token& stop);

  log::Log& log_;
  const std::vector<log::TopicConfig> topics_;
  const Clock& clock_;
  const Logger logger_;
  Mutex mutex_;
  CondVar stopped_;
  std::unique_ptr<runtime::WorkerThread> thread_;
};

}  // namespace ekiden::app
