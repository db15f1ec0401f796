#pragma once

#include <cstddef>
#include <memory>

#include "base/logger.hpp"

namespace ekiden::runtime {

/// Hands lines to a thread that writes them, so that nobody waits for the disk or the pipe. At most
/// `lines_max` wait; beyond that lines are dropped, and the next one that is written is followed by
/// `log_lines_dropped` with their number. The destructor writes what waits. @threads any
class AsyncLogSink final : public LogSink {
 public:
  /// @param inner must outlive this object.
  AsyncLogSink(LogSink& inner, const Clock& clock, std::size_t lines_max = 16'384);
  ~AsyncLogSink() override;
  AsyncLogSink(const AsyncLogSink&) = delete;
  AsyncLogSink& operator=(const AsyncLogSink&) = delete;

  void write(LogLevel level, std::string line) override;

  /// Lines dropped since the start.
  std::int64_t dropped() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::runtime
