#include "app/service_set.hpp"

#include "services/gamification/service.hpp"
#include "services/user/service.hpp"
#include "services/workout/service.hpp"

namespace ekiden::app {

namespace {

/// A database of the service's own, and the relay of its outbox.
std::unique_ptr<RunningService> with_tables(const ServiceContext& context, std::string_view name,
                                            const std::vector<sql::Migration>& migrations) {
  auto running = std::make_unique<RunningService>(context);
  running->db = &context.stores.database(name, migrations);
  running->relay = std::make_unique<delivery::Relay>(delivery::RelayConfig{}, *running->db,
                                                     context.stores.log(), context.clock, context.random,
                                                     context.logger.with(std::string(name)));
  return running;
}

void make_host(RunningService& running, const ServiceContext& context) {
  running.host =
      std::make_unique<ServiceHost>(running.spec.name, running.spec.model, context.clock,
                                    context.logger.with(std::string(running.spec.name)), context.figures);
}

}  // namespace

RunningService::RunningService(const ServiceContext& context) : context_(context) {}

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

void RunningService::start_consumers() {
  for (const delivery::Subscription& subscription : spec.consumers) {
    delivery::RunnerConfig config;
    config.member = std::string(spec.name) + "-0";
    runners.push_back(std::make_unique<delivery::Runner>(subscription, std::move(config),
                                                         delivery::RunnerPorts{.database = *db,
                                                                               .log = context_.stores.log(),
                                                                               .clock = context_.clock,
                                                                               .random = context_.random,
                                                                               .wake_relay = relay->bell()},
                                                         context_.logger.with(std::string(spec.name))));
    delivery::Runner& runner = *runners.back();
    const std::string name(subscription.group);
    consumer_threads_.push_back(std::make_unique<runtime::WorkerThread>(
        runtime::ExecutorLabel{std::string(spec.name), name + "-poll"},
        [&runner](std::stop_token stop) { runner.run(std::move(stop)); }));
    consumer_threads_.push_back(std::make_unique<runtime::WorkerThread>(
        runtime::ExecutorLabel{std::string(spec.name), name + "-work"},
        [&runner](std::stop_token) { runner.work(); }));
  }
  for (const services::Background& part : spec.background) part.start();
}

void RunningService::stop_consumers() {
  for (auto part = spec.background.rbegin(); part != spec.background.rend(); ++part) part->stop();
  for (const auto& thread : consumer_threads_) thread->request_stop();
  for (const auto& thread : consumer_threads_) thread->join();
}

std::unique_ptr<RunningService> make_user(const ServiceContext& context) {
  auto running = with_tables(context, "user", user::migrations());
  running->spec = user::user_service({.db = *running->db,
                                      .signer = context.signer,
                                      .cursors = context.cursors,
                                      .figures = context.figures,
                                      .wake_relay = running->relay->bell(),
                                      .clock = context.clock,
                                      .ids = context.ids,
                                      .random = context.random,
                                      .logger = context.logger.with("user")},
                                     user::read_config(context.config));
  make_host(*running, context);
  return running;
}

std::unique_ptr<RunningService> make_workout(const ServiceContext& context) {
  auto running = with_tables(context, "workout", workout::migrations());
  const workout::WorkoutConfig config = workout::read_config(context.config);
  // Its jobs run on its own loops, so those come first.
  running->host = std::make_unique<ServiceHost>("workout", workout::model(config), context.clock,
                                                context.logger.with("workout"), context.figures);
  running->spec = workout::workout_service({.db = *running->db,
                                            .blobs = context.stores.blobs(),
                                            .loops = *running->host->loops(),
                                            .cursors = context.cursors,
                                            .figures = context.figures,
                                            .metrics = context.metrics,
                                            .wake_relay = running->relay->bell(),
                                            .clock = context.clock,
                                            .ids = context.ids,
                                            .random = context.random,
                                            .logger = context.logger.with("workout")},
                                           config);
  return running;
}

std::unique_ptr<RunningService> make_gamification(const ServiceContext& context) {
  auto running = with_tables(context, "gamification", gamification::migrations());
  running->spec = gamification::gamification_service({.db = *running->db,
                                                      .ranking = context.stores.ranking(),
                                                      .cursors = context.cursors,
                                                      .clock = context.clock,
                                                      .ids = context.ids,
                                                      .random = context.random,
                                                      .figures = context.figures,
                                                      .logger = context.logger.with("gamification")},
                                                     gamification::read_config(context.config));
  make_host(*running, context);
  return running;
}

}  // namespace ekiden::app
