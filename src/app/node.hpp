#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"

namespace ekiden::app {

/// One running process: stores, executors, relays, consumers, the HTTP server, wired from the table of
/// services (service_set.hpp).
/// @threads one, the main thread
class Node {
 public:
  /// @param services names of rows to run; empty: all. With the gateway among them it listens, and calls
  /// those of this process directly.
  /// @param on_fatal called from any thread when the process should end because a store cannot be trusted.
  /// Throws where something cannot be made.
  Node(const Config& config, std::filesystem::path data, std::vector<std::string> services,
       const Clock& clock, Random& random, const Logger& logger, std::function<void()> on_fatal);
  ~Node();

  /// Starts everything in order. Answers requests before the projections are ready. @errors internal: what
  /// failed.
  Result<void> start();
  /// 0 where nothing listens.
  std::uint16_t port() const;
  /// Stops accepting, finishes what is in work, hands back the rest. @returns the stage that is stuck beyond
  /// the grace period: the caller must then end the process at once.
  std::optional<std::string> stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::app
