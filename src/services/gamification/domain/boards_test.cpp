#include "services/gamification/domain/boards.hpp"

#include <map>

#include <gtest/gtest.h>

namespace ekiden::gamification {
namespace {

using namespace std::chrono_literals;

CountedWorkout sunday_run() {
  return {.workout_id = {},
          .user_id = {},
          .sport = "trail_run",
          .local_date = 2026y / 11 / 22,
          .ended_at = {},
          .distance_m = 10'250,
          .moving_s = 3'661,
          .elevation_gain_m = 120,
          .counts = true};
}

TEST(Period, ReadsWhatItWrites) {
  for (const char* text : {"all", "2026", "2026-11", "2026-W47", "2026-11-22", "2020-W53", "2024-02-29"}) {
    const auto period = Period::parse(text);
    ASSERT_TRUE(period) << text;
    EXPECT_EQ(period->to_string(), text);
  }
}

TEST(Period, RefusesWhatIsNoPeriod) {
  for (const char* text : {"", "26", "2026-", "2026-13", "2026-W00", "2026-W54", "2021-W53", "2026-w47",
                           "2026-11-31", "2025-02-29", "2026-11-22x", "1969", "2200", "2026/11", "-026"}) {
    EXPECT_FALSE(Period::parse(text)) << text;
  }
}

TEST(Period, PutsTheTurnOfTheYearIntoItsIsoWeek) {
  using Kind = Period::Kind;
  EXPECT_EQ(Period::of(Kind::week, 2021y / 1 / 3).to_string(), "2020-W53");
  EXPECT_EQ(Period::of(Kind::week, 2021y / 1 / 4).to_string(), "2021-W01");
  EXPECT_EQ(Period::of(Kind::week, 2024y / 12 / 30).to_string(), "2025-W01");
  EXPECT_EQ(Period::of(Kind::week, 2026y / 11 / 22).to_string(), "2026-W47");
}

TEST(Contributions, AWorkoutCountsOnTwoSportsAndFivePeriods) {
  std::map<std::string, std::int64_t> amounts;
  for (const Contribution& c : contributions_of(sunday_run())) amounts[c.board] = c.amount;
  EXPECT_EQ(amounts.size(), 50U);
  EXPECT_EQ(amounts.at("distance:run:2026-w47"), 10'250);
  EXPECT_EQ(amounts.at("moving_time:all:2026-11-22"), 3'661);
  EXPECT_EQ(amounts.at("elevation_gain:run:2026-11"), 120);
  EXPECT_EQ(amounts.at("workouts:all:all"), 1);
  EXPECT_EQ(amounts.at("points:run:2026"), 3'661 * 10 / 60 + 120);
}

TEST(Contributions, NothingIsGivenForNothing) {
  CountedWorkout yoga = sunday_run();
  yoga.sport = "yoga";
  yoga.distance_m = 0;
  yoga.elevation_gain_m = 0;
  EXPECT_EQ(contributions_of(yoga).size(), 30U);
  yoga.counts = false;
  EXPECT_TRUE(contributions_of(yoga).empty());
}

TEST(BoardName, GoesThroughItsKey) {
  const auto name = BoardName::parse("distance", "run", "2026-W47");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->to_key(), "distance:run:2026-w47");
  EXPECT_EQ(BoardName::parse_key(name->to_key())->to_key(), name->to_key());
  EXPECT_EQ(BoardName::parse("speed", "run", "all").error().field(), "metric");
  EXPECT_EQ(BoardName::parse("distance", "golf", "all").error().field(), "sport");
  EXPECT_EQ(BoardName::parse("distance", "run", "today").error().field(), "period");
}

TEST(Percentile, IsTheShareAtOrBelow) {
  EXPECT_EQ(percentile_of(1, 1), 100.0);
  EXPECT_EQ(percentile_of(1, 3), 100.0);
  EXPECT_EQ(percentile_of(3, 3), 33.3);
  EXPECT_EQ(percentile_of(0, 3), 0.0);
}

}  // namespace
}  // namespace ekiden::gamification
