#include "app/running_service.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/adapters.hpp"
#include "app/options.hpp"

namespace ekiden::app {

RunningService::RunningService(const ServiceRow& row, const ProcessParts& process)
    : process_(process), logger_(process.logger.with(std::string(row.name))) {
  if (row.migrations != nullptr) {
    db = &process_.stores.database(row.name, row.migrations());
    relay = std::make_unique<delivery::Relay>(delivery::RelayConfig{}, *db, process_.stores.log(),
                                              process_.clock, process_.random, logger_);
  }
  // Before the service: its jobs may run on its own loops.
  host = std::make_unique<ServiceHost>(row.name, row.model(process_.config), process_.clock, logger_,
                                       process_.figures);
  spec = row.make({.row = row,
                   .process = process_,
                   .tables = db,
                   .loops = host->loops(),
                   .wake_relay = relay ? relay->bell() : [] {},
                   .logger = logger_});
  if (!spec.consumers.empty() && db == nullptr)
    throw std::logic_error(std::string(row.name) + " consumes events and has no tables for its inbox");
  // All at once, and before anything runs: whoever shows figures reads this list.
  for (const delivery::Subscription& subscription : spec.consumers) add_runner(subscription);
  process_.figures.add([this](std::vector<runtime::ExecutorFigures>& all) { show_figures(all); });
}

/// The threads that are no executor's: each is in its own loop.
void RunningService::show_figures(std::vector<runtime::ExecutorFigures>& all) const {
  if (relay) {
    const delivery::RelayFigures figures = relay->figures();
    all.push_back({.service = std::string(spec.name),
                   .name = "relay",
                   .model = "thread",
                   .threads = 1,
                   .threads_busy = figures.is_busy ? 1 : 0,
                   .queue_depth = figures.depth,
                   .in_flight = figures.in_flight,
                   .in_flight_max = static_cast<std::int64_t>(delivery::RelayLimits{}.in_flight_max),
                   .completed = figures.published});
  }
  for (const auto& runner : runners) {
    const delivery::RunnerFigures figures = runner->figures();
    runtime::ExecutorFigures entry{.service = std::string(spec.name),
                                   .name = "consumer:" + figures.group,
                                   .model = "consumer",
                                   .threads = 2,
                                   .threads_busy = figures.running};
    for (const delivery::PartitionFigures& partition : figures.partitions) {
      entry.queue_depth += partition.lag_events;
      entry.in_flight += partition.unfinished;
      entry.completed += partition.applied;
    }
    const std::size_t partitions = std::max<std::size_t>(figures.partitions.size(), 1);
    entry.in_flight_max = static_cast<std::int64_t>(runner->subscription().prefetch * partitions);
    all.push_back(std::move(entry));
  }
}

void RunningService::start_relay() {
  if (!relay) return;
  relay_thread_ =
      std::make_unique<runtime::WorkerThread>(runtime::ExecutorLabel{std::string(spec.name), "relay"},
                                              [this](std::stop_token stop) { relay->run(std::move(stop)); });
}

void RunningService::stop_relay() {
  if (!relay_thread_) return;
  relay_thread_->request_stop();
  relay->ring();
  relay_thread_->join();
}

void RunningService::add_runner(const delivery::Subscription& subscription) {
  delivery::RunnerConfig config;
  // Only where nobody else works on these tables: then what was its own is its own again at once. Among
  // several, Kafka gives a member that comes back under its name what it had, also where that was half of a
  // rebalance that its end cut short; the other half is then nobody's for as long as all of them come back
  // so.
  if (!are_tables_shared(process_.config))
    config.member = std::string(spec.name) + "-" + member_name(process_.config);
  runners.push_back(std::make_unique<delivery::Runner>(subscription, std::move(config),
                                                       delivery::RunnerPorts{.database = *db,
                                                                             .log = process_.stores.log(),
                                                                             .clock = process_.clock,
                                                                             .random = process_.random,
                                                                             .wake_relay = relay->bell(),
                                                                             .spans = process_.spans},
                                                       logger_));
}

void RunningService::start_consumers() {
  for (const auto& runner : runners) {
    const std::string name(runner->subscription().group);
    consumer_threads_.push_back(std::make_unique<runtime::WorkerThread>(
        runtime::ExecutorLabel{std::string(spec.name), name + "-poll"},
        [&runner = *runner](std::stop_token stop) { runner.run(std::move(stop)); }));
    consumer_threads_.push_back(std::make_unique<runtime::WorkerThread>(
        runtime::ExecutorLabel{std::string(spec.name), name + "-work"},
        [&runner = *runner](std::stop_token) { runner.work(); }));
  }
  for (const services::Background& part : spec.background) part.start();
  if (spec.sweeps.empty() || db == nullptr) return;
  housekeeper_ = std::make_unique<Housekeeper>(*db, spec.sweeps, process_.clock, logger_);
  housekeeper_thread_ = std::make_unique<runtime::WorkerThread>(
      runtime::ExecutorLabel{std::string(spec.name), "housekeeping"},
      [this](std::stop_token stop) { housekeeper_->run(std::move(stop)); });
}

void RunningService::stop_consumers() {
  if (housekeeper_thread_) housekeeper_thread_->request_stop();
  for (auto part = spec.background.rbegin(); part != spec.background.rend(); ++part) part->stop();
  for (const auto& thread : consumer_threads_) thread->request_stop();
  for (const auto& thread : consumer_threads_) thread->join();
  housekeeper_thread_.reset();
}

bool is_wanted(const std::vector<std::string>& names, std::string_view service) {
  return names.empty() || std::ranges::find(names, service) != names.end();
}

RunningServices make_services(const std::vector<std::string>& names, const ProcessParts& process) {
  RunningServices services;
  for (const ServiceRow& row : service_table()) {
    if (row.make != nullptr && is_wanted(names, row.name))
      services.push_back(std::make_unique<RunningService>(row, process));
  }
  return services;
}

}  // namespace ekiden::app
