#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/logger.hpp"
#include "base/mutex.hpp"

namespace ekiden::testing {

/// Keeps the log lines, so that a test can ask for one. @threads any
class KeptLines final : public LogSink {
 public:
  void write(LogLevel, std::string line) override {
    const MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::size_t count(std::string_view event) const {
    const MutexLock lock(mutex_);
    std::size_t found = 0;
    for (const std::string& line : lines_) found += line.find(event) == std::string::npos ? 0U : 1U;
    return found;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::testing
