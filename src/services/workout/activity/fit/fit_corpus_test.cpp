// Real recordings against what independent decoders say of them. The files are not part of the repository:
// the folder is $EKIDEN_ACTIVITIES, else ../shared/activities beside the repository.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/fit/fit.hpp"

namespace ekiden::activity {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Samples left out because two share a second.
const std::map<std::string, std::size_t> kDropped{
    {"fit/fitparse_edge500.fit", 15},
    {"fit/fitparse_pool-swim-hr-events.fit", 2},
};
/// Here the oracle's segments differ: it knows only those with positions, and joins the sample that an Edge
/// 500 writes in every pause to what follows (ours is a segment of its own, so that nothing is measured
/// across).
const std::set<std::string> kOtherSegments{"fit/fitparse_edge500.fit",
                                           "fit/fitparse_wahoo-elemnt-pauses.fit"};
/// Records without any time: the lengths of the pool take their place.
const std::string kTimelessPoolSwim = "fit/phpfit_pool-swim-fr910xt.fit";

std::filesystem::path corpus_folder() {
  const char* given = std::getenv("EKIDEN_ACTIVITIES");  // NOLINT(concurrency-mt-unsafe): nothing sets it
  if (given != nullptr) return given;
  return std::filesystem::path(EKIDEN_SOURCE_DIR) / ".." / "shared" / "activities";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The number under `key`, however JSON writes it.
std::optional<double> number_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string{};
}

const json::object& object_in(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->as_object() : kNone;
}

/// "2018-05-27T07:33:01.000Z" as Unix milliseconds.
std::optional<std::int64_t> time_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6)
    return {};
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  const auto time = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                    std::chrono::seconds{second};
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

template <class T>
std::size_t count(const std::vector<T>& column) {
  std::size_t count = 0;
  for (const T value : column) count += std::isnan(value) ? 0U : 1U;
  return count;
}

void expect_total(const json::object& session, std::string_view key, const std::optional<double>& ours) {
  const std::optional<double> theirs = number_in(session, key);
  if (!theirs) return;
  ASSERT_TRUE(ours) << key;
  EXPECT_NEAR(*ours, *theirs, 1e-6 * (1 + std::abs(*theirs))) << key;
}

void expect_session(const json::object& session, const Activity& activity) {
  const Recorded& recorded = activity.recorded;
  if (!activity.clock_is_relative) {
    EXPECT_EQ(recorded.start_ms, time_of(text_in(session, "startTime")));
  }
  expect_total(session, "totalElapsedTime", recorded.elapsed_s);
  expect_total(session, "totalTimerTime", recorded.timer_s);
  expect_total(session, "totalMovingTime", recorded.moving_s);
  expect_total(session, "totalDistance", recorded.distance_m);
  expect_total(session, "totalAscent", recorded.ascent_m);
  expect_total(session, "totalDescent", recorded.descent_m);
  expect_total(session, "totalCalories", recorded.calories_kcal);
  expect_total(session, "enhancedMaxSpeed", recorded.max_speed_mps);
  expect_total(session, "avgHeartRate", recorded.average_heart_rate_bpm);
  expect_total(session, "maxHeartRate", recorded.max_heart_rate_bpm);
  expect_total(session, "avgPower", recorded.average_power_w);
  // The oracle rounds down; the fraction is a field of its own.
  if (recorded.average_cadence_rpm) {
    EXPECT_EQ(std::floor(*recorded.average_cadence_rpm), number_in(session, "avgCadence"));
  }
}

/// Counts over all legs of a file.
struct Sums {
  std::size_t samples = 0, positions = 0, heart_rates = 0, cadences = 0, powers = 0, altitudes = 0,
              distances = 0;
  std::size_t segments = 0;
  std::vector<double> lap_timers;
  double heart_rate = 0;
  double power = 0;
};

Sums sum_of(const std::vector<Activity>& activities) {
  Sums sums;
  for (const Activity& activity : activities) {
    const Samples& samples = activity.samples;
    sums.samples += samples.size();
    sums.positions += count(samples.latitude_deg);
    sums.heart_rates += count(samples.heart_rate_bpm);
    sums.cadences += count(samples.cadence_rpm);
    sums.powers += count(samples.power_w);
    sums.altitudes += count(samples.altitude_m);
    sums.distances += count(samples.distance_m);
    sums.segments += activity.segment_starts.size();
    for (const Lap& lap : activity.laps) sums.lap_timers.push_back(lap.timer_s.value_or(NAN));
    for (const float bpm : samples.heart_rate_bpm)
      sums.heart_rate += std::isnan(bpm) ? 0 : static_cast<double>(bpm);
    for (const float watts : samples.power_w)
      sums.power += std::isnan(watts) ? 0 : static_cast<double>(watts);
  }
  return sums;
}

/// Holds for every activity, whatever the file.
void expect_promises(const Activity& activity) {
  const Samples& samples = activity.samples;
  double distance = -1;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i > 0) {
      EXPECT_GT(samples.time_ms[i], samples.time_ms[i - 1]) << i;
    }
    if (samples.distance_m.empty() || std::isnan(samples.distance_m[i])) continue;
    EXPECT_GE(samples.distance_m[i], distance) << i;
    distance = samples.distance_m[i];
  }
  for (const std::size_t size :
       {samples.latitude_deg.size(), samples.longitude_deg.size(), samples.distance_m.size(),
        samples.altitude_m.size(), samples.heart_rate_bpm.size(), samples.power_w.size()}) {
    EXPECT_TRUE(size == 0 || size == samples.size());
  }
  EXPECT_EQ(samples.latitude_deg.size(), samples.longitude_deg.size());
  EXPECT_EQ(activity.segment_starts.empty(), samples.size() == 0);
  EXPECT_LE(activity.warnings.size(), 16U);
}

void expect_records(const std::string& name, const json::object& records,
                    const std::vector<Activity>& activities, bool has_strap) {
  const Sums sums = sum_of(activities);
  const auto theirs = [&](std::string_view key) { return number_in(records, key).value_or(0); };
  const auto dropped = kDropped.find(name);
  if (dropped != kDropped.end()) {
    EXPECT_EQ(static_cast<double>(sums.samples + dropped->second), theirs("n"));
    return;
  }
  EXPECT_EQ(static_cast<double>(sums.samples), theirs("n"));
  EXPECT_EQ(static_cast<double>(sums.positions), theirs("position"));
  EXPECT_EQ(static_cast<double>(sums.cadences), theirs("cadence"));
  EXPECT_EQ(static_cast<double>(sums.powers), theirs("power"));
  EXPECT_EQ(static_cast<double>(sums.altitudes), theirs("altitude"));
  EXPECT_EQ(static_cast<double>(sums.distances), theirs("distance"));
  if (has_strap) {
    EXPECT_GE(static_cast<double>(sums.heart_rates), theirs("heart_rate"));
  } else {
    EXPECT_EQ(static_cast<double>(sums.heart_rates), theirs("heart_rate"));
  }
  if (sums.powers > 0) {
    EXPECT_NEAR(sums.power / static_cast<double>(sums.powers), theirs("power_mean_of_records"), 0.001);
  }
  if (sums.samples == 0) return;
  EXPECT_EQ(activities.front().samples.time_ms.front(), time_of(text_in(records, "first")));
  EXPECT_EQ(activities.back().samples.time_ms.back(), time_of(text_in(records, "last")));
}

void expect_file(const std::string& name, const json::object& expected,
                 const std::vector<Activity>& activities) {
  const json::object& garmin = object_in(expected, "garmin_fitsdk");
  const bool has_strap = object_in(garmin, "message_counts").contains("hrMesgs");
  const json::array& sessions = garmin.at("sessions").as_array();
  ASSERT_EQ(activities.size(), sessions.size());
  for (std::size_t i = 0; i < activities.size(); ++i) {
    expect_session(sessions[i].as_object(), activities[i]);
    expect_promises(activities[i]);
  }
  const Sums sums = sum_of(activities);
  const json::object& laps = object_in(garmin, "laps");
  const json::value* timers = laps.if_contains("timer");
  ASSERT_TRUE(timers != nullptr && timers->is_array());
  ASSERT_EQ(sums.lap_timers.size(), timers->as_array().size());
  for (std::size_t i = 0; i < sums.lap_timers.size(); ++i) {
    const json::value& timer = timers->as_array()[i];
    if (timer.is_number()) {
      EXPECT_NEAR(sums.lap_timers[i], timer.to_number<double>(), 1e-6) << "lap " << i;
    }
  }
  if (name == kTimelessPoolSwim) {
    EXPECT_EQ(sums.samples, 68U);
    EXPECT_NEAR(activities.front().samples.distance_m.back(), 1371.6, 1e-6);
    return;
  }
  // The oracle gives up on compressed timestamps; what another one counts holds there.
  if (garmin.at("errors").as_array().empty() || !object_in(garmin, "records").empty()) {
    if (object_in(garmin, "records").at("n").to_number<double>() > 0) {
      expect_records(name, object_in(garmin, "records"), activities, has_strap);
    } else {
      EXPECT_EQ(static_cast<double>(sums.samples),
                number_in(object_in(expected, "fit_file_parser"), "records"));
    }
  }
  const std::optional<double> segments = number_in(object_in(expected, "gpsbabel"), "trkseg");
  if (segments.value_or(0) > 0 && activities.size() == 1 && !kOtherSegments.contains(name)) {
    EXPECT_EQ(static_cast<double>(sums.segments), *segments);
  }
}

TEST(FitCorpus, EveryRecordingIsReadAsTheOraclesReadIt) {
  const std::filesystem::path folder = corpus_folder();
  if (!std::filesystem::exists(folder / "expected.json")) {
    GTEST_SKIP() << "no recordings in " << folder << ": set EKIDEN_ACTIVITIES to have them compared";
  }
  const json::value expected = json::parse(read_file(folder / "expected.json"));
  std::size_t files = 0;
  for (const auto& [key, value] : expected.at("files").as_object()) {
    const std::string name = key;
    if (!name.starts_with("fit/")) continue;
    SCOPED_TRACE(name);
    ++files;
    const std::string bytes = read_file(folder / name);
    ASSERT_THAT(bytes, Not(IsEmpty()));
    const auto parsed = parse_fit(bytes);
    const std::string import = text_in(value.as_object(), "import");
    if (import.starts_with("no activity")) {
      ASSERT_FALSE(parsed);
      EXPECT_EQ(parsed.error().slug(), "not-an-activity");
    } else if (import.starts_with("malformed")) {
      ASSERT_FALSE(parsed);
      EXPECT_THAT(parsed.error().slug(), testing::AnyOf("fit-bad-header", "fit-bad-crc"));
      EXPECT_THAT(parsed.error().text(), HasSubstr("at byte "));
    } else {
      ASSERT_TRUE(parsed) << parsed.error().text();
      if (import.starts_with("accept with a warning")) {
        EXPECT_THAT(parsed->front().warnings, Contains(HasSubstr("checksum")));
      }
      expect_file(name, value.as_object(), *parsed);
    }
  }
  EXPECT_EQ(files, 39U);
}

TEST(FitCorpus, ADamagedCopyOfARecordingIsRefused) {
  const std::filesystem::path file = corpus_folder() / "fit" / "fitparse_edge820-short.fit";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no recording at " << file;
  const std::string sound = read_file(file);
  ASSERT_TRUE(parse_fit(sound));
  for (std::size_t size = 0; size < sound.size(); ++size) {
    EXPECT_FALSE(parse_fit(std::string_view(sound).substr(0, size))) << size;
  }
  // A wrong checksum is forgiven only with a warning, and not at all where that is not wanted.
  ParseLimits strict;
  strict.forgive_fit_checksum = false;
  std::size_t refused = 0;
  for (std::size_t at = 14; at + 100 < sound.size(); at += 100) {
    std::string torn = sound;
    torn.replace(at, 100, 100, '\x55');
    EXPECT_FALSE(parse_fit(torn, strict)) << at;
    const auto parsed = parse_fit(torn);
    if (parsed) {
      EXPECT_THAT(parsed->front().warnings, Contains(HasSubstr("checksum"))) << at;
    } else {
      ++refused;
    }
  }
  EXPECT_GE(refused, 38U);
}

}  // namespace
}  // namespace ekiden::activity
