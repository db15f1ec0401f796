// The numbers of small activities whose answers can be worked out by hand.

#include "services/workout/activity/figures/figures.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/figures/elevation.hpp"
#include "services/workout/activity/figures/geodesy.hpp"
#include "services/workout/activity/figures/sport_rules.hpp"

namespace ekiden::activity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'600'000'000'000;
constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1'700'000'000}};

/// A run of `seconds` at `speed_mps` with the device's own distance.
Activity steady(int seconds, double speed_mps) {
  Activity activity;
  activity.sport = Sport::run;
  for (int i = 0; i <= seconds; ++i) {
    activity.samples.time_ms.push_back(kStart + std::int64_t{1000} * i);
    activity.samples.distance_m.push_back(speed_mps * i);
  }
  activity.segment_starts = {0};
  return activity;
}

/// The same on a meridian, without a device's distance.
Activity on_meridian(int seconds, double speed_mps) {
  Activity activity = steady(seconds, speed_mps);
  for (double& distance : activity.samples.distance_m) {
    activity.samples.latitude_deg.push_back(distance / kEarthRadiusM * 180 / std::numbers::pi);
    activity.samples.longitude_deg.push_back(10);
  }
  activity.samples.distance_m.clear();
  return activity;
}

Figures figures_of(const Activity& activity, const FigureOptions& options = {}) {
  return compute_figures(activity, options, kNow);
}

std::vector<std::string_view> doubts_of(const Activity& activity) {
  std::vector<std::string_view> slugs;
  for (const Doubt& doubt : figures_of(activity).doubts) {
    EXPECT_FALSE(doubt.text.empty());
    slugs.push_back(doubt.slug);
  }
  return slugs;
}

TEST(Figures, ASteadyRun) {
  const Figures figures = figures_of(on_meridian(1000, 3));
  EXPECT_EQ(figures.start_ms, kStart);
  EXPECT_EQ(figures.elapsed_ms, 1'000'000);
  EXPECT_EQ(figures.timer_ms, 1'000'000);
  EXPECT_EQ(figures.moving_ms, 1'000'000);
  EXPECT_EQ(figures.distance_m, 3000);
  EXPECT_NEAR(*figures.average_speed_mps, 3, 1e-6);
  EXPECT_NEAR(*figures.max_speed_mps, 3, 1e-4);
  ASSERT_GE(figures.km_splits.size(), 2U);
  EXPECT_EQ(figures.km_splits[0].elapsed_ms, 333'333);
  EXPECT_EQ(figures.km_splits[1].moving_ms, 333'334);
  ASSERT_TRUE(figures.best_efforts[0].has_value());
  EXPECT_NEAR(static_cast<double>(figures.best_efforts[0]->elapsed_ms), 133'333, 1);
  EXPECT_FALSE(figures.best_efforts[4].has_value());
  EXPECT_FALSE(figures.elevation_gain_m.has_value());
  EXPECT_TRUE(figures.is_ranked());
}

TEST(Figures, RecordedTotalsComeFirstUnlessTheTrackIsTrimmed) {
  Activity activity = steady(100, 3);
  for (double& distance : activity.samples.distance_m) distance += 1000;
  activity.recorded = {
      .distance_m = 5000, .timer_s = 90, .ascent_m = 7, .max_speed_mps = 4, .calories_kcal = 50};
  const Figures whole = figures_of(activity);
  EXPECT_EQ(whole.distance_m, 5000);
  EXPECT_EQ(whole.timer_ms, 90'000);
  EXPECT_EQ(whole.elevation_gain_m, 7);
  EXPECT_EQ(whole.max_speed_mps, 4);
  EXPECT_EQ(whole.calories_kcal, 50);
  const Figures trimmed = figures_of(activity, {.athlete = {}, .is_trimmed = true});
  EXPECT_EQ(trimmed.distance_m, 300);
  EXPECT_EQ(trimmed.timer_ms, 100'000);
  EXPECT_FALSE(trimmed.calories_kcal.has_value());
  activity.recorded.timer_s = 200;
  EXPECT_EQ(figures_of(activity).timer_ms, 100'000) << "never more than elapsed";
}

TEST(Figures, NothingIsMeasuredAcrossAPause) {
  Activity activity = on_meridian(100, 3);
  activity.segment_starts = {0, 50};
  for (std::size_t i = 50; i <= 100; ++i) {
    activity.samples.time_ms[i] += 600'000;
    activity.samples.latitude_deg[i] += 0.01;
  }
  const Figures figures = figures_of(activity);
  EXPECT_EQ(figures.elapsed_ms, 700'000);
  EXPECT_EQ(figures.timer_ms, 99'000);
  EXPECT_EQ(figures.moving_ms, 99'000);
  EXPECT_EQ(figures.distance_m, 297);
}

TEST(Figures, StandingStillIsNotMovingAndWalkersAreSlower) {
  Activity activity = on_meridian(100, 0.2);
  EXPECT_EQ(figures_of(activity).moving_ms, 0);
  EXPECT_FALSE(figures_of(activity).average_speed_mps.has_value());
  activity.sport = Sport::hike;
  EXPECT_EQ(figures_of(activity).moving_ms, 100'000);
}

TEST(Figures, OrderIsMadeByTimeAndByDistance) {
  Activity activity;
  activity.samples.time_ms = {0, 1000, 500, 1000, 2000, 3000, kNoTime, 4000};
  activity.samples.distance_m = {0, 1, 2, 3, 2.5, 4, 5, kAbsentPosition};
  activity.samples.heart_rate_bpm = {100, 101, 102, 103, 104, 105, 106, 107};
  activity.segment_starts = {0};
  const Cleaned cleaned = clean(activity);
  EXPECT_THAT(cleaned.streams.time_ms, ElementsAre(0, 1000, 3000, 4000));
  EXPECT_THAT(cleaned.streams.distance_m, ElementsAre(0, 3, 4, 4));
  EXPECT_THAT(cleaned.streams.heart_rate_bpm, ElementsAre(100, 103, 105, 107));
  EXPECT_THAT(cleaned.by_time, ElementsAre(0, 3, 4, 5, 7));
  EXPECT_TRUE(cleaned.time_goes_back);
  EXPECT_EQ(cleaned.untimed, 1U);
}

TEST(Figures, NullIslandIsNoPlaceInAJump) {
  Activity activity = on_meridian(10, 3);
  for (double& latitude : activity.samples.latitude_deg) latitude += 40;
  activity.samples.latitude_deg[5] = activity.samples.longitude_deg[5] = 0;
  const Cleaned cleaned = clean(activity);
  EXPECT_TRUE(std::isnan(cleaned.streams.latitude_deg[5]));
  EXPECT_NEAR(cleaned.length_m, 30, 1e-6);
  EXPECT_THAT(doubts_of(activity), IsEmpty());
  activity.samples.latitude_deg.assign(11, 0);
  activity.samples.longitude_deg.assign(11, 0);
  EXPECT_EQ(clean(activity).streams.latitude_deg[5], 0);
}

TEST(Figures, ClimbIsSmoothedAndHasAThreshold) {
  EXPECT_THAT(mean_of_five(std::vector<double>{1, 2, 3, 4, 5, 6}), ElementsAre(2, 2.5, 3, 4, 4.5, 5));
  const Climb climb = climb_of(std::vector<double>{0, 1, 1.5, 0.6, 0.5, -1, 5}, 1);
  EXPECT_DOUBLE_EQ(climb.gain_m, 1.5 + 6);
  EXPECT_DOUBLE_EQ(climb.loss_m, 2.5);
  Activity activity = on_meridian(10, 3);
  activity.samples.altitude_m.assign(11, 0);
  EXPECT_EQ(figures_of(activity).elevation_gain_m, 0) << "0 is a value";
  activity.samples.altitude_m.assign(11, 20'000);
  EXPECT_FALSE(figures_of(activity).elevation_gain_m.has_value());
  activity.samples.altitude_m.assign(11, 10);
  activity.indoor = true;
  EXPECT_FALSE(figures_of(activity).elevation_gain_m.has_value());
}

TEST(Figures, BestEffortsAreInterpolatedAndEndAtStandstills) {
  const Track track{.time_ms = {0, 100'000, 150'000, 160'000, 200'000, 260'000},
                    .distance_m = {0, 300, 300, 350, 650, 700},
                    .after_pause = std::vector<bool>(6, false)};
  // From the end of the standstill at 150 s: 350 m in 50 s; 50 m more take the last step (60 s, cut into).
  EXPECT_EQ(best_effort(track, 350)->elapsed_ms, 50'000);
  EXPECT_EQ(best_effort(track, 350)->start_m, 300);
  EXPECT_EQ(best_effort(track, 375)->elapsed_ms, 80'000);
  // The step before the standstill is longer than a minute: it counts whole, though 150 m of it would do.
  EXPECT_EQ(best_effort(track, 500)->elapsed_ms, 180'000);
  EXPECT_FALSE(best_effort(track, 701).has_value());
}

TEST(Figures, WorldRecordsAreRefused) {
  Activity activity = steady(120, 10);  // 1200 m in 2 minutes
  const Figures run = figures_of(activity);
  for (const auto& effort : run.best_efforts) EXPECT_FALSE(effort.has_value());
  EXPECT_FALSE(run.is_ranked());
  activity.sport = Sport::ride;
  const Figures ride = figures_of(activity);
  ASSERT_TRUE(ride.best_efforts[2].has_value());
  EXPECT_EQ(ride.best_efforts[2]->elapsed_ms, 100'000);
  EXPECT_TRUE(ride.is_ranked());
  EXPECT_TRUE(beats_the_world({.distance_m = 1000, .elapsed_ms = 131'000}, Sport::run));
  EXPECT_FALSE(beats_the_world({.distance_m = 1000, .elapsed_ms = 132'000}, Sport::run));
}

TEST(Figures, ImplausibleActivitiesAreKeptWithTheirReasons) {
  Activity back = on_meridian(100, 3);
  back.samples.time_ms[50] = back.samples.time_ms[10];
  EXPECT_THAT(doubts_of(back), ElementsAre("time-goes-back"));

  Activity early = on_meridian(100, 3);
  for (std::int64_t& time : early.samples.time_ms) time -= kStart;
  EXPECT_THAT(doubts_of(early), ElementsAre("date-too-early"));

  Activity late = on_meridian(100, 3);
  for (std::int64_t& time : late.samples.time_ms) time += 253'402'300'000'000 - kStart;
  EXPECT_THAT(doubts_of(late), ElementsAre("date-in-future"));

  Activity jump = on_meridian(100, 3);
  jump.samples.time_ms[50] = jump.samples.time_ms[49] + 1;
  for (std::size_t i = 50; i <= 100; ++i) jump.samples.latitude_deg[i] += 4.5;
  EXPECT_THAT(doubts_of(jump), Contains("position-jumps"));
  EXPECT_THAT(doubts_of(jump), Contains("too-fast"));

  Activity long_one = on_meridian(100, 3);
  long_one.samples.time_ms.back() += std::int64_t{31} * 86'400'000;
  EXPECT_THAT(doubts_of(long_one), ElementsAre("too-long"));

  Activity untimed = on_meridian(100, 3);
  untimed.samples.time_ms.assign(101, kNoTime);
  EXPECT_THAT(doubts_of(untimed), Contains("no-times"));
  EXPECT_EQ(figures_of(untimed).distance_m, 300);

  Activity relative = on_meridian(100, 3);
  relative.clock_is_relative = true;
  EXPECT_THAT(doubts_of(relative), ElementsAre("no-date"));
  EXPECT_FALSE(figures_of(relative).start_ms.has_value());

  Activity claimed = on_meridian(100, 3);
  claimed.recorded.distance_m = 1e12;
  EXPECT_THAT(doubts_of(claimed), ElementsAre("too-fast"));
}

TEST(Figures, AStepBeyondTheLastFullSplitIsNoSplitOfItsOwn) {
  const auto elapsed = [](const std::vector<Split>& splits) {
    std::int64_t sum = 0;
    for (const Split& split : splits) sum += split.elapsed_ms;
    return sum;
  };
  const Figures just_over = figures_of(on_meridian(1001, 3));
  ASSERT_EQ(just_over.km_splits.size(), 3U);
  EXPECT_EQ(just_over.km_splits[2].distance_m, 1000);
  EXPECT_EQ(just_over.km_splits[2].elapsed_ms, 334'333);
  EXPECT_EQ(just_over.km_splits[2].moving_ms, 334'333);
  EXPECT_EQ(elapsed(just_over.km_splits), 1'001'000);
  const Figures further = figures_of(on_meridian(1010, 3));
  ASSERT_EQ(further.km_splits.size(), 4U);
  EXPECT_NEAR(further.km_splits[3].distance_m, 30, 1e-3);
  EXPECT_EQ(elapsed(further.km_splits), 1'010'000);
  EXPECT_EQ(figures_of(on_meridian(1, 3)).km_splits.size(), 1U);
}

TEST(Figures, OneSampleOrNoneIsNoDivisionByZero) {
  const Figures none = figures_of({});
  EXPECT_EQ(none.distance_m, 0);
  EXPECT_FALSE(none.is_ranked());
  Activity one = on_meridian(0, 3);
  const Figures single = figures_of(one);
  EXPECT_EQ(single.distance_m, 0);
  EXPECT_EQ(single.elapsed_ms, 0);
  EXPECT_TRUE(single.km_splits.empty());
  EXPECT_TRUE(single.is_ranked());
  one.samples.time_ms = {std::numeric_limits<std::int64_t>::max()};
  EXPECT_THAT(doubts_of(one), Contains("no-times"));
}

TEST(Figures, HeartAndPower) {
  Activity activity = steady(3600, 3);
  activity.sport = Sport::ride;
  activity.samples.heart_rate_bpm.assign(3601, 125);
  activity.samples.power_w.assign(3601, 200);
  const AthleteProfile athlete{
      .max_heart_rate_bpm = 190, .rest_heart_rate_bpm = 60, .sex = Sex::female, .threshold_power_w = 250};
  const Figures figures = figures_of(activity, {.athlete = athlete});
  EXPECT_EQ(figures.average_heart_rate_bpm, 125);
  EXPECT_EQ(figures.max_heart_rate_bpm, 125);
  ASSERT_TRUE(figures.heart_load.has_value());
  EXPECT_THAT(figures.heart_load->zone_ms, ElementsAre(0, 0, 3'600'000, 0, 0, 0));
  EXPECT_NEAR(figures.heart_load->trimp, 60 * 0.5 * 0.86 * std::exp(1.67 * 0.5), 1e-9);
  EXPECT_NEAR(figures.heart_load->edwards, 120, 1e-9);
  ASSERT_TRUE(figures.power_load.has_value());
  EXPECT_NEAR(figures.power_load->normalized_w, 200, 1e-9);
  EXPECT_NEAR(*figures.power_load->intensity_factor, 0.8, 1e-9);
  EXPECT_NEAR(*figures.power_load->training_stress, 64, 1e-9);
  EXPECT_FALSE(figures_of(activity).heart_load.has_value()) << "nothing is known of the person";
}

TEST(Figures, ZonesAreClosedBelowAndGapsAreCapped) {
  const std::vector<std::int64_t> times = {0, 1000, 2000, 102'000, 103'000};
  const std::vector<float> rates = {100, 99.9F, 0, 180, 200};
  const std::vector<std::uint32_t> order = {0, 1, 2, 3, 4};
  const auto load = heart_load({times, rates, order}, {.max_heart_rate_bpm = 200});
  ASSERT_TRUE(load.has_value());
  EXPECT_THAT(load->zone_ms, ElementsAre(30'000, 1000, 0, 0, 0, 1000));
  EXPECT_NEAR(*mean_over_time({times, rates, order}, 0), (100 * 1 + 99.9 * 30 + 180 * 1) / 32, 1e-5);
}

TEST(Figures, GradeOfAnEvenSlope) {
  Activity activity = on_meridian(200, 3);
  for (int i = 0; i <= 200; ++i) activity.samples.altitude_m.push_back(i * 0.15);
  const Cleaned cleaned = clean(activity);
  ASSERT_EQ(cleaned.streams.grade_percent.size(), 201U);
  EXPECT_NEAR(cleaned.streams.grade_percent[100], 5, 0.01);
}

TEST(Figures, ResamplingKeepsEndsAndCorners) {
  Streams streams;
  for (int i = 0; i < 1000; ++i) {
    streams.time_ms.push_back(kStart + i);
    streams.distance_m.push_back(i);
    streams.latitude_deg.push_back(i < 500 ? i * 1e-5 : 500e-5);
    streams.longitude_deg.push_back(i < 500 ? 0 : (i - 500) * 1e-5);
  }
  streams.segment_starts = {0, 700};
  const Streams thin = resample(streams, 20);
  ASSERT_EQ(thin.size(), 20U);
  EXPECT_EQ(thin.distance_m.front(), 0);
  EXPECT_EQ(thin.distance_m.back(), 999);
  EXPECT_THAT(thin.distance_m, Contains(500));
  ASSERT_EQ(thin.segment_starts.size(), 2U);
  EXPECT_GE(thin.distance_m[thin.segment_starts[1]], 700);
  EXPECT_EQ(resample(streams, 5000).size(), 1000U);
  EXPECT_EQ(resample(streams, 0).size(), 2U);
}

TEST(Figures, TheDayIsWhereItWasDone) {
  using namespace std::chrono;
  const std::int64_t late =
      sys_days{2026y / May / 1d}.time_since_epoch().count() * std::int64_t{86'400'000} - 1;
  EXPECT_EQ(local_date(late, minutes{0}), 2026y / April / 30d);
  EXPECT_EQ(local_date(late, minutes{1}), 2026y / May / 1d);
  EXPECT_EQ(local_date(-1, minutes{0}), 1969y / December / 31d);
}

TEST(Sports, NamesGoBothWays) {
  for (std::size_t i = 0; i < kSportCount; ++i) {
    const auto sport = static_cast<Sport>(i);
    EXPECT_EQ(parse_sport(to_string(sport)), sport);
    EXPECT_GT(sport_rules(sport).plausible_mps, 0);
  }
  EXPECT_EQ(to_string(Sport::run), "run");
  EXPECT_EQ(to_string(Sport::mountaineering), "mountaineering");
  EXPECT_EQ(to_string(Sport::workout), "workout");
  EXPECT_EQ(guess_sport("Trail Running "), Sport::trail_run);
  EXPECT_EQ(guess_sport("1"), Sport::ride);
  EXPECT_EQ(guess_sport("Biking"), Sport::ride);
  EXPECT_EQ(guess_sport("juggling"), std::nullopt);
}

}  // namespace
}  // namespace ekiden::activity
