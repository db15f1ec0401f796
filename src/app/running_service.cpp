#include "app/running_service.hpp"

#include <algorithm>

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

void RunningService::add_consumer(const delivery::Subscription& subscription) {
  delivery::RunnerConfig config;
  config.member = std::string(spec.name) + "-" + member_name(process_.config);
  runners.push_back(std::make_unique<delivery::Runner>(subscription, std::move(config),
                                                       delivery::RunnerPorts{.database = *db,
                                                                             .log = process_.stores.log(),
                                                                             .clock = process_.clock,
                                                                             .random = process_.random,
                                                                             .wake_relay = relay->bell()},
                                                       logger_));
  delivery::Runner& runner = *runners.back();
  const std::string name(subscription.group);
  consumer_threads_.push_back(std::make_unique<runtime::WorkerThread>(
      runtime::ExecutorLabel{std::string(spec.name), name + "-poll"},
      [&runner](std::stop_token stop) { runner.run(std::move(stop)); }));
  consumer_threads_.push_back(
      std::make_unique<runtime::WorkerThread>(runtime::ExecutorLabel{std::string(spec.name), name + "-work"},
                                              [&runner](std::stop_token) { runner.work(); }));
}

void RunningService::start_consumers() {
  for (const delivery::Subscription& subscription : spec.consumers) add_consumer(subscription);
  for (const services::Background& part : spec.background) part.start();
}

void RunningService::stop_consumers() {
  for (auto part = spec.background.rbegin(); part != spec.background.rend(); ++part) part->stop();
  for (const auto& thread : consumer_threads_) thread->request_stop();
  for (const auto& thread : consumer_threads_) thread->join();
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
