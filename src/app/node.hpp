#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/stores.hpp"
#include "base/random.hpp"
#include "services/service_spec.hpp"

namespace ekiden::app {

/// A row of the table of services.
struct ServiceRow {
  std::string_view name;
  std::string_view model;
  std::string_view ports;  ///< what it needs, for `--list`
};
const std::vector<ServiceRow>& service_table();

/// One running process: stores, executors, relays, consumers, the HTTP server, wired from the table of
/// services.
/// @threads one, the main thread
class Node {
 public:
  /// @param services names of rows to run; empty: all.
  /// @param on_fatal called from any thread when the process should end because a store cannot be trusted.
  Node(const Config& config, std::filesystem::path data, std::vector<std::string> services,
       const Clock& clock, Random& random, const Logger& logger, std::function<void()> on_fatal);
  ~Node();

  /// Starts everything in order. Answers requests before the projections are ready. @errors internal: what
  /// failed.
  Result<void> start();
  std::uint16_t port() const;
  /// Stops accepting, finishes what is in work, hands back the rest. @returns the stage that is stuck beyond
  /// the grace period: the caller must then end the process at once.
  std::optional<std::string> stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::app
