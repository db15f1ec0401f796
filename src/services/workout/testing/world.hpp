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
#include "events/codec.hpp"
#include "http/digest.hpp"
#include "http/problem.hpp"
#include "json/json.hpp"
#include "ports/blobs/directory/directory_blobs.hpp"
#include "ports/sql/testing/engine.hpp"
#include "runtime/block_on.hpp"
#include "runtime/job_store.hpp"
#include "runtime/testing/fixture.hpp"
#include "services/workout/api/streams.hpp"
#include "services/workout/api/uploads.hpp"
#include "services/workout/api/workouts.hpp"
#include "services/workout/audit.hpp"
#include "services/workout/consumers/people.hpp"
#include "services/workout/domain/views.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/jobs/importer.hpp"
#include "services/workout/service.hpp"
#include "services/workout/store/blob_refs.hpp"

namespace ekiden::workout::testing {

/// Blobs that tell of each read, so that a test can act between two files.
class WatchedBlobs final : public blobs::Blobs {
 public:
  explicit WatchedBlobs(std::unique_ptr<blobs::Blobs> inner) : inner_(std::move(inner)) {}
  Result<std::unique_ptr<blobs::Writer>> create() override { return inner_->create(); }
  Result<void> adopt(std::span<const blobs::Incoming> files) override { return inner_->adopt(files); }
  Result<std::size_t> read(const blobs::Hash& hash, std::int64_t offset,
                           std::span<char> into) const override {
    if (offset == 0 && on_read) on_read();
    return inner_->read(hash, offset, into);
  }
  Result<std::unique_ptr<blobs::Content>> open(const blobs::Hash& hash, std::int64_t max) const override {
    if (on_read) on_read();
    return inner_->open(hash, max);
  }
  Result<std::int64_t> size(const blobs::Hash& hash) const override { return inner_->size(hash); }
  Result<bool> remove(const blobs::Hash& hash) override { return inner_->remove(hash); }

  std::function<void()> on_read;

 private:
  std::unique_ptr<blobs::Blobs> inner_;
};

struct FormFile {
  std::string name;
  std::string content;
};
using Fields = std::vector<std::pair<std::string, std::string>>;

/// The service's parts on real stores, with jobs that run when told to.
class World : public ::testing::Test {
 public:
  World() {
    db = place->open({.clock = &clock});
    if (!sql::migrate(*db, migrations())) throw std::runtime_error("the schema cannot be made");
    blobs = std::make_unique<WatchedBlobs>(blobs::make_directory_blobs(folder / "blobs"));
    originals = std::make_unique<Originals>(*db, *blobs, cpu, disk, ReadLimits{}, kBytesMax);
    importer = std::make_unique<Importer>(
        ImporterParts{*db, *blobs, cpu, jobs, outbox, ahead, clock, ids, metrics, around.logger},
        ReadLimits{}, kBytesMax);
    removal = std::make_unique<BlobRemoval>(*db, *blobs, disk, jobs, clock);
    uploads = std::make_unique<UploadsApi>(
        UploadsParts{*db, *blobs, disk, ahead, jobs, keys, cursors, clock, ids}, WorkoutConfig{});
    workouts = std::make_unique<WorkoutsApi>(
        WorkoutsParts{*db, *originals, jobs, outbox, keys, cursors, clock, ids});
    streams = std::make_unique<StreamsApi>(*db, *originals, cpu);
    collect_routes();
    tell_of(alice, 1);
    tell_of(bob, 1);
  }
  ~World() override {
    loops.stop();
    db.reset();
  }

  /// The uploads' interface with other settings.
  void set_up_uploads(const WorkoutConfig& config) {
    uploads = std::make_unique<UploadsApi>(
        UploadsParts{*db, *blobs, disk, ahead, jobs, keys, cursors, clock, ids}, config);
    collect_routes();
  }
  void collect_routes() {
    routes.clear();
    for (auto rows : {UploadsApi::routes(uploads.get(), WorkoutConfig{}), WorkoutsApi::routes(workouts.get()),
                      StreamsApi::routes(streams.get())})
      routes.insert(routes.end(), rows.begin(), rows.end());
  }

  /// A request of `who` with path parameter `id`, through the route's handler; errors as the problem they
  /// become.
  http::Response call(http::Verb verb, std::string_view pattern, http::Request request, UserId who) {
    request.verb = verb;
    if (request.path.empty()) request.path = std::string(pattern);
    request.deadline = deadline;
    request.identity.emplace().user_id = who;
    for (const http::Route& route : routes) {
      if (route.verb != verb || route.pattern != pattern) continue;
      auto task = std::get<http::CoroutineHandler>(route.handler)(std::move(request));
      Result<http::Response> response = runtime::block_on(loops, std::move(task));
      return response ? *std::move(response) : http::problem(response.error(), "request");
    }
    throw std::logic_error("there is no such route");
  }
  http::Response get(std::string_view pattern, const std::string& id, UserId who, Fields query = {}) {
    http::Request request;
    if (!id.empty()) request.params = {{"id", id}};
    request.query = std::move(query);
    return call(http::Verb::get, pattern, std::move(request), who);
  }
  http::Response send(http::Verb verb, const std::string& id, std::string body, UserId who,
                      Fields headers = {}) {
    http::Request request;
    if (!id.empty()) request.params = {{"id", id}};
    for (auto& [name, value] : headers) request.headers.add(name, value);
    request.body = std::move(body);
    return call(verb, id.empty() ? "/api/v1/workouts" : "/api/v1/workouts/{id}", std::move(request), who);
  }
  http::Response upload(const std::vector<FormFile>& files, Fields fields = {}, UserId who = alice,
                        Fields headers = {}) {
    http::Request request;
    request.form.emplace();
    request.form->fields = std::move(fields);
    for (const FormFile& file : files) {
      const auto path = folder / ("spool-" + std::to_string(++spooled));
      std::ofstream(path, std::ios::binary) << file.content;
      request.form->files.emplace_back(path, "file", file.name, "", 0);
      request.form->files.back().set_content(static_cast<std::int64_t>(file.content.size()),
                                             http::sha256(file.content));
    }
    for (auto& [name, value] : headers) request.headers.add(name, value);
    return call(http::Verb::post, "/api/v1/uploads", std::move(request), who);
  }

  UploadView upload_view(const http::Response& response) {
    return json::read<UploadView>(response.body).value();
  }
  UploadView upload_now(UploadId id, UserId who = alice) {
    return upload_view(get("/api/v1/uploads/{id}", id.to_string(), who));
  }
  WorkoutView workout_view(const http::Response& response) {
    return json::read<WorkoutView>(response.body).value();
  }
  WorkoutView workout_now(const Uuid& id, UserId who = alice) {
    return workout_view(get("/api/v1/workouts/{id}", id.to_string(), who));
  }
  /// Uploads one file and imports it: its workout.
  WorkoutView imported(const FormFile& file, Fields fields = {}, UserId who = alice) {
    const http::Response response = upload({file}, std::move(fields), who);
    EXPECT_EQ(response.status, 202) << response.body;
    run_jobs();
    const UploadView view = upload_now(upload_view(response).id, who);
    EXPECT_EQ(view.status, UploadStatus::ready) << json::write(view);
    return workout_now(view.files.at(0).workout_ids.at(0), who);
  }

  runtime::job_store::Claim claim() {
    return db
        ->write([this](sql::Tx& tx) {
          return runtime::job_store::claim(tx,
                                           {{std::string(kImport), 100}, {std::string(kRemoveBlobs), 100}},
                                           clock.now(), {"test", clock.now() + std::chrono::minutes{1}}, 100);
        })
        .value();
  }
  Result<void> run(const runtime::Job& job) {
    return runtime::block_on(loops, job.kind == kImport ? importer->run(job) : removal->run(job));
  }
  /// Runs what is due, until nothing is.
  int run_jobs() {
    int ran = 0;
    for (auto claimed = claim(); !claimed.jobs.empty(); claimed = claim()) {
      for (const runtime::Job& job : claimed.jobs) {
        const Result<void> outcome = run(job);
        EXPECT_TRUE(outcome) << outcome.error().text();
        ++ran;
      }
    }
    return ran;
  }

  void tell_of(UserId who, std::int64_t version, Visibility visibility = Visibility::everyone) {
    events::UserChanged event;
    event.user_id = who;
    event.version = version;
    event.time_zone = "Europe/Berlin";
    event.visibility = visibility;
    event.max_heart_rate_bpm = 190;
    event.resting_heart_rate_bpm = 50;
    apply(events::encode(event));
  }
  void apply(const delivery::Envelope& envelope) {
    const delivery::Subscription subscription = people_subscription(jobs, clock);
    const auto& handler = std::get<delivery::Batched>(subscription.apply).apply;
    const Result<void> outcome = db->write([&](sql::Tx& tx) { return handler(tx, envelope); });
    EXPECT_TRUE(outcome) << outcome.error().text();
  }

  std::int64_t count(std::string_view table) {
    return db->read([&](sql::Tx& tx) { return tx.query("SELECT COUNT(*) FROM " + std::string(table)); })
        .value()[0]
        .integer(0);
  }
  struct Told {
    std::string type;
    std::int64_t sequence;
    std::string data;
  };
  /// What the outbox tells of a workout, in order.
  std::vector<Told> told(const Uuid& id) {
    const sql::Rows rows =
        db->read([&](sql::Tx& tx) {
            return tx.query("SELECT type, sequence, data FROM outbox WHERE subject = $1 ORDER BY sequence",
                            {id.to_string()});
          }).value();
    std::vector<Told> all;
    for (const sql::Row& row : rows) all.push_back({row.text(0), row.integer(1), row.bytes(2)});
    return all;
  }
  std::vector<std::string> findings() {
    std::vector<std::string> all;
    for (const services::AuditCheck& check : audits(*db, *blobs)) {
      for (std::string& text : check.run(false).value()) all.push_back(std::move(text));
    }
    return all;
  }
  std::size_t blobs_kept() const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "blobs")) {
      files += entry.is_regular_file() && entry.path().filename().string().size() == 64 ? 1U : 0U;
    }
    return files;
  }

  static constexpr std::int64_t kBytesMax = std::int64_t{64} << 20U;
  static inline const UserId alice{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 1}}};
  static inline const UserId bob{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 2}}};

  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{7};
  Ids ids{clock, random};
  runtime::testing::Surroundings around;
  runtime::Metrics metrics;
  ekiden::testing::Folder own_folder;
  const std::filesystem::path& folder = own_folder.path();
  runtime::CoroutineExecutor loops{
      {.service = "workout", .name = "io"}, {.threads = 1}, around.clock, around.logger, around.figures};
  runtime::CpuPool cpu{{.service = "workout", .name = "cpu"}, {}, around.logger, around.figures};
  ReadAhead ahead{cpu, ReadLimits{}, clock};
  runtime::ThreadPoolExecutor disk{
      {.service = "workout", .name = "disk"}, {.threads = 1, .queue_max = 64}, around.logger, around.figures};
  runtime::JobQueue jobs{clock, ids};
  delivery::Outbox outbox{"workout", events::kWorkoutsTopic, clock, ids, [] {}};
  delivery::idempotency::InFlightKeys keys{64};
  http::CursorSealer cursors{std::string(32, 'k')};
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> db;
  std::unique_ptr<WatchedBlobs> blobs;
  std::unique_ptr<Originals> originals;
  std::unique_ptr<Importer> importer;
  std::unique_ptr<BlobRemoval> removal;
  std::unique_ptr<UploadsApi> uploads;
  std::unique_ptr<WorkoutsApi> workouts;
  std::unique_ptr<StreamsApi> streams;
  std::vector<http::Route> routes;
  Deadline deadline{};  ///< of each request
  int spooled = 0;
};

/// A run of `points` seconds at 3 m/s northwards, in September 2026 at 06:30 UTC and `minute` minutes.
inline std::string gpx_run(int points = 1300, int minute = 0, std::string_view type = "running") {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"test\" "
      "xmlns=\"http://www.topografix.com/GPX/1/1\" "
      "xmlns:g=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">"
      "<trk><type>" +
      std::string(type) + "</type><trkseg>\n";
  const Timestamp start = *parse_rfc3339("2026-09-20T06:30:00Z") + std::chrono::minutes{minute};
  for (int i = 0; i < points; ++i) {
    std::array<char, 256> point{};
    std::snprintf(point.data(), point.size(),
                  "<trkpt lat=\"%.7f\" "
                  "lon=\"13.4000000\"><ele>%d</ele><time>%s</time><extensions><g:TrackPointExtension>"
                  "<g:hr>%d</g:hr></g:TrackPointExtension></extensions></trkpt>\n",
                  52.5 + i * 3.0 / 111'195.0, 30 + i % 7, to_rfc3339(start + std::chrono::seconds{i}).c_str(),
                  120 + i % 40);
    text += point.data();
  }
  return text + "</trkseg></trk></gpx>\n";
}

}  // namespace ekiden::workout::testing
