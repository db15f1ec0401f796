#include "services/workout/domain/views.hpp"

namespace ekiden::workout {

namespace {

double seconds(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

std::optional<std::string> non_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

WorkoutView view_of(const Workout& workout) {
  WorkoutView view{.id = workout.workout_id,
                   .user_id = workout.user_id,
                   .sport = std::string(activity::to_string(workout.sport)),
                   .name = workout.name,
                   .description = workout.description,
                   .start_time = workout.start_time,
                   .time_zone = workout.time_zone,
                   .utc_offset_s = workout.utc_offset_s,
                   .local_date = workout.local_date,
                   .distance_m = workout.distance_m,
                   .elapsed_s = seconds(workout.elapsed_ms),
                   .timer_s = seconds(workout.timer_ms),
                   .moving_s = seconds(workout.moving_ms),
                   .elevation_gain_m = workout.elevation_gain_m,
                   .elevation_loss_m = workout.elevation_loss_m,
                   .average_speed_mps = workout.average_speed_mps,
                   .max_speed_mps = workout.max_speed_mps,
                   .average_heart_rate_bpm = workout.average_heart_rate_bpm,
                   .max_heart_rate_bpm = workout.max_heart_rate_bpm,
                   .average_cadence_rpm = workout.average_cadence_rpm,
                   .average_power_w = workout.average_power_w,
                   .calories_kcal = workout.calories_kcal,
                   .training_load = workout.training_load,
                   .zones = {},
                   .point_count = workout.point_count,
                   .gear_ids = workout.gear_ids,
                   .visibility = std::string(to_string(workout.visibility)),
                   .ranked = !workout.unranked_reason,
                   .unranked_reason = workout.unranked_reason,
                   .best_efforts = {},
                   .source = workout.source,
                   .version = workout.version,
                   .created_at = workout.created_at};
  if (!workout.heart_rate_zone_s.empty()) view.zones = ZonesView{workout.heart_rate_zone_s};
  for (const BestEffort& effort : workout.best_efforts) {
    view.best_efforts.push_back({.distance_m = effort.distance_m,
                                 .elapsed_s = seconds(effort.elapsed_ms),
                                 .started_at = effort.started_at});
  }
  return view;
}

UploadView view_of(const Upload& upload, bool in_work) {
  UploadView view{.id = upload.upload_id,
                  .status = upload.status,
                  .progress = {.done = upload.files_done, .total = upload.files_total},
                  .external_id = non_empty(upload.wishes.external_id),
                  .created_at = upload.created_at,
                  .ended_at = upload.ended_at,
                  .files = {}};
  if (view.status == UploadStatus::queued && (in_work || upload.files_done > 0))
    view.status = UploadStatus::processing;
  view.files.reserve(upload.files.size());
  for (const UploadFile& file : upload.files) {
    view.files.push_back(
        {.name = file.name, .status = file.status, .workout_ids = file.workout_ids, .problem = file.problem});
  }
  return view;
}

}  // namespace ekiden::workout
