#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/workout/domain/workout.hpp"

namespace ekiden::workout {

Result<void> insert_workout(sql::Tx& tx, const Workout& workout);
Result<std::optional<Workout>> find_workout(sql::Tx& tx, WorkoutId workout_id);
/// Writes all fields that can change. False where the row has not `workout.version - 1` any more.
Result<bool> update_workout(sql::Tx& tx, const Workout& workout);
/// Leaves id, owner and last version, and nothing else. @param version of the deletion.
Result<void> delete_workout(sql::Tx& tx, const Workout& workout, std::int64_t version);

/// Which of one's workouts to list, the newest first.
struct WorkoutFilter {
  std::optional<activity::Sport> sport{};
  std::optional<Timestamp> from{};    ///< start_time not before
  std::optional<Timestamp> before{};  ///< start_time before
  std::string text{};                 ///< part of the name, without case; empty: any
};
/// A place in the list: after this workout.
struct ListPlace {
  Timestamp start_time;
  WorkoutId workout_id;
};
Result<std::vector<Workout>> list_workouts(sql::Tx& tx, UserId user_id, const WorkoutFilter& filter,
                                           const std::optional<ListPlace>& after, std::int64_t limit);

/// Up to `limit` living workouts of everyone with an id above `after`, in order of id.
Result<std::vector<Workout>> list_all(sql::Tx& tx, WorkoutId after, std::int64_t limit);

Result<void> put_recording(sql::Tx& tx, WorkoutId workout_id, const Recording& recording);
/// nullopt for workouts without samples.
Result<std::optional<std::string>> find_samples(sql::Tx& tx, WorkoutId workout_id);
Result<std::optional<std::string>> find_laps(sql::Tx& tx, WorkoutId workout_id);
Result<std::optional<std::string>> find_splits(sql::Tx& tx, WorkoutId workout_id);

/// This person's workouts that were read from a file of this content.
Result<std::vector<WorkoutId>> workouts_of_content(sql::Tx& tx, UserId user_id,
                                                   const blobs::Hash& content_hash);
/// This person's workout that a device knows under `device_id`.
Result<std::optional<WorkoutId>> workout_of_device(sql::Tx& tx, UserId user_id, const std::string& device_id);
Result<bool> workout_lives(sql::Tx& tx, WorkoutId workout_id);

}  // namespace ekiden::workout
