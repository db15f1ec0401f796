#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

/// One part of the program, in the order of starting.
struct Stage {
  std::string name;
  std::function<void()> start;  ///< throws where it cannot
  std::function<void()> stop;   ///< returns when nothing of it runs any more
};

struct StopReport {
  struct Part {
    std::string stage;
    Duration took{};
  };
  std::vector<Part> stopped;         ///< in the order of stopping
  std::optional<std::string> stuck;  ///< the stage that had not stopped when the grace period was over
};

/// Starts the stages in order and stops them in reverse. @threads one, the main thread
class Lifecycle {
 public:
  Lifecycle(const Clock& clock, const Logger& logger);
  /// Stops what runs, however long it takes.
  ~Lifecycle();
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  void add(Stage stage);

  /// @errors internal  slug `start-failed`: a stage threw; those before it have been stopped again.
  Result<void> start();

  /// Stops the stages that run, within `grace` altogether. Where a stage is stuck beyond that, the report
  /// names it, and a thread still waits for it: the caller must end the process (std::_Exit) instead of
  /// returning from main.
  StopReport stop(Duration grace);

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Waits for SIGTERM or SIGINT in the main thread. Make it before any thread starts: it blocks both signals,
/// and threads inherit that. SIGPIPE is ignored from then on. After the first signal the system's own meaning
/// is restored, so that a second one ends the process at once.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal's number, or 0 after `request`.
  int wait();
  /// Ends `wait` from within the program. @threads any
  void request();

 private:
  int signals_ = -1;
  int requests_ = -1;
};

}  // namespace ekiden::runtime
