#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "json/types.hpp"
#include "services/workout/domain/upload.hpp"

namespace ekiden::workout {

struct BestEffortView {
  double distance_m = 0;
  double elapsed_s = 0;
  Timestamp started_at;
};
BOOST_DESCRIBE_STRUCT(BestEffortView, (), (distance_m, elapsed_s, started_at))

/// Seconds in each zone of the heart rate: below 50 % of the maximum, then five zones.
struct ZonesView {
  std::vector<std::int64_t> heart_rate_s;
};
BOOST_DESCRIBE_STRUCT(ZonesView, (), (heart_rate_s))

/// A workout as everyone who may see it sees it.
struct WorkoutView {
  WorkoutId id;
  UserId user_id;
  std::string sport;
  std::string name;
  std::string description;
  Timestamp start_time;
  std::optional<std::string> time_zone;
  std::optional<std::int64_t> utc_offset_s;
  std::optional<std::string> local_date;
  std::int64_t distance_m = 0;
  double elapsed_s = 0;
  double timer_s = 0;
  double moving_s = 0;
  std::optional<double> elevation_gain_m;
  std::optional<double> elevation_loss_m;
  std::optional<double> average_speed_mps;
  std::optional<double> max_speed_mps;
  std::optional<double> average_heart_rate_bpm;
  std::optional<double> max_heart_rate_bpm;
  std::optional<double> average_cadence_rpm;
  std::optional<double> average_power_w;
  std::optional<double> calories_kcal;
  std::optional<double> training_load;
  std::optional<ZonesView> zones;
  std::int64_t point_count = 0;
  std::vector<Uuid> gear_ids;
  std::string visibility;
  bool ranked = true;
  std::optional<std::string> unranked_reason;
  std::vector<BestEffortView> best_efforts;
  std::string source;
  std::int64_t version = 1;
  Timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(WorkoutView, (),
                      (id, user_id, sport, name, description, start_time, time_zone, utc_offset_s, local_date,
                       distance_m, elapsed_s, timer_s, moving_s, elevation_gain_m, elevation_loss_m,
                       average_speed_mps, max_speed_mps, average_heart_rate_bpm, max_heart_rate_bpm,
                       average_cadence_rpm, average_power_w, calories_kcal, training_load, zones, point_count,
                       gear_ids, visibility, ranked, unranked_reason, best_efforts, source, version,
                       created_at))
WorkoutView view_of(const Workout& workout);

struct WorkoutsView {
  std::vector<WorkoutView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(WorkoutsView, (), (items, next_cursor))

struct LapView {
  std::optional<Timestamp> start_time;
  std::optional<double> elapsed_s;
  std::optional<double> timer_s;
  std::optional<double> distance_m;
  std::optional<double> average_heart_rate_bpm;
  std::optional<double> max_heart_rate_bpm;
  std::optional<double> max_speed_mps;
  std::optional<double> calories_kcal;
};
BOOST_DESCRIBE_STRUCT(LapView, (),
                      (start_time, elapsed_s, timer_s, distance_m, average_heart_rate_bpm, max_heart_rate_bpm,
                       max_speed_mps, calories_kcal))

struct LapsView {
  std::vector<LapView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(LapsView, (), (items, next_cursor))

struct SplitView {
  double distance_m = 0;
  double elapsed_s = 0;
  double moving_s = 0;
};
BOOST_DESCRIBE_STRUCT(SplitView, (), (distance_m, elapsed_s, moving_s))

struct SplitsView {
  std::vector<SplitView> km;
  std::vector<SplitView> mile;
};
BOOST_DESCRIBE_STRUCT(SplitsView, (), (km, mile))

struct ProgressView {
  std::int64_t done = 0;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(ProgressView, (), (done, total))

struct UploadFileView {
  std::string name;
  FileStatus status = FileStatus::queued;
  std::vector<Uuid> workout_ids;
  std::optional<Problem> problem;
};
BOOST_DESCRIBE_STRUCT(UploadFileView, (), (name, status, workout_ids, problem))

struct UploadView {
  UploadId id;
  UploadStatus status = UploadStatus::queued;
  ProgressView progress;
  std::optional<std::string> external_id;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;
  std::vector<UploadFileView> files;
};
BOOST_DESCRIBE_STRUCT(UploadView, (), (id, status, progress, external_id, created_at, ended_at, files))
/// @param in_work the upload's job runs at this moment.
UploadView view_of(const Upload& upload, bool in_work);

/// In a list, without the files.
struct UploadItem {
  UploadId id;
  UploadStatus status = UploadStatus::queued;
  ProgressView progress;
  std::optional<std::string> external_id;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;
};
BOOST_DESCRIBE_STRUCT(UploadItem, (), (id, status, progress, external_id, created_at, ended_at))

struct UploadsView {
  std::vector<UploadItem> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(UploadsView, (), (items, next_cursor))

}  // namespace ekiden::workout
