#include "services/workout/activity/export/export.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/gpx/gpx.hpp"
#include "services/workout/activity/tcx/tcx.hpp"

namespace ekiden::activity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Activity sample_activity() {
  Activity activity;
  activity.sport = Sport::run;
  activity.name = "Fast & <furious> \"run\" \x01\xC3\xA9";
  activity.description = "it's ]]> done";
  Samples& samples = activity.samples;
  samples.time_ms = {1'577'836'800'000, 1'577'836'801'500, 1'577'836'900'000, 1'577'836'901'000};
  samples.latitude_deg = {0.00001, 35.6812345678, -89.5, kAbsentPosition};
  samples.longitude_deg = {-0.0000001, 139.7671, -179.999999, kAbsentPosition};
  samples.altitude_m = {12.3, kAbsentPosition, -3, 4};
  samples.distance_m = {0, 3.3, 10.25, 12};
  samples.speed_mps = {kAbsent, 2.7F, 0, 1};
  samples.heart_rate_bpm = {120, kAbsent, 130, 131};
  samples.cadence_rpm = {0, 85, kAbsent, 84};
  samples.power_w = {kAbsent, 250, 0, 10};
  samples.temperature_c = {21.5F, kAbsent, kAbsent, -1};
  activity.segment_starts = {0, 2};
  return activity;
}

void expect_equal(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isnan(a[i]) || !std::isnan(b[i])) EXPECT_EQ(a[i], b[i]) << i;
  }
}

TEST(Export, GpxReadsBack) {
  Activity activity = sample_activity();
  const std::string document = to_gpx(activity);
  EXPECT_THAT(document, Not(HasSubstr("e-0")));
  const auto read = parse_gpx(document, {});
  ASSERT_TRUE(read.has_value()) << read.error().text() << document;
  const Activity& back = read->front();
  EXPECT_EQ(back.name, "Fast & <furious> \"run\" \xC3\xA9");
  EXPECT_EQ(back.description, activity.description);
  EXPECT_EQ(back.sport, Sport::run);
  EXPECT_THAT(back.segment_starts, ElementsAre(0, 2));
  EXPECT_THAT(back.samples.time_ms, ElementsAre(1'577'836'800'000, 1'577'836'801'500, 1'577'836'900'000));
  EXPECT_THAT(back.samples.latitude_deg, ElementsAre(0.00001, 35.6812345678, -89.5));
  EXPECT_THAT(back.samples.longitude_deg, ElementsAre(-0.0000001, 139.7671, -179.999999));
  EXPECT_EQ(back.samples.altitude_m[0], 12.3);
  for (auto* column :
       {&activity.samples.speed_mps, &activity.samples.heart_rate_bpm, &activity.samples.cadence_rpm,
        &activity.samples.power_w, &activity.samples.temperature_c}) {
    column->pop_back();
  }
  expect_equal(back.samples.speed_mps, activity.samples.speed_mps);
  expect_equal(back.samples.heart_rate_bpm, activity.samples.heart_rate_bpm);
  expect_equal(back.samples.cadence_rpm, activity.samples.cadence_rpm);
  expect_equal(back.samples.power_w, activity.samples.power_w);
  expect_equal(back.samples.temperature_c, activity.samples.temperature_c);
}

TEST(Export, TcxReadsBack) {
  Activity activity = sample_activity();
  activity.laps = {Lap{.start_ms = 1'577'836'800'000, .timer_s = 2, .distance_m = 3.3, .calories_kcal = 1},
                   Lap{.start_ms = 1'577'836'900'000, .timer_s = 1, .distance_m = 8.7}};
  const auto read = parse_tcx(to_tcx(activity), {});
  ASSERT_TRUE(read.has_value()) << read.error().text();
  const Activity& back = read->front();
  EXPECT_EQ(back.sport, Sport::run);
  EXPECT_EQ(back.laps.size(), 2U);
  EXPECT_EQ(back.recorded.distance_m, 12.0);
  EXPECT_EQ(back.recorded.timer_s, 3.0);
  EXPECT_EQ(back.description, activity.description);
  EXPECT_EQ(back.samples.time_ms, activity.samples.time_ms);
  EXPECT_EQ(back.samples.distance_m, activity.samples.distance_m);
  EXPECT_TRUE(std::isnan(back.samples.latitude_deg[3]));
  expect_equal(back.samples.heart_rate_bpm, activity.samples.heart_rate_bpm);
  expect_equal(back.samples.cadence_rpm, activity.samples.cadence_rpm);
  expect_equal(back.samples.power_w, activity.samples.power_w);
  EXPECT_THAT(back.segment_starts, ElementsAre(0, 2));
}

TEST(Export, AnActivityWithoutLapsBecomesOneLapWithItsPauses) {
  Activity activity = sample_activity();
  activity.sport = Sport::ride;
  activity.recorded.distance_m = 12;
  const auto read = parse_tcx(to_tcx(activity), {});
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->front().laps.size(), 1U);
  EXPECT_EQ(read->front().sport, Sport::ride);
  EXPECT_THAT(read->front().segment_starts, ElementsAre(0, 2));
  EXPECT_EQ(read->front().recorded.timer_s, 101.0);
}

TEST(Export, NothingToWriteIsStillWellFormed) {
  EXPECT_EQ(parse_gpx(to_gpx({}), {}).error().slug(), "no-track-points");
  EXPECT_EQ(parse_tcx(to_tcx({}), {}).error().slug(), "no-track-points");
}

}  // namespace
}  // namespace ekiden::activity
