#pragma once

// What is kept and what goes: photos, everything of a person who leaves, and the equations after any history.
#include <atomic>
#include <map>
#include <thread>

#include <gmock/gmock.h>

#include "services/inventory/testing/world.hpp"

namespace ekiden::inventory {
namespace {

using ::testing::HasSubstr;
using testing::header;
using ::testing::IsEmpty;
using testing::kBike;
using testing::kChain;
using testing::kPhoto;
using testing::kShoes;

using Photos = testing::World;
using People = testing::World;
using Audits = testing::World;
using Races = testing::World;

http::Request photo_request(testing::World& world, GearId gear_id, const std::string& content) {
  http::Request request;
  request.params = {{"id", gear_id.to_string()}};
  const auto path = world.folder.path() / ("spool-" + world.ids.next().to_string());
  std::ofstream(path, std::ios::binary) << content;
  request.form.emplace().files.emplace_back(path, "file", "../../x.png", "text/html", 0);
  request.form->files.back().set_content(static_cast<std::int64_t>(content.size()), std::string(32, 'h'));
  return request;
}

const std::string kPng = std::string("\x89PNG\r\n\x1a\n") + std::string(3000, 'p');

std::string bytes_of(http::Response response) {
  std::string bytes;
  for (bool more = response.stream.has_value(); more;) more = (*response.stream)(bytes).value();
  return bytes;
}

TEST_F(Photos, AreKeptOneForEachPieceAndGoWithIt) {
  const GearId blue = enter(kShoes);
  const GearId green = enter(kShoes);
  const auto put = [this](GearId gear_id, const std::string& content) {
    return call(http::Verb::put, kPhoto, photo_request(*this, gear_id, content), ann);
  };
  EXPECT_EQ(get(kPhoto, {{"id", blue.to_string()}}).status, 404);
  ASSERT_EQ(put(blue, kPng).status, 200);
  ASSERT_EQ(put(green, kPng).status, 200);
  EXPECT_EQ(blobs_kept(), 2U);
  EXPECT_EQ(now(blue).photo_type, "image/png");
  http::Response shown = get(kPhoto, {{"id", blue.to_string()}});
  EXPECT_EQ(header(shown, "Content-Type"), "image/png");
  EXPECT_EQ(header(shown, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(bytes_of(std::move(shown)), kPng);
  ASSERT_EQ(put(blue, "\xff\xd8\xff and so on").status, 200);
  run_jobs();
  EXPECT_EQ(blobs_kept(), 2U) << "the old one has gone";
  EXPECT_EQ(send(http::Verb::del, kPhoto, {{"id", green.to_string()}}).status, 204);
  clock.advance(std::chrono::hours{1});
  run_jobs();
  EXPECT_EQ(blobs_kept(), 1U) << "what is attached outlives the order to look at it";
  EXPECT_EQ(bytes_of(get(kPhoto, {{"id", blue.to_string()}})), "\xff\xd8\xff and so on");
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Photos, WhatIsNoImageOrTooLargeLeavesNothing) {
  set_up({.photo_bytes_max = 2'000});
  const GearId shoes = enter(kShoes);
  EXPECT_EQ(call(http::Verb::put, kPhoto, photo_request(*this, shoes, kPng), ann).status, 413);
  EXPECT_EQ(call(http::Verb::put, kPhoto, photo_request(*this, shoes, "<html>"), ann).status, 415);
  EXPECT_EQ(call(http::Verb::put, kPhoto, photo_request(*this, shoes, ""), ann).status, 422);
  EXPECT_EQ(call(http::Verb::put, kPhoto, photo_request(*this, shoes, kPng), bob).status, 404);
  EXPECT_EQ(now(shoes).version, 1);
  EXPECT_EQ(count("jobs"), 0);
}

TEST_F(People, WhoLeaveTakeEverythingWithThem) {
  const GearId bike = enter(R"({"kind":"bike","name":"Red","life_distance_m":1})");
  const GearId chain = enter(kChain);
  const GearId theirs = enter(kShoes, bob);
  mount(chain, bike, "2026-11-01T00:00:00Z");
  ASSERT_EQ(set_defaults(R"({"ride":[")" + bike.to_string() + R"("]})", 0).status, 200);
  ASSERT_EQ(call(http::Verb::put, kPhoto, photo_request(*this, bike, kPng), ann).status, 200);
  auto ride = workout("ride", 10'000);
  tell({recorded(ride), recorded(workout("run", 3'000, {theirs}, "2026-11-20T06:30:00Z", bob))});
  erase(ann);
  run_jobs();
  EXPECT_EQ(blobs_kept(), 0U);
  EXPECT_EQ(count("gear"), 1);
  EXPECT_EQ(count("ledger"), 1);
  for (const char* const table : {"mountings", "default_gear", "default_sets"})
    EXPECT_EQ(count(table), 0) << table;
  tell({changed(ride), recorded(workout("ride", 1'000))});
  EXPECT_EQ(count("workouts"), 1) << "nothing comes back";
  EXPECT_EQ(send(http::Verb::post, "/api/v1/gear", {}, kShoes).status, 401);
  EXPECT_EQ(now(theirs, bob).distance_m, 3'000);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Races, LoseNoUpdateAndCountEach) {
  constexpr int kThreads = 4;
  constexpr int kUpdates = 25;
  const GearId shoes = enter(kShoes);
  std::atomic<int> refused = 0;
  const auto run = [&] {
    for (int i = 0; i < kUpdates; ++i) {
      const auto outcome = db->write([&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(std::optional<Gear> gear, find_gear(tx, shoes));
        gear->use += {.distance_m = 1'000, .moving_ms = 300'000, .workouts = 1};
        return settler.write_use(tx, *gear, "");
      });
      if (!outcome) ++refused;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(run);
  }
  EXPECT_EQ(refused, 0);
  const GearView view = now(shoes);
  EXPECT_EQ(view.workout_count, kThreads * kUpdates);
  EXPECT_EQ(view.distance_m, kThreads * kUpdates * 1'000);
  EXPECT_EQ(view.version, 1 + kThreads * kUpdates);
  EXPECT_THAT(metrics.serialize(), HasSubstr("ekiden_gear_updates_total 100"));
}

/// Living workouts, as the workout service would list them.
using Living = std::map<WorkoutId, events::WorkoutState>;

std::vector<std::string> compare(testing::World& world, const Living& living) {
  auto at = living.begin();
  return ledger_equals_workouts(*world.db,
                                [&]() -> Result<std::optional<Workout>> {
                                  if (at == living.end()) return std::optional<Workout>{};
                                  EKIDEN_TRY(Workout next, counted((at++)->second));
                                  return std::optional{std::move(next)};
                                })
      .value();
}

struct Owned {
  std::vector<GearId> bikes;
  std::vector<GearId> parts;
  std::vector<GearId> all;
};

/// One step of a history: some events in one transaction, or a mounting.
void random_step(testing::World& world, const Owned& owned, Living& living) {
  const auto draw = [&](const auto& from) { return from[world.random.below(from.size())]; };
  std::vector<delivery::Envelope> events;
  for (std::uint64_t i = 0; i <= world.random.below(6); ++i) {
    const std::uint64_t what = world.random.below(10);
    if (what < 6 || living.empty()) {
      const auto start = to_rfc3339(*parse_rfc3339("2026-11-01T00:00:00Z") +
                                    std::chrono::minutes{world.random.below(20 * 24 * 60)});
      auto made =
          world.workout(draw(kSports), static_cast<std::int64_t>(world.random.below(50'000)), {}, start);
      if (world.random.below(3) > 0) made.gear_ids = {draw(owned.all).uuid(), draw(owned.all).uuid()};
      events.push_back(testing::World::recorded(made));
      living[made.workout_id] = made;
      continue;
    }
    const auto chosen =
        std::next(living.begin(), static_cast<std::ptrdiff_t>(world.random.below(living.size())));
    if (what == 6) {
      events.push_back(testing::World::deleted(chosen->second));
      living.erase(chosen);
      continue;
    }
    chosen->second.distance_m += 17;
    chosen->second.gear_ids.clear();
    if (what > 7) chosen->second.gear_ids = {draw(owned.bikes).uuid()};
    events.push_back(testing::World::changed(chosen->second));
  }
  world.tell(events);
  if (world.random.below(4) > 0) return;
  const Timestamp from = *parse_rfc3339("2026-11-01T00:00:00Z") + std::chrono::hours{world.random.below(400)};
  // Half of them overlap with others and are refused.
  world.send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", draw(owned.parts).to_string()}},
             R"({"bike_id":")" + draw(owned.bikes).to_string() + R"(","mounted_at":")" + to_rfc3339(from) +
                 R"(","unmounted_at":")" + to_rfc3339(from + std::chrono::hours{40}) + R"("})");
}

TEST_F(Audits, HoldAfterAnyHistory) {
  Owned owned;
  for (int i = 0; i < 3; ++i) {
    owned.bikes.push_back(enter(kBike));
    owned.parts.push_back(enter(kChain));
    owned.all.push_back(enter(kShoes));
  }
  owned.all.insert(owned.all.end(), owned.bikes.begin(), owned.bikes.end());
  owned.all.insert(owned.all.end(), owned.parts.begin(), owned.parts.end());
  ASSERT_EQ(set_defaults(R"({"run":[")" + owned.all[0].to_string() + R"("],"ride":[")" +
                             owned.bikes[0].to_string() + R"("]})",
                         0)
                .status,
            200);
  Living living;
  for (int step = 0; step < 40; ++step) random_step(*this, owned, living);
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_THAT(compare(*this, living), IsEmpty());
  std::int64_t named = 0;
  for (const auto& [id, state] : living) {
    for (const Uuid& uuid : state.gear_ids) named += uuid == owned.all[0].uuid() ? state.distance_m : 0;
    if (state.gear_ids.empty() && state.sport == "run") named += state.distance_m;
    if (state.gear_ids.size() == 2 && state.gear_ids[0] == state.gear_ids[1] &&
        state.gear_ids[0] == owned.all[0].uuid())
      named -= state.distance_m;
  }
  EXPECT_EQ(now(owned.all[0]).distance_m, named);
}

TEST_F(Audits, FindWhatIsWrongAndPutItRight) {
  const GearId bike = enter(kBike);
  const GearId chain = enter(kChain);
  mount(chain, bike, "2026-11-01T00:00:00Z");
  const auto ride = workout("ride", 10'000, {bike});
  tell({recorded(ride)});
  const auto spoil = [this](std::string_view statement) {
    ASSERT_TRUE(db->write([&](sql::Tx& tx) { return tx.execute(statement); }));
  };
  spoil("UPDATE gear SET distance_m = distance_m + 1 WHERE kind = 'bike'");
  EXPECT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings(true).size(), 1U);
  EXPECT_THAT(findings(), IsEmpty());
  spoil("DELETE FROM ledger WHERE reason = 'mounted'");
  EXPECT_EQ(findings().size(), 2U) << "the sum, and the mounting";
  findings(true);
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_EQ(now(chain).distance_m, 10'000);
  EXPECT_EQ(compare(*this, {}).size(), 1U) << "a workout that is gone";
  auto other = ride;
  other.distance_m = 9'999;
  EXPECT_EQ(compare(*this, {{ride.workout_id, other}}).size(), 1U);
  EXPECT_THAT(compare(*this, {{ride.workout_id, ride}}), IsEmpty());
}

}  // namespace
}  // namespace ekiden::inventory
