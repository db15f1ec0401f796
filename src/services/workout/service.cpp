#include "services/workout/service.hpp"

#include <memory>
#include <utility>

#include "delivery/outbox.hpp"
#include "events/workouts.hpp"
#include "runtime/job_runner.hpp"
#include "services/workout/api/streams.hpp"
#include "services/workout/api/uploads.hpp"
#include "services/workout/api/workouts.hpp"
#include "services/workout/audit.hpp"
#include "services/workout/consumers/people.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/jobs/importer.hpp"

namespace ekiden::workout {

namespace {

constexpr std::size_t kKeysMax = 4096;
/// A file that ends the process is given up long before; what is left are failures of the stores.
constexpr runtime::JobPolicy kImportPolicy{.attempts_max = 100};

std::size_t bound(std::int64_t number) {
  return static_cast<std::size_t>(number);
}

ReadLimits read_limits(const WorkoutConfig& config) {
  ReadLimits limits;
  limits.parse.points_max = bound(config.points_max);
  limits.inflate.bytes_max = static_cast<std::uint64_t>(config.unpacked_bytes_max);
  limits.zip.entries_max = bound(config.archive_entries_max);
  limits.zip.total_bytes_end = static_cast<std::uint64_t>(config.archive_bytes_max) + 1;
  limits.zip.entry = limits.inflate;
  return limits;
}

/// What routes and jobs refer to. Destroyed after everything has stopped.
struct State {
  State(const WorkoutParts& parts, const WorkoutConfig& config)
      : cpu({.service = "workout", .name = "cpu"},
            {.threads = bound(config.cpu_threads), .queue_max = bound(config.cpu_queue_max), .nice = 5},
            parts.logger, parts.figures),
        disk({.service = "workout", .name = "disk"},
             {.threads = bound(config.disk_threads), .queue_max = bound(config.disk_queue_max)}, parts.logger,
             parts.figures),
        outbox("workout", events::kWorkoutsTopic, parts.clock, parts.ids, parts.wake_relay),
        jobs(parts.clock, parts.ids),
        keys(kKeysMax),
        originals(parts.db, parts.blobs, cpu, disk, read_limits(config), config.upload_bytes_max),
        ahead(cpu, read_limits(config), parts.clock),
        uploads({parts.db, parts.blobs, disk, ahead, jobs, keys, parts.cursors, parts.clock, parts.ids},
                config),
        workouts({parts.db, originals, jobs, outbox, keys, parts.cursors, parts.clock, parts.ids}),
        streams(parts.db, originals, cpu),
        importer({parts.db, parts.blobs, cpu, jobs, outbox, ahead, parts.clock, parts.ids, parts.metrics,
                  parts.logger},
                 read_limits(config), config.upload_bytes_max),
        removal(parts.db, parts.blobs, disk, jobs, parts.clock),
        runner({.service = "workout", .concurrent_max = bound(config.jobs_max), .process = parts.process},
               jobs, parts.db, {.pool = nullptr, .loops = &parts.loops}, job_kinds(), parts.clock,
               parts.random, parts.logger, parts.figures) {}

  std::vector<runtime::JobKind> job_kinds() {
    const auto import = [this](runtime::Job job) { return importer.run(std::move(job)); };
    const auto remove = [this](runtime::Job job) { return removal.run(std::move(job)); };
    return {{.kind = std::string(kImport),
             .handler = runtime::CoroutineJobHandler(import),
             .policy = kImportPolicy},
            {.kind = std::string(kRemoveBlobs),
             .handler = runtime::CoroutineJobHandler(remove),
             .policy = kImportPolicy}};
  }

  runtime::CpuPool cpu;
  runtime::ThreadPoolExecutor disk;
  delivery::Outbox outbox;
  runtime::JobQueue jobs;
  delivery::idempotency::InFlightKeys keys;
  Originals originals;
  ReadAhead ahead;
  UploadsApi uploads;
  WorkoutsApi workouts;
  StreamsApi streams;
  Importer importer;
  BlobRemoval removal;
  runtime::JobRunner runner;
};

std::vector<http::Route> routes_of(UploadsApi* uploads, WorkoutsApi* workouts, StreamsApi* streams,
                                   const WorkoutConfig& config) {
  std::vector<http::Route> all;
  for (const auto& routes :
       {UploadsApi::routes(uploads, config), WorkoutsApi::routes(workouts), StreamsApi::routes(streams)}) {
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

}  // namespace

std::vector<http::Route> routes(const WorkoutConfig& config) {
  return routes_of(nullptr, nullptr, nullptr, config);
}

std::vector<sql::Migration> migrations() {
  return {
      delivery::kDeliveryMigration,
      runtime::kJobsMigration,
#include "migrations.inc"
      runtime::kJobsOwnerMigration,
  };
}

runtime::Model model(const WorkoutConfig& config) {
  return runtime::Coroutines{.threads = bound(config.io_threads), .inflight_max = bound(config.requests_max)};
}

services::ServiceSpec workout_service(WorkoutParts parts, WorkoutConfig config) {
  auto state = std::make_shared<State>(parts, config);
  services::ServiceSpec spec;
  spec.name = "workout";
  spec.model = model(config);
  spec.migrations = migrations();
  spec.topics = {{.name = std::string(events::kWorkoutsTopic)}};
  spec.routes = routes_of(&state->uploads, &state->workouts, &state->streams, config);
  spec.consumers = {people_subscription(state->jobs, parts.clock)};
  spec.background = {{.name = "jobs",
                      .start = [raw = state.get()] { raw->runner.start(); },
                      .stop = [raw = state.get()] { raw->runner.stop(); }}};
  spec.audits = audits(parts.db, parts.blobs);
  spec.state = std::move(state);
  return spec;
}

}  // namespace ekiden::workout
