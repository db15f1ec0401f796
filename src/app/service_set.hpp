#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/local_caller.hpp"
#include "app/stores.hpp"
#include "base/config.hpp"
#include "base/random.hpp"
#include "delivery/relay.hpp"
#include "delivery/runner.hpp"
#include "http/cursor.hpp"
#include "runtime/metrics.hpp"
#include "runtime/worker_thread.hpp"

namespace ekiden::app {

/// What every service is made with.
struct ServiceContext {
  const Config& config;
  Stores& stores;
  const Clock& clock;
  Random& random;
  Ids& ids;
  const http::TokenSigner& signer;
  const http::CursorSealer& cursors;
  runtime::FiguresRegistry& figures;
  runtime::Metrics& metrics;
  const Logger& logger;
};

/// One service of this process with everything that runs for it. Declared in the order in which parts depend
/// on one another; destroyed in reverse.
class RunningService {
 public:
  explicit RunningService(const ServiceContext& context);
  RunningService(const RunningService&) = delete;
  RunningService& operator=(const RunningService&) = delete;

  /// Starts the relay; events flow out from here on.
  void start_relay();
  /// Starts the consumers, each with its two threads, and the background parts.
  void start_consumers();
  void stop_consumers();
  void stop_relay();

  sql::Database* db = nullptr;  ///< null for a service without tables
  std::unique_ptr<delivery::Relay> relay;
  std::unique_ptr<ServiceHost> host;
  services::ServiceSpec spec;
  std::vector<std::unique_ptr<delivery::Runner>> runners;

 private:
  const ServiceContext context_;
  std::vector<std::unique_ptr<runtime::WorkerThread>> consumer_threads_;
  std::unique_ptr<runtime::WorkerThread> relay_thread_;
};

/// The table of services: how each is made. The gateway is not in it: it needs all the others' routes
/// (node.cpp).
std::unique_ptr<RunningService> make_user(const ServiceContext& context);
std::unique_ptr<RunningService> make_workout(const ServiceContext& context);
std::unique_ptr<RunningService> make_gamification(const ServiceContext& context);

}  // namespace ekiden::app
