#pragma once

#include <map>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/inventory/domain/counting.hpp"

namespace ekiden::inventory {

/// What is kept of these workouts; those that are not kept are left out.
Result<std::map<WorkoutId, Workout>> find_workouts(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids);
Result<void> put_workouts(sql::Tx& tx, const std::vector<Workout>& workouts);
Result<void> delete_workouts(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids);

/// What these workouts give, as the ledger has it.
Result<std::vector<Entry>> find_entries(sql::Tx& tx, const std::vector<WorkoutId>& workout_ids);
/// Writes new entries and new states of old ones.
Result<void> put_entries(sql::Tx& tx, const std::vector<Entry>& entries);
Result<void> delete_entries(sql::Tx& tx, const std::vector<Entry>& entries);

/// Makes a part's entries anew from its mountings and from what its bikes have; those that name the part
/// stay.
Result<void> recount_part(sql::Tx& tx, GearId part_id);
Result<Use> sum_of(sql::Tx& tx, GearId gear_id);

/// The latest first, those before `before` (empty: from the latest).
Result<std::vector<MonthUse>> months_of(sql::Tx& tx, GearId gear_id, std::string_view before,
                                        std::int64_t limit);

}  // namespace ekiden::inventory
