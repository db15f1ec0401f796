#pragma once

// The service on real stores: uploads become workouts, once; edits, deletions and erasures leave the stores
// in balance.
#include <future>

#include <gmock/gmock.h>

#include "services/workout/activity/archive/testing/zip_writer.hpp"
#include "services/workout/testing/world.hpp"

namespace ekiden::workout {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FormFile;
using testing::gpx_run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Uploads = testing::World;
using Workouts = testing::World;
using People = testing::World;

std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.get(name).value_or("(none)"));
}

TEST_F(Uploads, AreAcknowledgedAndBecomeWorkouts) {
  const http::Response response = upload({{"run.gpx", gpx_run()}}, {{"external_id", "abc"}});
  ASSERT_EQ(response.status, 202) << response.body;
  const UploadView queued = upload_view(response);
  EXPECT_EQ(header(response, "Location"), "/api/v1/uploads/" + queued.id.to_string());
  EXPECT_EQ(queued.status, UploadStatus::queued);
  EXPECT_EQ(queued.progress.total, 1);
  EXPECT_EQ(blobs_kept(), 1U);
  EXPECT_EQ(run_jobs(), 1);
  const UploadView ready = upload_now(queued.id);
  EXPECT_EQ(ready.status, UploadStatus::ready);
  EXPECT_EQ(ready.progress.done, 1);
  EXPECT_TRUE(ready.ended_at);
  const Uuid id = ready.files.at(0).workout_ids.at(0);
  const WorkoutView workout = workout_now(id);
  EXPECT_EQ(workout.sport, "run");
  EXPECT_EQ(workout.name, "Morning run");
  EXPECT_NEAR(static_cast<double>(workout.distance_m), 1299 * 3.0, 2);
  EXPECT_EQ(workout.elapsed_s, 1299);
  EXPECT_EQ(workout.local_date, "2026-09-20");
  EXPECT_EQ(workout.utc_offset_s, 7200);
  EXPECT_EQ(workout.time_zone, "Europe/Berlin");
  EXPECT_EQ(workout.point_count, 1300);
  EXPECT_TRUE(workout.ranked);
  EXPECT_GT(workout.training_load.value_or(0), 0);
  EXPECT_EQ(workout.zones.value().heart_rate_s.size(), 6U);
  EXPECT_EQ(workout.best_efforts.size(), 4U);
  const auto events = told(id);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, "workout.recorded");
  EXPECT_THAT(events[0].data, HasSubstr(R"("local_date":"2026-09-20")"));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, TheSameContentIsTheSameUploadWhileItsWorkoutLives) {
  const WorkoutView first = imported({"run.gpx", gpx_run()});
  const http::Response again = upload({{"other-name.gpx", gpx_run()}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(upload_view(again).files.at(0).workout_ids.at(0), first.id.uuid());
  EXPECT_EQ(count("uploads"), 1);
  EXPECT_EQ(upload({{"run.gpx", gpx_run()}}, {}, bob).status, 202);
  EXPECT_EQ(send(http::Verb::del, first.id.to_string(), "", alice).status, 204);
  run_jobs();
  const WorkoutView second = imported({"run.gpx", gpx_run()});
  EXPECT_NE(second.id, first.id);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, TheSameContentPackedIsADuplicateAndKeepsNothing) {
  const WorkoutView first = imported({"run.gpx", gpx_run()});
  const http::Response response = upload({{"run.gpx.gz", activity::gzip_for_test(gpx_run())}});
  ASSERT_EQ(response.status, 202);
  EXPECT_EQ(blobs_kept(), 2U);
  run_jobs();
  const UploadView view = upload_now(upload_view(response).id);
  EXPECT_EQ(view.status, UploadStatus::duplicate);
  EXPECT_THAT(view.files.at(0).workout_ids, ElementsAre(first.id.uuid()));
  EXPECT_EQ(count("workouts"), 1);
  EXPECT_EQ(blobs_kept(), 1U);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, AnArchiveGivesAResultForEachOfItsFiles) {
  const std::string archive = activity::ZipWriter()
                                  .add({.name = "a.gpx", .text = gpx_run(400, 0)})
                                  .add({.name = "notes.txt", .text = "hello"})
                                  .add({.name = "broken.gpx", .text = "<gpx version=\"1.1\"><trk>"})
                                  .add({.name = "../evil.gpx", .text = gpx_run(400, 9)})
                                  .add({.name = "b.gpx", .text = gpx_run(400, 30)})
                                  .add({.name = "a-again.gpx", .text = gpx_run(400, 0)})
                                  .file();
  const http::Response response = upload({{"many.zip", archive}});
  ASSERT_EQ(response.status, 202) << response.body;
  run_jobs();
  const UploadView view = upload_now(upload_view(response).id);
  ASSERT_EQ(view.files.size(), 6U) << json::write(view);
  EXPECT_EQ(view.status, UploadStatus::ready);
  EXPECT_EQ(view.progress.done, 6);
  EXPECT_EQ(view.progress.total, 6);
  EXPECT_EQ(view.files[0].status, FileStatus::ready);
  EXPECT_EQ(view.files[1].problem.value().status, 415);
  EXPECT_EQ(view.files[2].problem.value().status, 422);
  EXPECT_EQ(view.files[3].problem.value().type, "urn:ekiden:bad-archive");
  EXPECT_EQ(view.files[4].status, FileStatus::ready);
  EXPECT_EQ(view.files[5].status, FileStatus::duplicate);
  EXPECT_EQ(view.files[5].workout_ids, view.files[0].workout_ids);
  EXPECT_EQ(count("workouts"), 2);
  EXPECT_EQ(blobs_kept(), 1U);
  const http::Response original =
      get("/api/v1/workouts/{id}/original", view.files[4].workout_ids.at(0).to_string(), alice);
  EXPECT_EQ(original.body, gpx_run(400, 30));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, AnArchiveWithNothingToReadIsNotKept) {
  const std::string archive = activity::ZipWriter().add({.name = "../evil.gpx", .text = gpx_run(400)}).file();
  const http::Response response = upload({{"evil.zip", archive}});
  ASSERT_EQ(response.status, 202) << response.body;
  run_jobs();
  EXPECT_EQ(upload_now(upload_view(response).id).status, UploadStatus::failed);
  EXPECT_EQ(blobs_kept(), 0U);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, GoOnWhereTheyWereStopped) {
  const http::Response response =
      upload({{"1.gpx", gpx_run(300, 0)}, {"2.gpx", gpx_run(300, 10)}, {"3.gpx", gpx_run(300, 20)}});
  ASSERT_EQ(response.status, 202);
  auto stop = std::make_shared<std::atomic<bool>>(false);
  runtime::Job job = claim().jobs.at(0);
  job.run = std::make_shared<runtime::Job::Run>();
  job.run->stop = stop;
  int reads = 0;
  blobs->on_read = [&] { *stop = ++reads == 2; };
  EXPECT_TRUE(run(job));
  EXPECT_EQ(count("workouts"), 2);
  const UploadView half = upload_now(upload_view(response).id);
  EXPECT_EQ(half.status, UploadStatus::processing);
  EXPECT_EQ(half.progress.done, 2);
  // The holder of before changes nothing any more.
  blobs->on_read = nullptr;
  *stop = false;
  const auto late = run(job);
  EXPECT_EQ(late.error().slug(), runtime::kJobTakenOver);
  EXPECT_EQ(count("workouts"), 2);
  clock.advance(5s);
  EXPECT_EQ(run_jobs(), 1);
  EXPECT_EQ(upload_now(upload_view(response).id).status, UploadStatus::ready);
  EXPECT_EQ(count("workouts"), 3);
  EXPECT_EQ(count("outbox"), 3);
  EXPECT_TRUE(run(job));
  EXPECT_EQ(count("workouts"), 3);
}

TEST_F(Uploads, AFileThatEndsTheProcessEachTimeIsGivenUp) {
  const http::Response response = upload({{"1.gpx", gpx_run(300, 0)}, {"2.gpx", gpx_run(300, 10)}});
  for (int attempt = 1; attempt < 5; ++attempt) {
    EXPECT_EQ(claim().jobs.at(0).attempt, attempt);
    clock.advance(2min);
  }
  run_jobs();
  const UploadView view = upload_now(upload_view(response).id);
  EXPECT_EQ(view.files.at(0).problem.value().type, "urn:ekiden:import-failed");
  EXPECT_EQ(view.files.at(1).status, FileStatus::ready);
}

TEST_F(Uploads, WhatIsNoWorkoutIsRefusedAtOnce) {
  EXPECT_EQ(upload({{"virus.gpx", std::string("\x7f"
                                              "ELF\2\1\1\0\0\0",
                                              10)}})
                .status,
            415);
  EXPECT_EQ(upload({{"empty.gpx", ""}}).status, 422);
  EXPECT_EQ(upload({}).status, 422);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}, {{"colour", "red"}}).status, 422);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}, {{"sport", "chess"}}).status, 422);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}, {{"visibility", "everyone"}, {"visibility", "only_me"}}).status,
            422);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}, {{"gear_ids", "1,2"}}).status, 422);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}, {{"name", std::string(300, 'x')}}).status, 422);
  EXPECT_EQ(count("uploads"), 0);
  EXPECT_EQ(blobs_kept(), 0U);
}

TEST_F(Uploads, AnUnreadableFileFailsWithoutHalfAWorkout) {
  std::string text = gpx_run();
  text.resize(text.size() / 2);
  const http::Response response = upload({{"half.gpx", text}});
  run_jobs();
  const UploadView view = upload_now(upload_view(response).id);
  EXPECT_EQ(view.status, UploadStatus::failed);
  EXPECT_EQ(view.files.at(0).problem.value().status, 422);
  EXPECT_EQ(count("workouts"), 0);
  EXPECT_EQ(count("workout_streams"), 0);
  EXPECT_EQ(count("outbox"), 0);
  EXPECT_EQ(upload({{"half.gpx", text}}).status, 202);
}

TEST_F(Uploads, AnIdempotencyKeyStandsForOneUpload) {
  const std::vector<FormFile> files = {{"a.gpx", gpx_run()}};
  const http::Response first = upload(files, {}, alice, {{"Idempotency-Key", "k1"}});
  run_jobs();
  const http::Response again = upload(files, {}, alice, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.all(), first.headers.all());
  const http::Response other = upload({{"b.gpx", gpx_run(200, 44)}}, {}, alice, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_THAT(other.body, HasSubstr("idempotency-key-reused"));
  run_jobs();
  EXPECT_EQ(blobs_kept(), 1U);  // What came with the refused request is gone.
  const auto hold = keys.enter(alice.to_string(), "k2");
  EXPECT_EQ(upload(files, {}, alice, {{"Idempotency-Key", "k2"}}).status, 409);
}

TEST_F(Uploads, ContentThatIsBeingRemovedIsStoredAnew) {
  const WorkoutView first = imported({"a.gpx", gpx_run()});
  EXPECT_EQ(send(http::Verb::del, first.id.to_string(), "", alice).status, 204);
  const auto hash = blobs->put(gpx_run()).value();
  const auto begun = db->write([&](sql::Tx& tx) { return begin_removal(tx, hash, clock.now()); });
  EXPECT_TRUE(begun.value());
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}).status, 503);
  EXPECT_EQ(run_jobs(), 1);
  EXPECT_EQ(blobs_kept(), 0U);
  EXPECT_EQ(upload({{"a.gpx", gpx_run()}}).status, 202);
  EXPECT_EQ(run_jobs(), 1);
  EXPECT_EQ(blobs_kept(), 1U);
  EXPECT_EQ(count("blob_removals"), 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Uploads, AreListedNewestFirstAndAreNobodyElses) {
  for (int i = 0; i < 3; ++i) {
    clock.advance(1s);
    EXPECT_EQ(upload({{"a.gpx", gpx_run(200, i)}}, {{"external_id", std::to_string(i)}}).status, 202);
  }
  const auto page = json::read<UploadsView>(get("/api/v1/uploads", "", alice, {{"limit", "2"}}).body).value();
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].external_id, "2");
  const auto rest =
      json::read<UploadsView>(
          get("/api/v1/uploads", "", alice, {{"limit", "2"}, {"cursor", *page.next_cursor}}).body)
          .value();
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_FALSE(rest.next_cursor);
  EXPECT_EQ(get("/api/v1/uploads", "", bob, {{"cursor", *page.next_cursor}}).status, 422);
  const std::string id = page.items[0].id.to_string();
  const http::Response foreign = get("/api/v1/uploads/{id}", id, bob);
  EXPECT_EQ(foreign.status, 404);
  EXPECT_EQ(foreign.body, get("/api/v1/uploads/{id}", UploadId{ids.next()}.to_string(), bob).body);
}

TEST_F(Workouts, AreEnteredByHandChangedAndDeleted) {
  const std::string body =
      R"({"sport":"swim","start_time":"2026-09-20T10:00:00Z","elapsed_s":1800,"distance_m":1500})";
  const http::Response made = send(http::Verb::post, "", body, alice, {{"Idempotency-Key", "x"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(send(http::Verb::post, "", body, alice, {{"Idempotency-Key", "x"}}).body, made.body);
  EXPECT_EQ(count("workouts"), 1);
  const std::string id = workout_view(made).id.to_string();
  EXPECT_EQ(header(made, "ETag"), "\"v1\"");
  const http::Response changed =
      send(http::Verb::patch, id, R"({"distance_m":2000})", alice, {{"If-Match", "\"v1\""}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(workout_view(changed).distance_m, 2000);
  EXPECT_EQ(workout_view(changed).version, 2);
  EXPECT_EQ(send(http::Verb::patch, id, R"({"distance_m":1})", alice, {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_EQ(send(http::Verb::patch, id, R"({"distance_m":-1})", alice).status, 422);
  EXPECT_EQ(workout_view(send(http::Verb::patch, id, "{}", alice)).version, 2);
  EXPECT_EQ(get("/api/v1/workouts/{id}/streams", id, alice).status, 200);
  EXPECT_EQ(get("/api/v1/workouts/{id}/original", id, alice).status, 404);
  EXPECT_EQ(send(http::Verb::del, id, "", alice, {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_EQ(send(http::Verb::del, id, "", alice).status, 204);
  EXPECT_EQ(send(http::Verb::del, id, "", alice).status, 404);
  const auto events = told(*Uuid::parse(id));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].type, "workout.changed");
  EXPECT_EQ(events[2].type, "workout.deleted");
  EXPECT_EQ(events[2].sequence, 3);
  EXPECT_EQ(count("deleted_workouts"), 1);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Workouts, AnotherSportIsComputedAnewFromTheFile) {
  const WorkoutView run = imported({"a.gpx.gz", activity::gzip_for_test(gpx_run())}, {{"name", "Mine"}});
  const http::Response response = send(http::Verb::patch, run.id.to_string(), R"({"sport":"swim"})", alice);
  ASSERT_EQ(response.status, 200) << response.body;
  const WorkoutView swim = workout_view(response);
  EXPECT_EQ(swim.sport, "swim");
  EXPECT_EQ(swim.name, "Mine");
  EXPECT_EQ(swim.distance_m, run.distance_m);
  EXPECT_TRUE(run.elevation_gain_m);
  EXPECT_FALSE(swim.elevation_gain_m);  // A pool has no hills.
  EXPECT_EQ(told(run.id.uuid()).at(1).type, "workout.changed");
  EXPECT_EQ(swim.version, 2);
  EXPECT_EQ(send(http::Verb::patch, run.id.to_string(), R"({"distance_m":5})", alice).status, 422);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Workouts, AForeignOneThatIsNotPublicIsAnsweredAsAbsent) {
  const WorkoutView open = imported({"a.gpx", gpx_run(400, 0)}, {{"visibility", "everyone"}});
  const WorkoutView followers = imported({"b.gpx", gpx_run(400, 20)}, {{"visibility", "followers"}});
  const WorkoutView hidden = imported({"c.gpx", gpx_run(400, 40)}, {{"visibility", "only_me"}});
  const std::string absent = WorkoutId{ids.next()}.to_string();
  for (const std::string_view below :
       {"", "/streams", "/laps", "/splits", "/original", "/export.gpx", "/export.tcx"}) {
    const std::string pattern = "/api/v1/workouts/{id}" + std::string(below);
    const http::Response nothing = get(pattern, absent, bob);
    EXPECT_EQ(nothing.status, 404);
    for (const WorkoutView* workout : {&followers, &hidden}) {
      const http::Response foreign = get(pattern, workout->id.to_string(), bob);
      EXPECT_EQ(foreign.status, nothing.status) << pattern;
      EXPECT_EQ(foreign.body, nothing.body) << pattern;
      EXPECT_EQ(foreign.headers.all(), nothing.headers.all()) << pattern;
      EXPECT_EQ(get(pattern, workout->id.to_string(), alice).status, 200) << pattern;
    }
    EXPECT_EQ(get(pattern, open.id.to_string(), bob).status, below == "/original" ? 404 : 200) << pattern;
    EXPECT_EQ(get(pattern, "no-id", bob).body, nothing.body);
  }
  const http::Response gone = send(http::Verb::patch, absent, R"({"name":"x"})", bob);
  for (const WorkoutView* workout : {&open, &hidden}) {
    EXPECT_EQ(send(http::Verb::patch, workout->id.to_string(), R"({"name":"x"})", bob).body, gone.body);
    EXPECT_EQ(send(http::Verb::del, workout->id.to_string(), "", bob).body, gone.body);
  }
  EXPECT_EQ(count("workouts"), 3);
}

TEST_F(Workouts, ShowTheirSamplesLapsSplitsAndFiles) {
  const std::string file = gpx_run();
  const WorkoutView workout = imported({"../we\"ird\r\nname.gpx", file});
  const std::string id = workout.id.to_string();
  const http::Response low =
      get("/api/v1/workouts/{id}/streams", id, alice, {{"types", "time_s,latlng"}, {"resolution", "low"}});
  EXPECT_THAT(low.body, HasSubstr(R"({"point_count":100,"time_s":[0,)"));
  EXPECT_EQ(get("/api/v1/workouts/{id}/streams", id, alice, {{"types", "colour"}}).status, 422);
  EXPECT_EQ(get("/api/v1/workouts/{id}/streams", id, alice, {{"colour", "red"}}).status, 422);
  EXPECT_THAT(get("/api/v1/workouts/{id}/streams", id, alice, {{"resolution", "full"}}).body,
              HasSubstr(R"("point_count":1300)"));
  const auto splits = json::read<SplitsView>(get("/api/v1/workouts/{id}/splits", id, alice).body).value();
  EXPECT_EQ(splits.km.size(), 4U);
  EXPECT_EQ(splits.mile.size(), 3U);
  EXPECT_EQ(get("/api/v1/workouts/{id}/laps", id, alice).body, R"({"items":[],"next_cursor":null})");
  const http::Response original = get("/api/v1/workouts/{id}/original", id, alice);
  EXPECT_EQ(original.body, file);
  EXPECT_EQ(header(original, "Content-Disposition").find_first_of("\r\n"), std::string::npos);
  EXPECT_THAT(header(original, "Content-Disposition"), HasSubstr("filename=\".._we_ird__name.gpx\""));
  const http::Response gpx = get("/api/v1/workouts/{id}/export.gpx", id, alice);
  EXPECT_THAT(gpx.body, HasSubstr("<trkpt "));
  EXPECT_THAT(get("/api/v1/workouts/{id}/export.tcx", id, alice).body, HasSubstr("<Trackpoint>"));
  // What goes out can come back in.
  const WorkoutView back = imported({"back.gpx", gpx.body}, {}, bob);
  EXPECT_EQ(back.distance_m, workout.distance_m);
  EXPECT_EQ(back.elapsed_s, workout.elapsed_s);
}

TEST_F(Workouts, AreListedByPageAndFilter) {
  for (int i = 0; i < 5; ++i) {
    const std::string sport = i % 2 == 0 ? "run" : "ride";
    const std::string day = std::to_string(10 + i);
    const std::string body = R"({"sport":")" + sport + R"(","start_time":"2026-09-)" + day +
                             R"(T10:00:00Z","elapsed_s":600,"name":"Tour 100%)" + day + "\"}";
    ASSERT_EQ(send(http::Verb::post, "", body, alice).status, 201);
  }
  const auto list = [this](testing::Fields query) {
    const http::Response response = get("/api/v1/workouts", "", alice, std::move(query));
    EXPECT_EQ(response.status, 200) << response.body;
    return json::read<WorkoutsView>(response.body).value();
  };
  const WorkoutsView first = list({{"limit", "2"}});
  EXPECT_EQ(first.items.at(0).local_date, "2026-09-14");
  const WorkoutsView second = list({{"limit", "2"}, {"cursor", *first.next_cursor}});
  EXPECT_EQ(second.items.at(0).local_date, "2026-09-12");
  const WorkoutsView third = list({{"limit", "2"}, {"cursor", *second.next_cursor}});
  EXPECT_EQ(third.items.size(), 1U);
  EXPECT_FALSE(third.next_cursor);
  EXPECT_EQ(list({{"sport", "ride"}}).items.size(), 2U);
  EXPECT_EQ(list({{"from", "2026-09-12"}, {"to", "2026-09-14T00:00:00Z"}}).items.size(), 2U);
  EXPECT_EQ(list({{"q", "tour 100%1"}}).items.size(), 5U);
  EXPECT_EQ(list({{"q", "0%13"}}).items.size(), 1U);
  EXPECT_EQ(list({{"q", "_"}}).items.size(), 0U);
  for (const testing::Fields& bad : std::vector<testing::Fields>{{{"limit", "1000000"}},
                                                                 {{"offset", "-1"}},
                                                                 {{"sport", "chess"}},
                                                                 {{"from", "soon"}},
                                                                 {{"cursor", *first.next_cursor + "x"}}}) {
    EXPECT_EQ(get("/api/v1/workouts", "", alice, bad).status, 422);
  }
  EXPECT_EQ(get("/api/v1/workouts", "", alice, {{"sport", "run"}, {"cursor", *first.next_cursor}}).status,
            422);
}

TEST_F(Workouts, TheAuditFindsWhatIsMissing) {
  const WorkoutView workout = imported({"a.gpx", gpx_run()});
  ASSERT_THAT(findings(), IsEmpty());
  ASSERT_TRUE(blobs->remove(blobs->put(gpx_run()).value()));
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("is missing")));
  ASSERT_TRUE(db->write([&](sql::Tx& tx) { return tx.execute("UPDATE workouts SET version = 3"); }));
  EXPECT_THAT(findings(),
              ElementsAre(HasSubstr("yet its last event tells of version 1"), HasSubstr("is missing")));
}

TEST_F(People, AreErasedAndDoNotComeBack) {
  imported({"a.gpx", gpx_run(400, 0)});
  imported({"b.gpx", gpx_run(400, 30)}, {}, bob);
  const http::Response pending = upload({{"c.gpx", gpx_run(400, 60)}});
  ASSERT_EQ(pending.status, 202);
  const runtime::Job late = claim().jobs.at(0);
  apply(events::encode(events::UserDeleted{.user_id = alice, .version = 2}));
  EXPECT_TRUE(run(late));
  run_jobs();
  EXPECT_EQ(count("workouts"), 1);
  EXPECT_EQ(count("uploads"), 1);
  EXPECT_EQ(count("upload_files"), 1);
  EXPECT_EQ(count("people"), 1);
  EXPECT_EQ(blobs_kept(), 1U);
  tell_of(alice, 3);
  EXPECT_EQ(count("people"), 1);
  EXPECT_EQ(upload({{"d.gpx", gpx_run(400, 90)}}).status, 401);
  run_jobs();
  EXPECT_EQ(blobs_kept(), 1U);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(People, DecideWhoSeesANewWorkout) {
  tell_of(alice, 2, Visibility::only_me);
  tell_of(alice, 1, Visibility::everyone);  // Late, and older.
  EXPECT_EQ(imported({"a.gpx", gpx_run(400, 0)}).visibility, "only_me");
  EXPECT_EQ(imported({"b.gpx", gpx_run(400, 30)}, {{"visibility", "everyone"}}).visibility, "everyone");
}

TEST_F(Uploads, TheWholeServiceImportsByItself) {
  auto told_relay = std::make_shared<std::promise<void>>();
  auto once = std::make_shared<std::once_flag>();
  Ids real_ids(around.clock, random);
  services::ServiceSpec spec = workout_service(
      {.db = *db,
       .blobs = *blobs,
       .loops = loops,
       .cursors = cursors,
       .figures = around.figures,
       .metrics = metrics,
       .wake_relay = [told_relay, once] { std::call_once(*once, [&] { told_relay->set_value(); }); },
       .clock = around.clock,
       .ids = real_ids,
       .random = random,
       .logger = around.logger},
      WorkoutConfig{});
  routes = spec.routes;
  for (const services::Background& part : spec.background) part.start();
  const http::Response response = upload({{"run.gpx", gpx_run()}});
  ASSERT_EQ(response.status, 202);
  told_relay->get_future().wait();
  const UploadView view = upload_now(upload_view(response).id);
  for (const services::Background& part : spec.background) part.stop();
  EXPECT_EQ(view.status, UploadStatus::ready);
  EXPECT_EQ(view.files.at(0).workout_ids.size(), 1U);
  EXPECT_THAT(metrics.serialize(), HasSubstr("ekiden_workout_files_total{outcome=\"ready\"} 1"));
}

TEST_F(Uploads, EverySettingHasBoundsAndItsFallback) {
  ConfigSchema schema;
  schema.add(options());
  const WorkoutConfig config = read_config(schema.load("").value());
  EXPECT_EQ(config.upload_bytes_max, std::int64_t{128} << 20U);
  EXPECT_FALSE(schema.load("[workout]\nupload_files_max = 1001\n"));
}

}  // namespace
}  // namespace ekiden::workout
