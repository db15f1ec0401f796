// Every file of the collection of real recordings against what other programs and the reference reading made
// of it.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "services/workout/activity/figures/elevation.hpp"
#include "services/workout/activity/figures/figures.hpp"
#include "services/workout/activity/fit/fit.hpp"
#include "services/workout/activity/gpx/gpx.hpp"
#include "services/workout/activity/tcx/tcx.hpp"
#include "services/workout/activity/testing/documents.hpp"
#include "services/workout/activity/values.hpp"

namespace ekiden::activity {
namespace {

namespace json = boost::json;
using std::chrono::sys_days;

constexpr std::chrono::sys_seconds kNow = sys_days{std::chrono::year{2027} / 1 / 1};

std::filesystem::path folder() {
  const char* const set = std::getenv("EKIDEN_ACTIVITIES");
  return set != nullptr ? set : EKIDEN_ACTIVITIES_DEFAULT;
}

/// The file's bytes, unpacked where they are gzip.
std::string load(const std::filesystem::path& path) {
  std::string bytes;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::array<char, 65536> buffer;
  for (int count = 1; count > 0;) {
    count = gzread(file, buffer.data(), buffer.size());
    if (count > 0) bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  return bytes;
}

Result<std::vector<Activity>> parse(const std::string& name, std::string_view bytes) {
  if (name.starts_with("gpx/")) return parse_gpx(bytes, {});
  if (name.starts_with("tcx/")) return parse_tcx(bytes, {});
  return parse_fit(bytes, {});
}

double number(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? std::nan("") : value->to_number<double>();
}

const json::object* object(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

template <class Column>
double present(const Column& column) {
  return static_cast<double>(std::ranges::count_if(column, [](auto value) { return !std::isnan(value); }));
}

double timed(const Samples& samples) {
  return static_cast<double>(
      std::ranges::count_if(samples.time_ms, [](auto time) { return time != kNoTime; }));
}

/// What is expected of one number, where it is known at all.
void compare(std::string_view what, double ours, double expected, double tolerance) {
  if (!std::isnan(expected)) EXPECT_NEAR(ours, expected, tolerance) << what;
}

void compare_counts(const Samples& samples, const json::object& scan) {
  compare("positions", present(samples.latitude_deg), number(scan, "trkpt_valid_position"), 0);
  // Positions that only mark a pause have a time of their own.
  const double marks = number(scan, "trkpt") - number(scan, "trkpt_valid_position");
  compare("times", timed(samples) + marks, number(scan, "trkpt_time"), 0);
  compare("elevations", present(samples.altitude_m), number(scan, "trkpt_ele"), 0);
  compare("heart rates", present(samples.heart_rate_bpm), number(scan, "trkpt_hr"), 0);
  compare("cadences", present(samples.cadence_rpm), number(scan, "trkpt_cadence"), 0);
  compare("powers", present(samples.power_w), number(scan, "trkpt_power"), 0);
  compare("temperatures", present(samples.temperature_c), number(scan, "trkpt_temperature"), 0);
  compare("speeds", present(samples.speed_mps), number(scan, "trkpt_speed"), 0);
}

void compare_climb(const Activity& activity, const json::object& climb) {
  const auto measured = measured_climb(activity);
  ASSERT_TRUE(measured.has_value());
  const json::array& expected = climb.at("mean5_1m").as_array();
  EXPECT_NEAR(measured->gain_m, expected[0].to_number<double>(), 0.1);
  EXPECT_NEAR(measured->loss_m, expected[1].to_number<double>(), 0.1);
}

void compare_gpx(const Activity& activity, const Cleaned& cleaned, const json::object& expected) {
  if (const auto* scan = object(expected, "xml_scan")) compare_counts(activity.samples, *scan);
  if (const auto* length = object(expected, "length")) {
    compare("haversine", cleaned.length_m, number(*length, "haversine_r6371008.8"), 0.01);
    const double geodesic = number(*length, "wgs84_geodesic");
    // The sphere's own error reaches 0.56 % along a meridian.
    compare("geodesic", cleaned.length_m, geodesic, 0.0056 * geodesic);
  }
  const auto* climb = object(expected, "climb");
  if (climb != nullptr) compare_climb(activity, *climb);
}

void compare_tcx(const std::vector<Activity>& activities, const json::object& sums) {
  const json::array& all = sums.at("activity").as_array();
  ASSERT_EQ(activities.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const json::object& expected = all[i].as_object();
    const Activity& activity = activities[i];
    const Samples& samples = activity.samples;
    compare("points", static_cast<double>(samples.size()), number(expected, "trackpoints"), 0);
    compare("positions", present(samples.latitude_deg), number(expected, "with_position"), 0);
    compare("heart rates", present(samples.heart_rate_bpm), number(expected, "with_hr"), 0);
    compare("altitudes", present(samples.altitude_m), number(expected, "with_altitude"), 0);
    compare("distances", present(samples.distance_m), number(expected, "with_distance"), 0);
    compare("powers", present(samples.power_w), number(expected, "with_watts"), 0);
    compare("speeds", present(samples.speed_mps), number(expected, "with_speed"), 0);
    compare("laps", static_cast<double>(activity.laps.size()), number(expected, "laps"), 0);
    compare("time", activity.recorded.timer_s.value_or(0), number(expected, "total_time_s"), 1e-3);
    compare("distance", activity.recorded.distance_m.value_or(0), number(expected, "distance_m"), 1e-3);
    compare("calories", activity.recorded.calories_kcal.value_or(0), number(expected, "calories"), 1e-3);
    const auto* climb = object(expected, "climb");
    if (climb != nullptr && activity.segment_starts.size() == 1) compare_climb(activity, *climb);
  }
}

void compare_heart(const Activity& activity, const Cleaned& cleaned, const json::object& expected) {
  const Series rates{activity.samples.time_ms, activity.samples.heart_rate_bpm, cleaned.by_time};
  AthleteProfile athlete{.max_heart_rate_bpm = 190, .rest_heart_rate_bpm = 60};
  const auto man = heart_load(rates, athlete);
  athlete.sex = Sex::female;
  const auto woman = heart_load(rates, athlete);
  ASSERT_TRUE(man && woman);
  const json::array& zones = expected.at("seconds_below50_and_Z1_to_Z5_pct_of_max").as_array();
  for (std::size_t zone = 0; zone < zones.size(); ++zone) {
    EXPECT_NEAR(static_cast<double>(man->zone_ms[zone]) / 1000, zones[zone].to_number<double>(), 0.051)
        << zone;
  }
  compare("trimp, men", man->trimp, number(expected, "trimp_banister_men"), 0.006);
  compare("trimp, women", woman->trimp, number(expected, "trimp_banister_women"), 0.006);
  compare("edwards", man->edwards, number(expected, "trimp_edwards"), 0.006);
}

void compare_splits(const Track& track, const json::object& derived) {
  const json::value* const splits = derived.if_contains("splits_1km_elapsed_s");
  if (splits == nullptr) return;
  const std::vector<Split> ours = splits_of(track, moving_ms_up_to(track, 1 / 3.6), 1000);
  const json::array& expected = splits->as_array();
  ASSERT_GE(ours.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(ours[i].elapsed_ms) / 1000, expected[i].to_number<double>(), 0.1) << i;
  }
}

/// `derived` is the reference reading of the first activity's stream.
void compare_derived(const Activity& activity, const Cleaned& cleaned, const json::object& derived) {
  Track track = cleaned.track;
  if (!std::isnan(number(derived, "elapsed_s"))) {
    ASSERT_GE(track.size(), 2U);
    const double elapsed_s = static_cast<double>(track.time_ms.back() - track.time_ms.front()) / 1000;
    compare("elapsed", elapsed_s, number(derived, "elapsed_s"), 0.0011);
    compare("distance", track.distance_m.back() - track.distance_m.front(), number(derived, "distance_m"),
            0.02);
    // The reference counts steps across pauses.
    track.after_pause.assign(track.size(), false);
    compare("moving", static_cast<double>(moving_ms_up_to(track, 1 / 3.6).back()) / 1000,
            number(derived, "moving_s_above_1kmh"), 0.0011);
    compare_splits(track, derived);
  }
  if (const auto* efforts = object(derived, "best_efforts")) {
    for (const auto& [key, value] : *efforts) {
      const auto ours = best_effort(track, *parse_number(std::string_view{key}));
      ASSERT_TRUE(ours.has_value()) << std::string_view{key};
      EXPECT_NEAR(static_cast<double>(ours->elapsed_ms) / 1000, number(value.as_object(), "time_s"), 0.1)
          << std::string_view{key};
    }
  }
  if (const auto* heart = object(derived, "heart_rate")) compare_heart(activity, cleaned, *heart);
}

/// Figures hold together, whatever the file.
void check_sanity(const Activity& activity, const Cleaned& cleaned) {
  const Figures figures = compute_figures(activity, cleaned, {}, kNow);
  EXPECT_LE(figures.moving_ms, figures.timer_ms);
  EXPECT_LE(figures.timer_ms, figures.elapsed_ms);
  EXPECT_GE(figures.moving_ms, 0);
  EXPECT_GE(figures.distance_m, 0);
  EXPECT_TRUE(std::ranges::is_sorted(cleaned.streams.time_ms, std::ranges::less_equal{}));
  EXPECT_TRUE(std::ranges::is_sorted(cleaned.streams.distance_m));
  EXPECT_LE(resample(cleaned.streams, 50).size(), 50U);
}

/// What the collection says the importer should do.
void check_import(std::string_view import, const Result<std::vector<Activity>>& activities) {
  if (import.starts_with("malformed")) {
    if (!activities) EXPECT_FALSE(activities.error().text().empty());
    return;
  }
  if (import.starts_with("no activity")) {
    ASSERT_FALSE(activities.has_value());
    EXPECT_FALSE(activities.error().text().empty());
    return;
  }
  ASSERT_TRUE(activities.has_value()) << activities.error().text();
  const Figures figures = compute_figures(activities->front(), {}, kNow);
  if (import.starts_with("degenerate")) {
    EXPECT_EQ(figures.distance_m, 0);
    EXPECT_EQ(figures.elapsed_ms, 0);
    EXPECT_FALSE(figures.average_speed_mps.has_value());
  }
  if (import.starts_with("no times")) {
    EXPECT_FALSE(figures.is_ranked());
    EXPECT_EQ(figures.elapsed_ms, 0);
  }
}

void check_file(const std::string& name, const json::object& expected) {
  SCOPED_TRACE(name);
  const std::string bytes = load(folder() / name);
  ASSERT_FALSE(bytes.empty());
  const auto activities = parse(name, bytes);
  const json::value* import = expected.if_contains("import");
  check_import(import == nullptr ? "accept" : std::string_view{import->as_string()}, activities);
  if (!activities) return;
  for (const Activity& activity : *activities) check_sanity(activity, clean(activity));
  const Activity& first = activities->front();
  const Cleaned cleaned = clean(first);
  if (name.starts_with("gpx/")) compare_gpx(first, cleaned, expected);
  if (name.starts_with("tcx/")) compare_tcx(*activities, *object(expected, "tcx_sums"));
  // The reference does not know this file's pauses; the reader of FIT chooses its samples itself.
  if (name.ends_with("opentracks_pause-resume.gpx") || name.starts_with("fit/")) return;
  if (const auto* derived = object(expected, "derived")) compare_derived(first, cleaned, *derived);
}

TEST(ActivityCorpus, EveryFileIsReadAsExpected) {
  std::ifstream file{folder() / "expected.json"};
  if (!file) {
    std::cout << "the collection of recordings is absent (" << folder().string()
              << "): only a generated file is tested; set EKIDEN_ACTIVITIES to its folder\n";
    const auto activities = parse_gpx(testing::gpx(testing::point("1", "2", "2020-01-01T00:00:00Z") +
                                                   testing::point("1.001", "2", "2020-01-01T00:01:00Z")),
                                      {});
    ASSERT_TRUE(activities.has_value());
    EXPECT_EQ(compute_figures(activities->front(), {}, kNow).distance_m, 111);
    return;
  }
  std::stringstream text;
  text << file.rdbuf();
  const json::value expected = json::parse(text.str());
  std::size_t count = 0;
  for (const auto& [name, facts] : expected.at("files").as_object()) {
    check_file(std::string{name}, facts.as_object());
    ++count;
  }
  EXPECT_GE(count, 100U);
}

}  // namespace
}  // namespace ekiden::activity
