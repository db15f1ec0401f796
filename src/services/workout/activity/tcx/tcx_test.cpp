#include "services/workout/activity/tcx/tcx.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/testing/documents.hpp"

namespace ekiden::activity {
namespace {

using ::testing::ElementsAre;
using testing::tcx;

std::string track_point(int second, std::string_view more = "") {
  const std::string clock =
      std::to_string(100 + second / 60).substr(1) + ":" + std::to_string(100 + second % 60).substr(1);
  return "<Trackpoint><Time>2020-01-01T00:" + clock + "Z</Time>" + std::string{more} + "</Trackpoint>";
}

std::string lap(std::string_view tracks) {
  return "<Lap StartTime='2020-01-01T00:00:00Z'><TotalTimeSeconds>60</TotalTimeSeconds><DistanceMeters>200.5"
         "</DistanceMeters><MaximumSpeed>5</MaximumSpeed><Calories>10</"
         "Calories><AverageHeartRateBpm><Value>140</Value>"
         "</AverageHeartRateBpm><MaximumHeartRateBpm><Value>150</Value></MaximumHeartRateBpm>" +
         std::string{tracks} + "</Lap>";
}

std::string activity(std::string_view laps) {
  return "<Activity Sport='Running'><Id>2020-01-01T00:00:00Z</Id>" + std::string{laps} +
         "<Notes>n</Notes></Activity>";
}

Error fault(std::string_view document, const ParseLimits& limits = {}) {
  const auto activities = parse_tcx(document, limits);
  EXPECT_FALSE(activities.has_value());
  return activities ? Error{Errc::internal, "none", "none"} : activities.error();
}

TEST(Tcx, ReadsPointsLapsAndTotals) {
  const auto activities = parse_tcx(
      tcx(activity(
          lap("<Track>" +
              track_point(0,
                          "<Position><LatitudeDegrees>1</LatitudeDegrees><LongitudeDegrees>2"
                          "</LongitudeDegrees></Position><AltitudeMeters>3</AltitudeMeters><DistanceMeters>4"
                          "</DistanceMeters><HeartRateBpm><Value>120</Value></HeartRateBpm><Extensions>"
                          "<n:TPX><n:Speed>5</n:Speed><n:RunCadence>6</n:RunCadence><n:Watts>7</n:Watts>"
                          "</n:TPX></Extensions>") +
              track_point(1, "<DistanceMeters>no</DistanceMeters><Cadence>80</Cadence>") + "</Track>") +
          lap("<Track>" + track_point(5) + "</Track>"))),
      {});
  ASSERT_TRUE(activities.has_value()) << activities.error().text();
  const Activity& first = activities->front();
  EXPECT_EQ(first.sport, Sport::run);
  EXPECT_EQ(first.device_id, "tcx:2020-01-01T00:00:00Z");
  EXPECT_EQ(first.description, "n");
  EXPECT_FALSE(first.indoor);
  EXPECT_EQ(first.samples.size(), 3U);
  EXPECT_EQ(first.samples.latitude_deg[0], 1);
  EXPECT_TRUE(std::isnan(first.samples.latitude_deg[1]));
  EXPECT_EQ(first.samples.altitude_m[0], 3);
  EXPECT_EQ(first.samples.distance_m[0], 4);
  EXPECT_EQ(first.samples.heart_rate_bpm[0], 120);
  EXPECT_EQ(first.samples.speed_mps[0], 5);
  EXPECT_EQ(first.samples.cadence_rpm[0], 6);
  EXPECT_EQ(first.samples.cadence_rpm[1], 80);
  EXPECT_EQ(first.samples.power_w[0], 7);
  ASSERT_EQ(first.laps.size(), 2U);
  EXPECT_EQ(first.laps[1].average_heart_rate_bpm, 140);
  EXPECT_EQ(first.recorded.start_ms, 1'577'836'800'000);
  EXPECT_EQ(first.recorded.distance_m, 401);
  EXPECT_EQ(first.recorded.timer_s, 120);
  EXPECT_EQ(first.recorded.calories_kcal, 20);
  EXPECT_EQ(first.recorded.max_speed_mps, 5);
  EXPECT_THAT(first.warnings, ElementsAre("1 distances could not be read and were left out"));
  EXPECT_THAT(first.segment_starts, ElementsAre(0)) << "a lap's border is no pause";
}

TEST(Tcx, ASecondTrackAndALongGapBetweenLapsArePauses) {
  const auto activities =
      parse_tcx(tcx(activity(lap("<Track>" + track_point(0) + track_point(1) + "</Track><Track>" +
                                 track_point(2) + track_point(200) + "</Track>") +
                             lap("<Track>" + track_point(261) + "</Track>") +
                             lap("<Track>" + track_point(321) + "</Track>"))),
                {});
  ASSERT_TRUE(activities.has_value());
  EXPECT_THAT(activities->front().segment_starts, ElementsAre(0, 2, 4));
}

TEST(Tcx, EveryActivityIsOne) {
  const std::string full = activity(lap("<Track>" + track_point(0) + "</Track>"));
  const auto activities =
      parse_tcx(tcx(full + activity(lap("")) + "<MultiSportSession><FirstSport>" + full +
                    "</FirstSport><NextSport><Transition/>" + full + "</NextSport></MultiSportSession>"),
                {});
  ASSERT_TRUE(activities.has_value());
  EXPECT_EQ(activities->size(), 3U);
  EXPECT_TRUE(activities->front().indoor);
  EXPECT_THAT(activities->front().warnings, ElementsAre("1 activities without a track point were left out"));
  ParseLimits limits;
  limits.activities_max = 3;
  EXPECT_EQ(fault(tcx(full + full + full + full), limits).slug(), "too-many-activities");
  limits.points_max = 2;
  EXPECT_EQ(fault(tcx(full + full + full), limits).slug(), "too-many-points");
}

TEST(Tcx, RefusesWhatIsNoActivity) {
  EXPECT_EQ(fault("<TrainingCenterDatabase><Courses><Course/></Courses></TrainingCenterDatabase>").slug(),
            "not-an-activity");
  EXPECT_EQ(fault("<TrainingCenterDatabase><Workouts/></TrainingCenterDatabase>").slug(), "not-an-activity");
  EXPECT_EQ(fault(tcx("")).slug(), "no-track-points");
  EXPECT_EQ(fault(tcx(activity(lap("")))).slug(), "no-track-points");
  EXPECT_EQ(fault("<gpx/>").slug(), "not-tcx");
}

TEST(Tcx, RefusesAPositionThatIsNone) {
  const auto with = [](std::string_view latitude, std::string_view longitude) {
    return tcx(activity(lap("<Track>" + track_point(0) +
                            track_point(1, "<Position><LatitudeDegrees>" + std::string{latitude} +
                                               "</LatitudeDegrees><LongitudeDegrees>" +
                                               std::string{longitude} + "</LongitudeDegrees></Position>") +
                            "</Track>")));
  };
  EXPECT_EQ(fault(with("undefined", "1")).field(), "points[1].lat");
  EXPECT_EQ(fault(with("91", "1")).field(), "points[1].lat");
  EXPECT_EQ(fault(with("1", "1e309")).field(), "points[1].lon");
  const auto invalid = parse_tcx(with("180.0", "180.0"), {});
  ASSERT_TRUE(invalid.has_value());
  EXPECT_TRUE(invalid->front().samples.latitude_deg.empty());
}

}  // namespace
}  // namespace ekiden::activity
