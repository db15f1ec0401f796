#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/folder.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "delivery/inbox.hpp"
#include "events/codec.hpp"
#include "events/users.hpp"
#include "events/workouts.hpp"
#include "http/problem.hpp"
#include "json/json.hpp"
#include "ports/blobs/directory/directory_blobs.hpp"
#include "ports/sql/testing/engine.hpp"
#include "runtime/block_on.hpp"
#include "runtime/job_store.hpp"
#include "runtime/testing/fixture.hpp"
#include "services/inventory/api/defaults.hpp"
#include "services/inventory/api/gear.hpp"
#include "services/inventory/api/mountings.hpp"
#include "services/inventory/api/photo.hpp"
#include "services/inventory/audit.hpp"
#include "services/inventory/consumers/people.hpp"
#include "services/inventory/consumers/workouts.hpp"
#include "services/inventory/domain/views.hpp"
#include "services/inventory/jobs/photo_removal.hpp"
#include "services/inventory/service.hpp"

namespace ekiden::inventory::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kOne = "/api/v1/gear/{id}";
inline constexpr std::string_view kPhoto = "/api/v1/gear/{id}/photo";
inline constexpr std::string_view kMounting = "/api/v1/gear/{id}/mountings/{mounting_id}";
inline const std::string kShoes = R"({"kind":"shoes","name":"Blue"})";
inline const std::string kBike = R"({"kind":"bike","name":"Red"})";
inline const std::string kChain = R"({"kind":"part","name":"KMC","component":"chain"})";

inline std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.get(name).value_or("(none)"));
}

/// The service's parts on real stores, with events and jobs that run when told to.
class World : public ::testing::Test {
 public:
  World() {
    db = place->open({.clock = &clock});
    if (!sql::migrate(*db, migrations())) throw std::runtime_error("the schema cannot be made");
    blobs = blobs::make_directory_blobs(folder.path() / "blobs");
    removal = std::make_unique<PhotoRemoval>(*db, *blobs, disk, jobs);
    set_up({});
  }
  ~World() override {
    loops.stop();
    db.reset();
  }

  /// The interface with these settings.
  void set_up(const InventoryConfig& config) {
    const ApiParts parts{*db, *blobs, disk, settler, jobs, cursors, clock, ids, config};
    gear_api = std::make_unique<GearApi>(parts);
    mountings_api = std::make_unique<MountingsApi>(parts);
    defaults_api = std::make_unique<DefaultsApi>(parts);
    photo_api = std::make_unique<PhotoApi>(parts);
    routes.clear();
    for (auto rows : {GearApi::routes(gear_api.get()), MountingsApi::routes(mountings_api.get()),
                      DefaultsApi::routes(defaults_api.get()), PhotoApi::routes(photo_api.get(), config)})
      routes.insert(routes.end(), rows.begin(), rows.end());
  }

  /// A request of `who` through the route's handler; errors as the problem they become.
  http::Response call(http::Verb verb, std::string_view pattern, http::Request request, UserId who) {
    request.verb = verb;
    request.path = std::string(pattern);
    request.identity.emplace().user_id = who;
    for (const http::Route& route : routes) {
      if (route.verb != verb || route.pattern != pattern) continue;
      auto task = std::get<http::CoroutineHandler>(route.handler)(std::move(request));
      Result<http::Response> response = runtime::block_on(loops, std::move(task));
      return response ? *std::move(response) : http::problem(response.error(), "request");
    }
    throw std::logic_error("there is no such route");
  }
  http::Response send(http::Verb verb, std::string_view pattern, Fields params, std::string body = "",
                      Fields headers = {}, UserId who = ann) {
    http::Request request;
    request.params = std::move(params);
    for (auto& [name, value] : headers) request.headers.add(name, value);
    request.body = std::move(body);
    return call(verb, pattern, std::move(request), who);
  }
  http::Response get(std::string_view pattern, Fields params = {}, Fields query = {}, UserId who = ann) {
    http::Request request;
    request.params = std::move(params);
    request.query = std::move(query);
    return call(http::Verb::get, pattern, std::move(request), who);
  }

  template <class T>
  T read(const http::Response& response) {
    auto value = json::read<T>(response.body);
    if (!value) throw std::runtime_error("not read: " + response.body);
    return *std::move(value);
  }
  GearId enter(const std::string& json, UserId who = ann) {
    const http::Response response = send(http::Verb::post, "/api/v1/gear", {}, json, {}, who);
    EXPECT_EQ(response.status, 201) << response.body;
    return read<GearView>(response).id;
  }
  GearView now(GearId gear_id, UserId who = ann) {
    return read<GearView>(get("/api/v1/gear/{id}", {{"id", gear_id.to_string()}}, {}, who));
  }
  http::Response patch(GearId gear_id, const std::string& json, Fields headers, UserId who = ann) {
    return send(http::Verb::patch, "/api/v1/gear/{id}", {{"id", gear_id.to_string()}}, json,
                std::move(headers), who);
  }
  /// An edit of the version that is there.
  GearView edit(GearId gear_id, const std::string& json) {
    const http::Response response =
        patch(gear_id, json, {{"If-Match", http::etag_of_version(now(gear_id).version)}});
    EXPECT_EQ(response.status, 200) << response.body;
    return read<GearView>(response);
  }
  MountingView mount(GearId part, GearId bike, std::string_view from, std::string_view to = "") {
    std::string json = R"({"bike_id":")" + bike.to_string() + R"(","mounted_at":")" + std::string(from) + '"';
    if (!to.empty()) json += R"(,"unmounted_at":")" + std::string(to) + '"';
    const http::Response response =
        send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", part.to_string()}}, json + "}");
    EXPECT_EQ(response.status, 201) << response.body;
    return read<MountingView>(response);
  }
  http::Response set_defaults(const std::string& sports, std::int64_t version, UserId who = ann) {
    return send(http::Verb::put, "/api/v1/gear/defaults", {}, R"({"sports":)" + sports + "}",
                {{"If-Match", http::etag_of_version(version)}}, who);
  }

  events::WorkoutState workout(std::string_view sport, std::int64_t distance_m, std::vector<GearId> gear = {},
                               std::string_view start = "2026-11-20T06:30:00Z", UserId who = ann) {
    events::WorkoutState state;
    state.workout_id = ids.make<WorkoutId>();
    state.user_id = who;
    state.version = 1;
    state.sport = sport;
    state.start_time = *parse_rfc3339(start);
    state.end_time = state.start_time + std::chrono::hours{1};
    state.distance_m = distance_m;
    state.moving_ms = distance_m * 300;
    for (const GearId gear_id : gear) state.gear_ids.push_back(gear_id.uuid());
    return state;
  }
  static delivery::Envelope recorded(const events::WorkoutState& state) {
    return events::encode(events::WorkoutRecorded{state});
  }
  static delivery::Envelope changed(events::WorkoutState& state) {
    state.version += 1;
    return events::encode(events::WorkoutChanged{state});
  }
  static delivery::Envelope deleted(const events::WorkoutState& state) {
    return events::encode(events::WorkoutDeleted{state.workout_id, state.user_id, state.version + 1});
  }
  /// As the consumer does it, in one transaction.
  Result<void> apply(const std::vector<delivery::Envelope>& events) {
    const delivery::Subscription subscription = workouts_subscription(settler);
    const auto& batched = std::get<delivery::Batched>(subscription.apply);
    return db->write([&](sql::Tx& tx) -> Result<void> {
      std::vector<const delivery::Envelope*> all;
      for (const delivery::Envelope& event : events) {
        EKIDEN_CHECK(batched.apply(tx, event));
        all.push_back(&event);
      }
      return batched.together(tx, all);
    });
  }
  void tell(const std::vector<delivery::Envelope>& events) {
    const Result<void> outcome = apply(events);
    ASSERT_TRUE(outcome) << outcome.error().text();
  }
  void erase(UserId who) {
    const delivery::Subscription subscription = people_subscription(jobs, clock);
    const auto& handler = std::get<delivery::Batched>(subscription.apply).apply;
    const auto event = events::encode(events::UserDeleted{.user_id = who, .version = 2});
    ASSERT_TRUE(db->write([&](sql::Tx& tx) { return handler(tx, event); }));
  }

  /// Runs what is due, until nothing is.
  int run_jobs() {
    int ran = 0;
    for (;;) {
      const auto claimed =
          db->write([this](sql::Tx& tx) {
              return runtime::job_store::claim(tx, {{std::string(kRemovePhotos), 100}}, clock.now(),
                                               {"test", clock.now() + std::chrono::minutes{1}}, 100);
            }).value();
      if (claimed.jobs.empty()) return ran;
      for (const runtime::Job& job : claimed.jobs) {
        const Result<void> outcome = runtime::block_on(loops, removal->run(job));
        EXPECT_TRUE(outcome) << outcome.error().text();
        ++ran;
      }
    }
  }
  std::int64_t count(const std::string& table) {
    return db->read([&](sql::Tx& tx) { return tx.query("SELECT COUNT(*) FROM " + table); })
        .value()[0]
        .integer(0);
  }
  /// The shares that were told of a piece, in order.
  std::vector<std::int64_t> told(GearId gear_id) {
    const sql::Rows rows = db->read([&](sql::Tx& tx) {
                               return tx.query("SELECT data FROM outbox WHERE subject = $1 ORDER BY position",
                                               {gear_id.to_string()});
                             }).value();
    std::vector<std::int64_t> shares;
    for (const sql::Row& row : rows)
      shares.push_back(json::read<events::GearWorn>(row.bytes(0)).value().share_percent);
    return shares;
  }
  std::vector<std::string> findings(bool repair = false) {
    std::vector<std::string> all;
    for (const services::AuditCheck& check : audits(*db, *blobs)) {
      for (std::string& text : check.run(repair).value()) all.push_back(std::move(text));
    }
    return all;
  }
  std::size_t blobs_kept() const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "blobs"))
      files += entry.is_regular_file() && entry.path().filename().string().size() == 64 ? 1U : 0U;
    return files;
  }

  static inline const UserId ann{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 1}}};
  static inline const UserId bob{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 2}}};

  ekiden::testing::ManualClock clock{*parse_rfc3339("2026-11-22T12:00:00Z")};
  ekiden::testing::SeededRandom random{7};
  Ids ids{clock, random};
  runtime::testing::Surroundings around;
  runtime::Metrics metrics;
  ekiden::testing::Folder folder;
  runtime::CoroutineExecutor loops{
      {.service = "inventory", .name = "io"}, {.threads = 1}, around.clock, around.logger, around.figures};
  runtime::ThreadPoolExecutor disk{{.service = "inventory", .name = "disk"},
                                   {.threads = 1, .queue_max = 64},
                                   around.logger,
                                   around.figures};
  runtime::JobQueue jobs{clock, ids};
  delivery::Outbox outbox{"inventory", events::kInventoryTopic, clock, ids, [] {}};
  Settler settler{outbox, GearMetrics(metrics), clock};
  http::CursorSealer cursors{std::string(32, 'k')};
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> db;
  std::unique_ptr<blobs::Blobs> blobs;
  std::unique_ptr<GearApi> gear_api;
  std::unique_ptr<MountingsApi> mountings_api;
  std::unique_ptr<DefaultsApi> defaults_api;
  std::unique_ptr<PhotoApi> photo_api;
  std::vector<http::Route> routes;
  std::unique_ptr<PhotoRemoval> removal;
};

}  // namespace ekiden::inventory::testing
