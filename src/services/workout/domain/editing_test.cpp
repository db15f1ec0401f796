// Workouts that are entered by hand: what is taken, what is refused, and which field is named.
#include "services/workout/domain/editing.hpp"

#include <gtest/gtest.h>

#include "json/json.hpp"

namespace ekiden::workout {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-22T12:00:00Z");
const Person kPerson{.time_zone = "Europe/Berlin", .visibility = Visibility::followers};

Result<Workout> make(std::string_view body) {
  EKIDEN_TRY(const CreateBody read, json::read<CreateBody>(body));
  return make_manual(read, kPerson, kNow);
}
Result<Edited> change(const Workout& workout, std::string_view body) {
  EKIDEN_TRY(const ChangeBody read, json::read<ChangeBody>(body));
  return apply_change(workout, read, kPerson, kNow);
}

std::string run_with(std::string_view more) {
  return R"({"sport":"run","start_time":"2026-11-22T06:30:00Z","elapsed_s":3600)" + std::string(more) + "}";
}

TEST(Editing, AnHourByHandHasAllItsFigures) {
  const auto workout = make(run_with(R"(,"distance_m":10000.4,"moving_s":3000,"elevation_gain_m":42)"));
  ASSERT_TRUE(workout) << workout.error().text();
  EXPECT_EQ(workout->name, "Morning run");
  EXPECT_EQ(workout->distance_m, 10000);
  EXPECT_EQ(workout->elapsed_ms, 3'600'000);
  EXPECT_EQ(workout->moving_ms, 3'000'000);
  EXPECT_NEAR(workout->average_speed_mps.value(), 10'000.4 / 3000, 1e-9);
  EXPECT_EQ(workout->local_date, "2026-11-22");
  EXPECT_EQ(workout->utc_offset_s, 3600);
  EXPECT_EQ(workout->time_zone, "Europe/Berlin");
  EXPECT_EQ(workout->visibility, Visibility::followers);
  EXPECT_EQ(workout->source, "manual");
  EXPECT_FALSE(workout->unranked_reason);
}

TEST(Editing, WhatNobodyCanRunIsKeptAndNotRanked) {
  const auto workout = make(run_with(R"(,"distance_m":42195)"));
  ASSERT_TRUE(workout);
  EXPECT_EQ(workout->unranked_reason, "too-fast");
}

TEST(Editing, HostileNumbersAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {R"(,"distance_m":-1)", "distance_m"},
      {R"(,"distance_m":1e18)", "distance_m"},
      {R"(,"elevation_gain_m":-0.1)", "elevation_gain_m"},
      {R"(,"moving_s":3601)", "moving_s"},
      {R"(,"calories_kcal":1e9)", "calories_kcal"},
      {R"(,"average_heart_rate_bpm":0)", "average_heart_rate_bpm"},
      {R"(,"distance_m":"far")", "distance_m"},
      {R"(,"speed":3)", "speed"},
      {R"(,"visibility":"nobody")", "visibility"},
      {R"(,"time_zone":"Mars/Olympus")", "time_zone"},
      {R"(,"gear_ids":["x"])", "gear_ids[0]"},
      {R"(,"name":"a\u0000b")", "name"}};
  for (const auto& [text, field] : hostile) {
    const auto workout = make(run_with(text));
    ASSERT_FALSE(workout) << text;
    EXPECT_EQ(workout.error().code(), Errc::invalid) << text;
    EXPECT_EQ(workout.error().field(), field) << text;
  }
  EXPECT_EQ(make(R"({"sport":"run","start_time":"2026-11-22T06:30:00Z","elapsed_s":-5})").error().field(),
            "elapsed_s");
  EXPECT_EQ(make(R"({"sport":"run","start_time":"1970-01-01T00:00:00Z","elapsed_s":5})").error().field(),
            "start_time");
  EXPECT_EQ(make(R"({"sport":"run","start_time":"2026-11-24T06:30:00Z","elapsed_s":5})").error().field(),
            "start_time");
  EXPECT_EQ(make(R"({"sport":"chess","start_time":"2026-11-22T06:30:00Z","elapsed_s":5})").error().field(),
            "sport");
  EXPECT_EQ(make(run_with(R"(,"distance_m":NaN)")).error().code(), Errc::malformed);
  EXPECT_EQ(make(run_with(R"(,"distance_m":1e999)")).error().code(), Errc::malformed);
}

TEST(Editing, AnEditChangesWhatItNamesAndNothingElse) {
  const Workout workout = make(run_with(R"(,"distance_m":10000,"name":"Race")")).value();
  const auto same = change(workout, "{}");
  ASSERT_TRUE(same);
  EXPECT_EQ(same->workout, workout);
  const auto longer = change(workout, R"({"elapsed_s":4000,"description":"a\nb"})");
  ASSERT_TRUE(longer) << longer.error().text();
  EXPECT_EQ(longer->workout.elapsed_ms, 4'000'000);
  EXPECT_EQ(longer->workout.moving_ms, 4'000'000);
  EXPECT_EQ(longer->workout.description, "a\nb");
  EXPECT_EQ(longer->workout.name, "Race");
  const auto renamed = change(workout, R"({"name":null,"sport":"hike"})");
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->workout.name, "Morning hike");
  EXPECT_FALSE(renamed->read_again);
  EXPECT_EQ(change(workout, R"({"elapsed_s":null})").error().field(), "elapsed_s");
  EXPECT_EQ(change(workout, R"({"distance_m":-1})").error().field(), "distance_m");
}

TEST(Editing, NumbersOfAFileStayAsTheyAre) {
  Workout workout = make(run_with("")).value();
  workout.origin = Origin{};
  workout.source = "gpx";
  const auto refused = change(workout, R"({"distance_m":5000})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug(), "not-editable");
  EXPECT_EQ(refused.error().field(), "distance_m");
  EXPECT_TRUE(change(workout, R"({"sport":"ride"})")->read_again);
  EXPECT_FALSE(change(workout, R"({"sport":"run"})")->read_again);
}

}  // namespace
}  // namespace ekiden::workout
