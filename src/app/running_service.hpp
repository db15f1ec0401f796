#pragma once

#include <memory>
#include <vector>

#include "app/housekeeper.hpp"
#include "app/local_caller.hpp"
#include "app/service_set.hpp"
#include "delivery/relay.hpp"
#include "delivery/runner.hpp"
#include "runtime/worker_thread.hpp"

namespace ekiden::app {

/// One service of this process with everything that runs for it. Declared in the order in which parts depend
/// on one another; destroyed in reverse.
class RunningService {
 public:
  /// @param row one that has `make`. Throws where a store or the service cannot be made.
  RunningService(const ServiceRow& row, const ProcessParts& process);
  RunningService(const RunningService&) = delete;
  RunningService& operator=(const RunningService&) = delete;

  /// Starts the relay; events flow out from here on.
  void start_relay();
  /// Starts the consumers, each with its two threads, and the background parts.
  void start_consumers();
  void stop_consumers();
  void stop_relay();

  sql::Database* db = nullptr;             ///< null for a service without tables
  std::unique_ptr<delivery::Relay> relay;  ///< null likewise
  std::unique_ptr<ServiceHost> host;
  services::ServiceSpec spec;
  std::vector<std::unique_ptr<delivery::Runner>> runners;

 private:
  void add_runner(const delivery::Subscription& subscription);
  void show_figures(std::vector<runtime::ExecutorFigures>& all) const;

  const ProcessParts process_;
  const Logger logger_;
  std::vector<std::unique_ptr<runtime::WorkerThread>> consumer_threads_;
  std::unique_ptr<runtime::WorkerThread> relay_thread_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<runtime::WorkerThread> housekeeper_thread_;
};

using RunningServices = std::vector<std::unique_ptr<RunningService>>;

/// Makes the rows of these names, in the table's order; empty: all. The gateway is left out: door.hpp.
RunningServices make_services(const std::vector<std::string>& names, const ProcessParts& process);

/// Whether `names` asks for this service; an empty list asks for all.
bool is_wanted(const std::vector<std::string>& names, std::string_view service);

}  // namespace ekiden::app
