#include "services/inventory/service.hpp"

#include <memory>
#include <utility>

#include "delivery/outbox.hpp"
#include "events/inventory.hpp"
#include "runtime/job_runner.hpp"
#include "services/inventory/api/defaults.hpp"
#include "services/inventory/api/gear.hpp"
#include "services/inventory/api/mountings.hpp"
#include "services/inventory/api/photo.hpp"
#include "services/inventory/audit.hpp"
#include "services/inventory/consumers/people.hpp"
#include "services/inventory/consumers/workouts.hpp"
#include "services/inventory/jobs/photo_removal.hpp"

namespace ekiden::inventory {

namespace {

std::size_t bound(std::int64_t number) {
  return static_cast<std::size_t>(number);
}

/// What routes, consumers and jobs refer to. Destroyed after everything has stopped.
struct State {
  State(const InventoryParts& parts, const InventoryConfig& config)
      : disk({.service = "inventory", .name = "disk"},
             {.threads = bound(config.disk_threads), .queue_max = bound(config.disk_queue_max)}, parts.logger,
             parts.figures),
        outbox("inventory", events::kInventoryTopic, parts.clock, parts.ids, parts.wake_relay),
        settler(outbox, GearMetrics(parts.metrics), parts.clock),
        jobs(parts.clock, parts.ids),
        gear({parts.db, parts.blobs, disk, settler, jobs, parts.cursors, parts.clock, parts.ids, config}),
        mountings(
            {parts.db, parts.blobs, disk, settler, jobs, parts.cursors, parts.clock, parts.ids, config}),
        defaults({parts.db, parts.blobs, disk, settler, jobs, parts.cursors, parts.clock, parts.ids, config}),
        photo({parts.db, parts.blobs, disk, settler, jobs, parts.cursors, parts.clock, parts.ids, config}),
        removal(parts.db, parts.blobs, disk, jobs),
        runner({.service = "inventory", .concurrent_max = 1, .process = parts.process}, jobs, parts.db,
               {.pool = nullptr, .loops = &parts.loops}, job_kinds(), parts.clock, parts.random, parts.logger,
               parts.figures) {}

  std::vector<runtime::JobKind> job_kinds() {
    const auto remove = [this](runtime::Job job) { return removal.run(std::move(job)); };
    return {{.kind = std::string(kRemovePhotos), .handler = runtime::CoroutineJobHandler(remove)}};
  }

  runtime::ThreadPoolExecutor disk;
  delivery::Outbox outbox;
  Settler settler;
  runtime::JobQueue jobs;
  GearApi gear;
  MountingsApi mountings;
  DefaultsApi defaults;
  PhotoApi photo;
  PhotoRemoval removal;
  runtime::JobRunner runner;
};

std::vector<http::Route> routes_of(State* state, const InventoryConfig& config) {
  std::vector<http::Route> all;
  for (const auto& routes : {GearApi::routes(state == nullptr ? nullptr : &state->gear),
                             MountingsApi::routes(state == nullptr ? nullptr : &state->mountings),
                             DefaultsApi::routes(state == nullptr ? nullptr : &state->defaults),
                             PhotoApi::routes(state == nullptr ? nullptr : &state->photo, config)}) {
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

}  // namespace

std::vector<http::Route> routes(const InventoryConfig& config) {
  return routes_of(nullptr, config);
}

std::vector<sql::Migration> migrations() {
  return {
      delivery::kDeliveryMigration,
      runtime::kJobsMigration,
      runtime::kJobsOwnerMigration,
#include "migrations.inc"
  };
}

runtime::Model model(const InventoryConfig& config) {
  return runtime::Coroutines{.threads = bound(config.io_threads), .inflight_max = bound(config.requests_max)};
}

services::ServiceSpec inventory_service(InventoryParts parts, InventoryConfig config) {
  auto state = std::make_shared<State>(parts, config);
  services::ServiceSpec spec;
  spec.name = "inventory";
  spec.model = model(config);
  spec.migrations = migrations();
  spec.topics = {{.name = std::string(events::kInventoryTopic)}};
  spec.routes = routes_of(state.get(), config);
  spec.consumers = {workouts_subscription(state->settler), people_subscription(state->jobs, parts.clock)};
  spec.background = {{.name = "jobs",
                      .start = [raw = state.get()] { raw->runner.start(); },
                      .stop = [raw = state.get()] { raw->runner.stop(); }}};
  spec.audits = audits(parts.db, parts.blobs);
  spec.state = std::move(state);
  return spec;
}

}  // namespace ekiden::inventory
