#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "runtime/executor.hpp"

namespace ekiden::runtime::testing {

/// Keeps the lines. @threads any
class KeepingSink final : public LogSink {
 public:
  void write(LogLevel, std::string line) override {
    const MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : lines()) all += line + "\n";
    return all;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ EKIDEN_GUARDED_BY(mutex_);
};

/// What every executor asks for. Declare it before the executors, so that it outlives them.
struct Surroundings {
  SystemClock clock;
  KeepingSink sink;
  Logger logger{sink, clock, LogLevel::debug};
  FiguresRegistry figures;
};

}  // namespace ekiden::runtime::testing
