#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/inventory/domain/gear.hpp"

namespace ekiden::inventory {

Result<void> insert_mounting(sql::Tx& tx, const Mounting& mounting);
Result<std::optional<Mounting>> find_mounting(sql::Tx& tx, MountingId mounting_id);
/// Writes bike and times where the row has `mounting.version - 1`; else false.
Result<bool> update_mounting(sql::Tx& tx, const Mounting& mounting);
Result<void> delete_mounting(sql::Tx& tx, MountingId mounting_id);

/// A place in a part's list: after this mounting.
struct MountingPlace {
  Timestamp mounted_at;
  MountingId mounting_id;
};
/// A part's, or what was on a bike, the latest first.
Result<std::vector<Mounting>> list_mountings(sql::Tx& tx, const Gear& gear,
                                             const std::optional<MountingPlace>& after, std::int64_t limit);
Result<std::int64_t> count_mountings(sql::Tx& tx, GearId part_id);
/// Another mounting of the same part that has an instant in common with this one.
Result<bool> overlaps(sql::Tx& tx, const Mounting& mounting);

/// What is or was mounted on these bikes.
Result<std::map<GearId, std::vector<Mounting>>> mountings_on(sql::Tx& tx,
                                                             const std::vector<GearId>& bike_ids);

}  // namespace ekiden::inventory
