#pragma once

// The service on real stores: mileage follows workouts, edits need the version that they saw, and whatever
// happens the equations hold.
#include <gmock/gmock.h>

#include "services/inventory/testing/world.hpp"

namespace ekiden::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::header;
using ::testing::IsEmpty;
using testing::kBike;
using testing::kChain;
using testing::kMounting;
using testing::kOne;
using testing::kPhoto;
using testing::kShoes;

using Editing = testing::World;
using Mileage = testing::World;
using Mountings = testing::World;
using Wear = testing::World;

TEST_F(Editing, NeedsTheVersionThatItSaw) {
  const GearId shoes = enter(kShoes);
  const http::Response shown = get(kOne, {{"id", shoes.to_string()}});
  EXPECT_EQ(header(shown, "ETag"), "\"v1\"");
  EXPECT_EQ(patch(shoes, R"({"name":"Green"})", {}).status, 428);
  const http::Response changed = patch(shoes, R"({"name":"Green"})", {{"If-Match", "\"v1\""}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(header(changed, "ETag"), "\"v2\"");
  EXPECT_EQ(patch(shoes, R"({"name":"Black"})", {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_EQ(now(shoes).name, "Green");
  EXPECT_EQ(send(http::Verb::del, kOne, {{"id", shoes.to_string()}}).status, 428);
  EXPECT_EQ(send(http::Verb::del, kOne, {{"id", shoes.to_string()}}, "", {{"If-Match", "\"v1\""}}).status,
            412);
  EXPECT_EQ(send(http::Verb::del, kOne, {{"id", shoes.to_string()}}, "", {{"If-Match", "\"v2\""}}).status,
            204);
  EXPECT_EQ(get(kOne, {{"id", shoes.to_string()}}).status, 404);
}

TEST_F(Editing, AWorkoutMakesAnEditLateAndNoneIsLost) {
  const GearId shoes = enter(kShoes);
  tell({recorded(workout("run", 10'000, {shoes}))});
  EXPECT_EQ(patch(shoes, R"({"name":"Late"})", {{"If-Match", "\"v1\""}}).status, 412);
  const GearView view = edit(shoes, R"({"name":"In time"})");
  EXPECT_EQ(view.distance_m, 10'000);
  EXPECT_EQ(view.version, 3);
}

TEST_F(Editing, SomebodyElsesIsAnsweredAsAnAbsentOne) {
  const GearId shoes = enter(kShoes);
  const GearId bike = enter(kBike, bob);
  const testing::Fields path = {{"id", shoes.to_string()}};
  EXPECT_EQ(get(kOne, path, {}, bob).status, 404);
  EXPECT_EQ(get("/api/v1/gear/{id}/months", path, {}, bob).status, 404);
  EXPECT_EQ(get("/api/v1/gear/{id}/mountings", path, {}, bob).status, 404);
  EXPECT_EQ(get(kPhoto, path, {}, bob).status, 404);
  EXPECT_EQ(patch(shoes, R"({"name":"mine"})", {{"If-Match", "\"v1\""}}, bob).status, 404);
  EXPECT_EQ(send(http::Verb::del, kOne, path, "", {{"If-Match", "\"v1\""}}, bob).status, 404);
  const GearId chain = enter(kChain);
  const http::Response mounted =
      send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", chain.to_string()}},
           R"({"bike_id":")" + bike.to_string() + R"(","mounted_at":"2026-11-01T00:00:00Z"})");
  EXPECT_EQ(mounted.status, 422);
  EXPECT_THAT(mounted.body, HasSubstr(R"("field":"bike_id")"));
  EXPECT_THAT(set_defaults(R"({"ride":[")" + bike.to_string() + R"("]})", 0).body, HasSubstr("unknown-gear"));
}

TEST_F(Editing, ARepeatedRequestMakesOne) {
  const testing::Fields key = {{"Idempotency-Key", "abc"}};
  const http::Response first = send(http::Verb::post, "/api/v1/gear", {}, kShoes, key);
  const http::Response again = send(http::Verb::post, "/api/v1/gear", {}, kShoes, key);
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(count("gear"), 1);
  EXPECT_EQ(send(http::Verb::post, "/api/v1/gear", {}, kBike, key).status, 422);
}

TEST_F(Editing, OnePersonHasSoMuchAndNoMore) {
  set_up({.gear_max = 2, .mountings_max = 1});
  const GearId bike = enter(kBike);
  const GearId chain = enter(kChain);
  const http::Response third = send(http::Verb::post, "/api/v1/gear", {}, kShoes);
  EXPECT_EQ(third.status, 409);
  EXPECT_THAT(third.body, HasSubstr("too-much-gear"));
  mount(chain, bike, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
  const http::Response second =
      send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", chain.to_string()}},
           R"({"bike_id":")" + bike.to_string() + R"(","mounted_at":"2026-11-03T00:00:00Z"})");
  EXPECT_THAT(second.body, HasSubstr("too-many-mountings"));
  EXPECT_EQ(send(http::Verb::post, "/api/v1/gear", {}, kShoes, {}, bob).status, 201);
}

TEST_F(Editing, ListsPageByPageAndByKind) {
  std::vector<GearId> all;
  for (int i = 0; i < 5; ++i) {
    clock.advance(std::chrono::seconds{1});
    all.push_back(enter(i == 2 ? kBike : kShoes));
  }
  edit(all[0], R"({"retired_on":"2026-11-22"})");
  std::vector<GearId> seen;
  testing::Fields query = {{"limit", "2"}};
  for (;;) {
    const auto page = read<GearListView>(get("/api/v1/gear", {}, query));
    for (const GearView& item : page.items) seen.push_back(item.id);
    if (!page.next_cursor) break;
    query = {{"limit", "2"}, {"cursor", *page.next_cursor}};
  }
  EXPECT_EQ(seen, std::vector(all.rbegin(), all.rend()));
  EXPECT_EQ(get("/api/v1/gear", {}, query, bob).status, 422) << "a cursor of somebody else's list";
  EXPECT_EQ(read<GearListView>(get("/api/v1/gear", {}, {{"kind", "bike"}})).items.size(), 1U);
  EXPECT_EQ(read<GearListView>(get("/api/v1/gear", {}, {{"retired", "true"}})).items.at(0).id, all[0]);
  EXPECT_EQ(read<GearListView>(get("/api/v1/gear", {}, {{"retired", "false"}})).items.size(), 4U);
  EXPECT_EQ(get("/api/v1/gear", {}, {{"kind", "boots"}}).status, 422);
}

TEST_F(Mileage, FollowsRecordedChangedAndDeletedWorkouts) {
  const GearId blue = enter(kShoes);
  const GearId green = enter(kShoes);
  auto run = workout("run", 10'000, {blue});
  tell({recorded(run)});
  EXPECT_EQ(now(blue).distance_m, 10'000);
  EXPECT_EQ(now(blue).moving_s, 3'000);
  EXPECT_EQ(now(blue).workout_count, 1);
  run.gear_ids = {green.uuid()};
  tell({changed(run)});
  EXPECT_EQ(now(blue).distance_m, 0);
  EXPECT_EQ(now(blue).workout_count, 0);
  EXPECT_EQ(now(green).distance_m, 10'000);
  run.gear_ids = {blue.uuid(), green.uuid()};
  run.distance_m = 11'000;
  tell({changed(run)});
  EXPECT_EQ(now(blue).distance_m, 11'000);
  EXPECT_EQ(now(green).distance_m, 11'000);
  tell({deleted(run)});
  EXPECT_EQ(now(blue).distance_m, 0);
  EXPECT_EQ(now(green).workout_count, 0);
  EXPECT_EQ(count("workouts"), 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mileage, ManyEventsOfOneTransactionAreOneUpdate) {
  const GearId shoes = enter(kShoes);
  std::vector<delivery::Envelope> events;
  for (int i = 0; i < 40; ++i) events.push_back(recorded(workout("run", 1'000 + i, {shoes})));
  auto moved = workout("run", 5'000, {shoes});
  events.push_back(recorded(moved));
  moved.gear_ids.clear();
  events.push_back(changed(moved));
  tell(events);
  EXPECT_EQ(now(shoes).distance_m, 40 * 1'000 + 39 * 40 / 2);
  EXPECT_EQ(now(shoes).version, 2);
  EXPECT_THAT(metrics.serialize(), HasSubstr("ekiden_gear_updates_total 1"));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mileage, WhatChangesNoSumChangesNoVersion) {
  const GearId shoes = enter(kShoes);
  auto run = workout("run", 10'000, {shoes});
  tell({recorded(run)});
  run.name = "another name";
  tell({changed(run)});
  EXPECT_EQ(now(shoes).version, 2);
}

TEST_F(Mileage, ForeignAndUnknownGearGetsNothing) {
  const GearId foreign = enter(kShoes, bob);
  const GearId own = enter(kShoes);
  tell({recorded(workout("run", 10'000, {foreign, ids.make<GearId>(), own}))});
  EXPECT_EQ(now(foreign, bob).distance_m, 0);
  EXPECT_EQ(now(own).distance_m, 10'000);
  EXPECT_EQ(count("ledger"), 1);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mileage, DefaultsCountFromWhenTheyAreSet) {
  const GearId blue = enter(kShoes);
  const GearId green = enter(kShoes);
  const GearId belt = enter(R"({"kind":"other","name":"Belt"})");
  auto before = workout("run", 1'000);
  tell({recorded(before)});
  ASSERT_EQ(
      set_defaults(R"({"run":[")" + blue.to_string() + R"(",")" + belt.to_string() + R"("]})", 0).status,
      200);
  auto first = workout("run", 10'000);
  auto ride = workout("ride", 50'000);
  tell({recorded(first), recorded(ride)});
  EXPECT_EQ(now(blue).distance_m, 10'000);
  EXPECT_EQ(now(belt).distance_m, 10'000);
  ASSERT_EQ(set_defaults(R"({"run":[")" + green.to_string() + R"("]})", 1).status, 200);
  before.name = first.name = "renamed";
  tell({changed(before), changed(first)});
  EXPECT_EQ(now(blue).distance_m, 10'000) << "an edit of something else decides nothing anew";
  EXPECT_EQ(now(green).distance_m, 0);
  ride.sport = "run";
  tell({changed(ride)});
  EXPECT_EQ(now(green).distance_m, 50'000) << "another sport does";
  first.gear_ids = {green.uuid()};
  tell({changed(first)});
  EXPECT_EQ(now(blue).distance_m, 0);
  first.gear_ids.clear();
  tell({changed(first), deleted(ride)});
  EXPECT_EQ(now(green).distance_m, 10'000);
  EXPECT_EQ(now(belt).distance_m, 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mileage, RetiredGearIsNoDefaultAndCountsWhereItIsNamed) {
  const GearId shoes = enter(kShoes);
  ASSERT_EQ(set_defaults(R"({"run":[")" + shoes.to_string() + R"("]})", 0).status, 200);
  edit(shoes, R"({"retired_on":"2026-11-22"})");
  const auto left = read<DefaultsView>(get("/api/v1/gear/defaults"));
  EXPECT_THAT(left.sports, IsEmpty());
  EXPECT_EQ(left.version, 2);
  const http::Response refused = set_defaults(R"({"run":[")" + shoes.to_string() + R"("]})", 2);
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("retired-gear"));
  EXPECT_EQ(set_defaults("{}", 1).status, 412);
  tell({recorded(workout("run", 1'000)), recorded(workout("run", 2'000, {shoes}))});
  EXPECT_EQ(now(shoes).distance_m, 2'000);
}

TEST_F(Mileage, StartingMileageIsShownAndNotSummed) {
  const GearId shoes = enter(R"({"kind":"shoes","name":"Old","start_distance_m":200000,"start_moving_s":3600,
    "price_minor":12000,"currency":"EUR"})");
  tell({recorded(workout("run", 10'000, {shoes}))});
  const GearView view = now(shoes);
  EXPECT_EQ(view.distance_m, 210'000);
  EXPECT_EQ(view.moving_s, 3'600 + 3'000);
  EXPECT_EQ(view.workout_count, 1);
  EXPECT_NEAR(view.cost_per_km_minor.value_or(0), 12'000 / 210.0, 1e-9);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mileage, MonthsAreTheLocalOnesTheLatestFirst) {
  const GearId shoes = enter(kShoes);
  auto late = workout("run", 1'000, {shoes}, "2026-10-31T23:30:00Z");
  late.local_date = "2026-11-01";
  tell({recorded(late), recorded(workout("run", 2'000, {shoes}, "2026-11-05T06:00:00Z")),
        recorded(workout("run", 4'000, {shoes}, "2026-09-05T06:00:00Z"))});
  const testing::Fields path = {{"id", shoes.to_string()}};
  const auto first = read<MonthsView>(get("/api/v1/gear/{id}/months", path, {{"limit", "1"}}));
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(first.items[0].month, "2026-11");
  EXPECT_EQ(first.items[0].distance_m, 3'000);
  EXPECT_EQ(first.items[0].workout_count, 2);
  const auto second =
      read<MonthsView>(get("/api/v1/gear/{id}/months", path, {{"cursor", first.next_cursor.value()}}));
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].month, "2026-09");
  EXPECT_FALSE(second.next_cursor);
}

TEST_F(Mountings, APartHasWhatItsBikesDidMeanwhile) {
  const GearId red = enter(kBike);
  const GearId black = enter(kBike);
  const GearId chain = enter(kChain);
  tell({recorded(workout("ride", 10'000, {red}, "2026-11-02T08:00:00Z")),
        recorded(workout("ride", 20'000, {red}, "2026-11-05T08:00:00Z")),
        recorded(workout("ride", 40'000, {black}, "2026-11-08T08:00:00Z"))});
  EXPECT_EQ(now(chain).distance_m, 0);
  const MountingView first = mount(chain, red, "2026-11-01T00:00:00Z", "2026-11-05T08:00:00Z");
  EXPECT_EQ(now(chain).distance_m, 10'000) << "entered later; the end is not part of it";
  mount(chain, black, "2026-11-05T08:00:00Z");
  EXPECT_EQ(now(chain).distance_m, 50'000);
  auto later = workout("ride", 5'000, {black}, "2026-11-20T08:00:00Z");
  tell({recorded(later)});
  EXPECT_EQ(now(chain).distance_m, 55'000);
  later.gear_ids = {red.uuid()};
  tell({changed(later)});
  EXPECT_EQ(now(chain).distance_m, 50'000) << "the other bike, which it was not on";
  EXPECT_EQ(now(chain).workout_count, 2);
  const testing::Fields path = {{"id", chain.to_string()}, {"mounting_id", first.id.to_string()}};
  const std::string longer = R"({"mounted_at":"2026-11-03T00:00:00Z"})";
  EXPECT_EQ(send(http::Verb::patch, kMounting, path, longer).status, 428);
  EXPECT_EQ(send(http::Verb::patch, kMounting, path, longer, {{"If-Match", "\"v1\""}}).status, 200);
  EXPECT_EQ(now(chain).distance_m, 40'000);
  EXPECT_EQ(send(http::Verb::del, kMounting, path, "", {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_EQ(send(http::Verb::del, kMounting, path, "", {{"If-Match", "\"v2\""}}).status, 204);
  EXPECT_EQ(get(kMounting, path).status, 404);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Mountings, OfOnePartDoNotOverlap) {
  const GearId bike = enter(kBike);
  const GearId chain = enter(kChain);
  mount(chain, bike, "2026-11-05T00:00:00Z", "2026-11-10T00:00:00Z");
  const auto attempt = [&](std::string_view from, std::string_view to) {
    std::string json = R"({"bike_id":")" + bike.to_string() + R"(","mounted_at":")" + std::string(from) + '"';
    if (!to.empty()) json += R"(,"unmounted_at":")" + std::string(to) + '"';
    return send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", chain.to_string()}}, json + "}")
        .status;
  };
  EXPECT_EQ(attempt("2026-11-01T00:00:00Z", ""), 409);
  EXPECT_EQ(attempt("2026-11-09T23:59:59Z", "2026-11-12T00:00:00Z"), 409);
  EXPECT_EQ(attempt("2026-11-06T00:00:00Z", "2026-11-07T00:00:00Z"), 409);
  EXPECT_EQ(attempt("2026-11-01T00:00:00Z", "2026-11-05T00:00:00Z"), 201);
  EXPECT_EQ(attempt("2026-11-10T00:00:00Z", ""), 201);
  const auto list = read<MountingsView>(get("/api/v1/gear/{id}/mountings", {{"id", chain.to_string()}}));
  ASSERT_EQ(list.items.size(), 3U);
  EXPECT_FALSE(list.items[0].unmounted_at);
  EXPECT_EQ(read<MountingsView>(get("/api/v1/gear/{id}/mountings", {{"id", bike.to_string()}})).items.size(),
            3U);
}

TEST_F(Mountings, AreOfPartsOnBikes) {
  const GearId bike = enter(kBike);
  const GearId shoes = enter(kShoes);
  const GearId chain = enter(kChain);
  const auto attempt = [&](GearId part, GearId on) {
    return send(http::Verb::post, "/api/v1/gear/{id}/mountings", {{"id", part.to_string()}},
                R"({"bike_id":")" + on.to_string() + R"(","mounted_at":"2026-11-01T00:00:00Z"})")
        .body;
  };
  EXPECT_THAT(attempt(shoes, bike), HasSubstr("not-a-part"));
  EXPECT_THAT(attempt(chain, shoes), HasSubstr("not-a-bike"));
  EXPECT_THAT(attempt(chain, chain), HasSubstr("not-a-bike"));
}

TEST_F(Mountings, KeepTheirBikeUntilTheyAreRemoved) {
  const GearId bike = enter(kBike);
  const GearId chain = enter(kChain);
  mount(chain, bike, "2026-11-01T00:00:00Z");
  tell({recorded(workout("ride", 10'000, {bike}))});
  const auto remove = [this](GearId gear_id) {
    return send(http::Verb::del, kOne, {{"id", gear_id.to_string()}}, "",
                {{"If-Match", http::etag_of_version(now(gear_id).version)}})
        .status;
  };
  EXPECT_EQ(remove(bike), 409);
  EXPECT_EQ(remove(chain), 204);
  EXPECT_EQ(count("mountings"), 0);
  EXPECT_EQ(remove(bike), 204);
  EXPECT_EQ(count("ledger"), 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Wear, IsToldOnceForEachShare) {
  const GearId shoes = enter(R"({"kind":"shoes","name":"Blue","life_distance_m":100000})");
  auto run = workout("run", 79'999, {shoes});
  tell({recorded(run)});
  EXPECT_THAT(told(shoes), IsEmpty());
  tell({recorded(workout("run", 1, {shoes}))});
  EXPECT_THAT(told(shoes), ElementsAre(80));
  tell({deleted(run)});
  tell({recorded(workout("run", 90'000, {shoes}))});
  EXPECT_THAT(told(shoes), ElementsAre(80)) << "taken back and reached again";
  edit(shoes, R"({"name":"Green"})");
  EXPECT_THAT(told(shoes), ElementsAre(80));
  edit(shoes, R"({"life_distance_m":200000})");
  tell({recorded(workout("run", 70'000, {shoes}))});
  EXPECT_THAT(told(shoes), ElementsAre(80, 80)) << "another limit";
  edit(shoes, R"({"life_distance_m":150000})");
  EXPECT_THAT(told(shoes), ElementsAre(80, 80, 100));
}

TEST_F(Wear, OfAPartComesWithItsMounting) {
  const GearId bike = enter(kBike);
  const GearId chain = enter(R"({"kind":"part","name":"KMC","life_distance_m":20000,"alert_percents":[50]})");
  tell({recorded(workout("ride", 10'000, {bike}))});
  mount(chain, bike, "2026-11-01T00:00:00Z");
  EXPECT_THAT(told(chain), ElementsAre(50));
}

TEST_F(Wear, WhatIsDueIsSortedAndPaged) {
  const GearId half = enter(R"({"kind":"shoes","name":"Half","life_distance_m":20000})");
  const GearId most = enter(R"({"kind":"shoes","name":"Most","life_moving_s":4000})");
  enter(kShoes);
  const GearId old = enter(R"({"kind":"shoes","name":"Old","life_distance_m":1,"start_distance_m":5})");
  edit(old, R"({"retired_on":"2026-11-22"})");
  tell({recorded(workout("run", 10'000, {half, most}))});
  const auto first = read<DueListView>(get("/api/v1/gear/due", {}, {{"limit", "1"}}));
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(first.items[0].id, most);
  EXPECT_DOUBLE_EQ(first.items[0].share_used, 0.75);
  EXPECT_FALSE(first.items[0].due);
  EXPECT_EQ(first.items[0].moving_left_s, 1'000);
  const auto second = read<DueListView>(get("/api/v1/gear/due", {}, {{"cursor", first.next_cursor.value()}}));
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].id, half);
  EXPECT_EQ(second.items[0].distance_left_m, 10'000);
  EXPECT_FALSE(second.next_cursor);
}

}  // namespace
}  // namespace ekiden::inventory
