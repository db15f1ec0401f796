// What a sound FIT file means: sessions, pauses, clocks, totals, straps.
#include "services/workout/activity/fit/fit.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/fit/protocol.hpp"
#include "services/workout/activity/fit/sports.hpp"
#include "services/workout/activity/fit/testing/fit_writer.hpp"

namespace ekiden::activity::fit {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Activity> parse(const FitWriter& writer) {
  auto parsed = parse_fit(writer.file());
  EXPECT_TRUE(parsed) << parsed.error().text();
  return parsed ? *std::move(parsed) : std::vector<Activity>(1);
}

FitWriter with_records() {
  FitWriter writer;
  write_file_id(writer);
  define_records(writer);
  return writer;
}

std::vector<std::uint64_t> seconds(std::vector<std::uint64_t> list) {
  return list;
}

TEST(Fit, ReadsEveryQuantityOfARecord) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(1, kRecordNumber,
                {{253, 4, kUint32},
                 {0, 4, kSint32},
                 {1, 4, kSint32},
                 {2, 2, kUint16},
                 {3, 1, kUint8},
                 {4, 1, kUint8},
                 {53, 1, kUint8},
                 {5, 4, kUint32},
                 {6, 2, kUint16},
                 {7, 2, kUint16},
                 {13, 1, kSint8}});
  writer.data(1, {kStart, 1U << 29U, static_cast<std::uint64_t>(-(1 << 30)), 3000, 150, 88, 64, 12345, 4321,
                  250, static_cast<std::uint64_t>(-5)});
  const Samples samples = parse(writer).front().samples;
  EXPECT_THAT(samples.time_ms, ElementsAre(kStart_ms));
  EXPECT_THAT(samples.latitude_deg, ElementsAre(45.0));
  EXPECT_THAT(samples.longitude_deg, ElementsAre(-90.0));
  EXPECT_THAT(samples.altitude_m, ElementsAre(100.0F));
  EXPECT_THAT(samples.heart_rate_bpm, ElementsAre(150.0F));
  EXPECT_THAT(samples.cadence_rpm, ElementsAre(88.5F));
  EXPECT_THAT(samples.distance_m, ElementsAre(123.45));
  EXPECT_THAT(samples.speed_mps, ElementsAre(4.321F));
  EXPECT_THAT(samples.power_w, ElementsAre(250.0F));
  EXPECT_THAT(samples.temperature_c, ElementsAre(-5.0F));
}

TEST(Fit, EnhancedFieldsComeFirstAndZeroIsAValue) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(1, kRecordNumber,
                {{253, 4, kUint32},
                 {2, 2, kUint16},
                 {78, 4, kUint32},
                 {6, 2, kUint16},
                 {73, 4, kUint32},
                 {7, 2, kUint16}});
  writer.data(1, {kStart, 3000, 3500, 1000, 2000, 0})
      .data(1, {kStart + 1, 3000, 0xFFFF'FFFF, 0, 0xFFFF'FFFF, 0xFFFF});
  const Samples samples = parse(writer).front().samples;
  EXPECT_THAT(samples.altitude_m, ElementsAre(200.0F, 100.0F));
  EXPECT_THAT(samples.speed_mps, ElementsAre(2.0F, 0.0F));
  EXPECT_EQ(samples.power_w[0], 0.0F);
  EXPECT_TRUE(std::isnan(samples.power_w[1]));
}

TEST(Fit, AColumnWithoutAnyValueStaysEmpty) {
  FitWriter writer = with_records();
  writer.data(1, {kStart, 0, 0xFF}).data(1, {kStart + 1, 300, 0xFF});
  const Samples samples = parse(writer).front().samples;
  EXPECT_THAT(samples.heart_rate_bpm, IsEmpty());
  EXPECT_THAT(samples.latitude_deg, IsEmpty());
  EXPECT_THAT(samples.distance_m, SizeIs(2));
}

TEST(Fit, APositionIsWholeOrAbsentAndNeverOutOfRange) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(1, kRecordNumber, {{253, 4, kUint32}, {0, 4, kSint32}, {1, 4, kSint32}});
  writer.data(1, {kStart, 1U << 29U, 1U << 29U});
  writer.data(1, {kStart + 1, 0x7FFF'FFFF, 1U << 29U});
  writer.data(1, {kStart + 2, 0x5000'0000, 1U << 29U});
  writer.data(1, {kStart + 3, 0, 0});
  const Activity activity = parse(writer).front();
  EXPECT_EQ(activity.samples.latitude_deg[0], 45.0);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_TRUE(std::isnan(activity.samples.latitude_deg[i])) << i;
  for (std::size_t i = 1; i < 4; ++i) EXPECT_TRUE(std::isnan(activity.samples.longitude_deg[i])) << i;
  EXPECT_THAT(activity.warnings, Contains(HasSubstr("1 positions beyond")));
  EXPECT_THAT(activity.warnings, Contains(HasSubstr("1 positions at 0/0")));
}

TEST(Fit, KeepsTheOrderOfTimeAndDistance) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 30; ++i) writer.data(1, {kStart + i, i * 300, 100});
  writer.data(1, {kStart + 5, 9000, 101});                // a second back
  writer.data(1, {kStart + 29, 8800, 0xFF});              // the same time again: the later stays, completed
  writer.data(1, {kStart + 30, 8000, 103});               // the distance falls
  writer.data(1, {kStart + 30 + 20 * 86400, 9000, 104});  // a leap of 20 days …
  writer.data(1, {kStart + 31, 9100, 105});               // … and back
  const Activity activity = parse(writer).front();
  EXPECT_THAT(activity.samples.time_ms, SizeIs(31));
  EXPECT_EQ(activity.samples.distance_m[29], 88.0);
  EXPECT_EQ(activity.samples.heart_rate_bpm[29], 100.0F);
  EXPECT_EQ(activity.samples.time_ms.back(), kStart_ms + 31'000);
  EXPECT_THAT(activity.warnings, Contains(HasSubstr("3 samples were left out because their time")));
  EXPECT_THAT(activity.warnings, Contains(HasSubstr("1 samples were left out because their distance fell")));
}

TEST(Fit, ADistanceThatIsResetLosesValuesNotSamples) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 20; ++i) writer.data(1, {kStart + i, i < 10 ? 1000 + i * 300 : i, 100});
  const Activity activity = parse(writer).front();
  EXPECT_THAT(activity.samples.time_ms, SizeIs(20));
  EXPECT_TRUE(std::isnan(activity.samples.distance_m.back()));
  EXPECT_THAT(activity.warnings, ElementsAre(HasSubstr("10 distances were left out")));
}

TEST(Fit, StopsOfTheTimerAreSegmentBorders) {
  FitWriter writer = with_records();
  define_events(writer).data(3, {kStart, 0, 0});
  for (const std::uint64_t second : seconds({0, 1, 2})) writer.data(1, {kStart + second, second, 100});
  writer.data(3, {kStart + 2, 0, 4});
  writer.data(1, {kStart + 50, 2, 100});  // while it stood: a segment of its own
  writer.data(3, {kStart + 60, 0, 0});
  for (const std::uint64_t second : seconds({60, 61, 62})) writer.data(1, {kStart + second, second, 100});
  writer.data(3, {kStart + 62, 0, 9});
  EXPECT_THAT(parse(writer).front().segment_starts, ElementsAre(0U, 3U, 4U));
}

TEST(Fit, AStopWhoseStartWasLostStillMeasuresWhatFollows) {
  FitWriter writer = with_records();
  define_events(writer).data(3, {kStart, 0, 0});
  for (const std::uint64_t second : seconds({0, 1, 2, 30, 31, 32}))
    writer.data(1, {kStart + second, second, 100});
  writer.data(3, {kStart + 2, 0, 1});
  EXPECT_THAT(parse(writer).front().segment_starts, ElementsAre(0U, 3U));
}

TEST(Fit, OtherEventsAreNoPauses) {
  FitWriter writer = with_records();
  define_events(writer).data(3, {kStart, 0, 0}).data(3, {kStart + 1, 9, 1}).data(3, {kStart + 1, 0, 3});
  for (const std::uint64_t second : seconds({0, 1, 2, 3})) writer.data(1, {kStart + second, second, 100});
  EXPECT_THAT(parse(writer).front().segment_starts, ElementsAre(0U));
}

TEST(Fit, SplitsAMultisportFileByTheStartsOfItsSessions) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 30; ++i) writer.data(1, {kStart + i, i * 100, 100});
  define_sessions(writer);
  writer.data(2, {kStart + 20, 10'000, 1000, 1, 0});
  writer.data(2, {kStart, 10'000, 1000, 5, 18});
  writer.data(2, {kStart + 10, 10'000, 1000, 3, 0});
  writer.define(4, kLapNumber, {{2, 4, kUint32}, {9, 4, kUint32}});
  for (const std::uint64_t second : seconds({0, 10, 20, 25})) writer.data(4, {kStart + second, 1000});
  const std::vector<Activity> legs = parse(writer);
  ASSERT_THAT(legs, SizeIs(3));
  EXPECT_EQ(legs[0].sport, Sport::open_water_swim);
  EXPECT_EQ(legs[1].name, "Transition");
  EXPECT_EQ(legs[2].sport, Sport::run);
  for (const Activity& leg : legs) EXPECT_EQ(leg.samples.size(), 10U);
  EXPECT_EQ(legs[0].samples.distance_m.back(), 9.0);
  EXPECT_EQ(legs[1].samples.distance_m.front(), 1.0);
  EXPECT_EQ(legs[2].samples.distance_m.back(), 10.0);
  EXPECT_THAT(legs[0].laps, SizeIs(1));
  EXPECT_THAT(legs[2].laps, SizeIs(2));
  EXPECT_NE(legs[0].device_id, legs[2].device_id);
  EXPECT_EQ(legs[2].recorded.start_ms, kStart_ms + 20'000);
}

TEST(Fit, OfASessionThatWasWrittenTwiceTheLaterCounts) {
  FitWriter writer = small_activity();
  writer.data(2, {kStart, 9000, 4242, 1, 0});
  const std::vector<Activity> activities = parse(writer);
  ASSERT_THAT(activities, SizeIs(1));
  EXPECT_EQ(activities[0].recorded.distance_m, 42.42);
}

TEST(Fit, WithoutASessionTheRecordsAreOneActivity) {
  FitWriter writer = with_records();
  writer.define(5, kSportNumber, {{0, 1, kEnum}, {1, 1, kEnum}}).data(5, {2, 8});
  for (std::uint64_t i = 0; i < 3; ++i) writer.data(1, {kStart + i, i, 100});
  const std::vector<Activity> activities = parse(writer);
  ASSERT_THAT(activities, SizeIs(1));
  EXPECT_EQ(activities[0].sport, Sport::mountain_bike);
  EXPECT_FALSE(activities[0].recorded.distance_m);
  EXPECT_FALSE(activities[0].recorded.start_ms);
}

TEST(Fit, ASessionWithoutRecordsIsAnActivity) {
  FitWriter writer;
  write_file_id(writer);
  define_sessions(writer).data(2, {kStart, 1'800'000, 0xFFFF'FFFF, 10, 20});
  const std::vector<Activity> activities = parse(writer);
  ASSERT_THAT(activities, SizeIs(1));
  EXPECT_EQ(activities[0].sport, Sport::strength);
  EXPECT_TRUE(activities[0].indoor);
  EXPECT_EQ(activities[0].recorded.elapsed_s, 1800.0);
  EXPECT_THAT(activities[0].segment_starts, IsEmpty());
}

TEST(Fit, ATimeThatCountsFromPowerOnIsNoDate) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 3; ++i) writer.data(1, {1000 + i, i, 100});
  define_sessions(writer).data(2, {1000, 2000, 2, 1, 0});
  const Activity activity = parse(writer).front();
  EXPECT_TRUE(activity.clock_is_relative);
  EXPECT_FALSE(activity.recorded.start_ms);
  EXPECT_THAT(activity.samples.time_ms, ElementsAre(1'000'000, 1'001'000, 1'002'000));
  EXPECT_THAT(activity.warnings, Contains(HasSubstr("did not know the date")));
}

TEST(Fit, WhatCameBeforeTheClockWasSetIsLeftOut) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 3; ++i) writer.data(1, {1000 + i, 1000 + i, 100});
  for (std::uint64_t i = 0; i < 2; ++i) writer.data(1, {kStart + i, i, 101});
  writer.data(1, {1010, 3000, 102});
  const Activity activity = parse(writer).front();
  EXPECT_FALSE(activity.clock_is_relative);
  EXPECT_THAT(activity.samples.heart_rate_bpm, ElementsAre(101.0F, 101.0F));
  EXPECT_THAT(activity.warnings, ElementsAre(HasSubstr("4 records from before the clock was set")));
}

TEST(Fit, TellsTheLocalTimeOnlyWhereItMakesSense) {
  const auto offset_of = [](std::uint64_t local) {
    FitWriter writer = small_activity();
    writer.define(5, kActivityNumber, {{253, 4, kUint32}, {5, 4, kUint32}}).data(5, {kStart, local});
    return parse(writer).front().utc_offset;
  };
  EXPECT_EQ(offset_of(kStart + 7200), std::chrono::minutes{120});
  EXPECT_EQ(offset_of(kStart - 12'600 + 1), std::chrono::minutes{-210});
  EXPECT_EQ(offset_of(0), std::nullopt);
  EXPECT_EQ(offset_of(kStart + 86'400), std::nullopt);
  EXPECT_EQ(offset_of(kStart + 7200 + 450), std::nullopt);
  EXPECT_EQ(offset_of(0xFFFF'FFFF), std::nullopt);
}

TEST(Fit, ReadsTheTotalsOfSessionAndLap) {
  FitWriter writer = with_records();
  writer.data(1, {kStart, 0, 100});
  writer.define(2, kSessionNumber,
                {{2, 4, kUint32},
                 {7, 4, kUint32},
                 {8, 4, kUint32},
                 {59, 4, kUint32},
                 {9, 4, kUint32},
                 {11, 2, kUint16},
                 {22, 2, kUint16},
                 {23, 2, kUint16},
                 {15, 2, kUint16},
                 {125, 4, kUint32},
                 {16, 1, kUint8},
                 {17, 1, kUint8},
                 {18, 1, kUint8},
                 {92, 1, kUint8},
                 {20, 2, kUint16}});
  writer.data(2, {kStart, 60'500, 60'000, 59'000, 12'345, 321, 12, 13, 4000, 5000, 140, 170, 85, 64, 222});
  writer.define(4, kLapNumber,
                {{2, 4, kUint32},
                 {7, 4, kUint32},
                 {8, 4, kUint32},
                 {9, 4, kUint32},
                 {11, 2, kUint16},
                 {14, 2, kUint16},
                 {15, 1, kUint8},
                 {16, 1, kUint8}});
  writer.data(4, {kStart, 60'500, 60'000, 12'345, 0xFFFF, 4000, 141, 0xFF});
  const Activity activity = parse(writer).front();
  const Recorded& recorded = activity.recorded;
  EXPECT_EQ(recorded.start_ms, kStart_ms);
  EXPECT_EQ(recorded.elapsed_s, 60.5);
  EXPECT_EQ(recorded.timer_s, 60.0);
  EXPECT_EQ(recorded.moving_s, 59.0);
  EXPECT_EQ(recorded.distance_m, 123.45);
  EXPECT_EQ(recorded.calories_kcal, 321.0);
  EXPECT_EQ(recorded.ascent_m, 12.0);
  EXPECT_EQ(recorded.descent_m, 13.0);
  EXPECT_EQ(recorded.max_speed_mps, 5.0);
  EXPECT_EQ(recorded.average_heart_rate_bpm, 140.0);
  EXPECT_EQ(recorded.max_heart_rate_bpm, 170.0);
  EXPECT_EQ(recorded.average_cadence_rpm, 85.5);
  EXPECT_EQ(recorded.average_power_w, 222.0);
  ASSERT_THAT(activity.laps, SizeIs(1));
  EXPECT_EQ(activity.laps[0].max_speed_mps, 4.0);
  EXPECT_EQ(activity.laps[0].average_heart_rate_bpm, 141.0);
  EXPECT_EQ(activity.laps[0].calories_kcal, std::nullopt);
  EXPECT_EQ(activity.laps[0].max_heart_rate_bpm, std::nullopt);
}

TEST(Fit, UnpacksSpeedAndDistanceThatShareThreeBytes) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(1, kRecordNumber, {{253, 4, kUint32}, {8, 3, kByte}});
  const auto packed = [](std::uint64_t speed, std::uint64_t distance) {
    return speed | (distance & 0xFFFU) << 12U;
  };
  writer.data(1, {kStart, packed(250, 4000)}).data(1, {kStart + 1, packed(0xFFF, 4080)});
  writer.data(1, {kStart + 2, packed(300, 4160)}).data(1, {kStart + 3, 0xFF'FFFF});
  const Samples samples = parse(writer).front().samples;
  EXPECT_THAT(std::vector(samples.distance_m.begin(), samples.distance_m.end() - 1),
              ElementsAre(250.0, 255.0, 260.0));
  EXPECT_TRUE(std::isnan(samples.distance_m[3]));
  EXPECT_EQ(samples.speed_mps[0], 2.5F);
  EXPECT_TRUE(std::isnan(samples.speed_mps[1]));
}

TEST(Fit, ADrySwimHasTheDistanceOfItsLengths) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(2, kSessionNumber,
                {{2, 4, kUint32}, {7, 4, kUint32}, {5, 1, kEnum}, {6, 1, kEnum}, {44, 2, kUint16}});
  writer.data(2, {kStart, 90'000, 5, 17, 2500});
  writer.define(4, kLengthNumber, {{2, 4, kUint32}, {3, 4, kUint32}, {12, 1, kEnum}});
  writer.data(4, {kStart, 30'000, 1}).data(4, {kStart + 30, 30'000, 0}).data(4, {kStart + 60, 30'000, 1});
  const Activity activity = parse(writer).front();
  EXPECT_EQ(activity.recorded.distance_m, 50.0);
  EXPECT_TRUE(activity.indoor);
  EXPECT_THAT(activity.samples.time_ms,
              ElementsAre(kStart_ms, kStart_ms + 30'000, kStart_ms + 60'000, kStart_ms + 90'000));
  EXPECT_THAT(activity.samples.distance_m, ElementsAre(0.0, 25.0, 25.0, 50.0));
}

TEST(Fit, WhatAStrapStoredFillsInHeartRates) {
  FitWriter writer = with_records();
  for (std::uint64_t i = 0; i < 8; ++i) writer.data(1, {kStart + i, i, i == 1 ? 200U : 0xFFU});
  FitWriter strap;
  strap.define(0, kHrNumber, {{253, 4, kUint32}, {0, 2, kUint16}, {9, 4, kUint32}, {6, 1, kUint8}});
  strap.data(0, {kStart, 16'384, 50'000, 100});  // at +0.5 s the strap's clock is 50,000 ticks
  strap.define(1, kHrNumber, {{10, 3, kByte}, {6, 2, kUint8}});
  const std::uint64_t first = (50'000 + 512) & 0xFFFU;
  const std::uint64_t second = (50'000 + 1024) & 0xFFFU;
  strap.data(1, {first | second << 12U, 110 | 120U << 8U});  // at +1.0 s and +1.5 s
  const auto parsed = parse_fit(writer.file() + strap.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  ASSERT_THAT(*parsed, SizeIs(1));
  const std::vector<float>& bpm = parsed->front().samples.heart_rate_bpm;
  EXPECT_TRUE(std::isnan(bpm[0]));
  EXPECT_EQ(bpm[1], 200.0F);               // its own value stays
  EXPECT_THAT(bpm[2], FloatNear(120, 0));  // of the second before: the one at +1.5 s
  EXPECT_EQ(bpm[6], 120.0F);               // up to five seconds old
  EXPECT_TRUE(std::isnan(bpm[7]));
}

TEST(Fit, TheDeviceIdIsStableAndHidesTheSerialNumber) {
  const auto id_of = [](std::uint64_t serial) {
    FitWriter writer;
    write_file_id(writer, 4, serial);
    define_records(writer).data(1, {kStart, 0, 100});
    return parse(writer).front().device_id;
  };
  EXPECT_EQ(id_of(3'900'000'001), id_of(3'900'000'001));
  EXPECT_NE(id_of(3'900'000'001), id_of(3'900'000'002));
  EXPECT_THAT(id_of(3'900'000'001), SizeIs(32));
  // Of 2^17 serial numbers some must share an id: it cannot be turned back into one of them.
  std::vector<std::string> ids;
  for (std::uint64_t serial = 1; serial <= 2000; ++serial) ids.push_back(id_of(serial));
  std::ranges::sort(ids);
  EXPECT_NE(std::ranges::adjacent_find(ids), ids.end());
}

TEST(Fit, KnowsItsSports) {
  EXPECT_EQ(read_sport(1, 1).sport, Sport::treadmill);
  EXPECT_EQ(read_sport(1, 3).sport, Sport::trail_run);
  EXPECT_EQ(read_sport(2, 46).sport, Sport::gravel);
  EXPECT_EQ(read_sport(2, 58).sport, Sport::virtual_ride);
  EXPECT_FALSE(read_sport(2, 58).is_indoor);
  EXPECT_EQ(read_sport(4, 14).sport, Sport::indoor_row);
  EXPECT_EQ(read_sport(5, 17).sport, Sport::swim);
  EXPECT_EQ(read_sport(10, 43).sport, Sport::yoga);
  EXPECT_EQ(read_sport(53, 54).sport, Sport::dive);
  EXPECT_TRUE(read_sport(8, 0).is_known);  // tennis has no name of ours, but it is known
  EXPECT_FALSE(read_sport(0, 0).is_known);
  EXPECT_FALSE(read_sport(200, 200).is_known);
  EXPECT_FALSE(read_sport(kAbsentValue, kAbsentValue).is_known);
  EXPECT_TRUE(read_sport(3, 0).is_transition);
}

}  // namespace
}  // namespace ekiden::activity::fit
