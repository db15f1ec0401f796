#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"
#include "runtime/metrics.hpp"
#include "services/inventory/domain/gear.hpp"

namespace ekiden::inventory {

/// How updates of gear go: `ekiden_gear_updates_total` and `ekiden_gear_lost_races_total`.
struct GearMetrics {
  GearMetrics() = default;
  explicit GearMetrics(runtime::Metrics& metrics);
  runtime::Counter updates;     ///< durable ones; each has raised a version by one
  runtime::Counter lost_races;  ///< another one was faster: read again
};

/// Slug of an update that found another version than the one that was read.
inline constexpr std::string_view kRaceLost = "race-lost";

Result<void> insert_gear(sql::Tx& tx, const Gear& gear);
Result<std::optional<Gear>> find_gear(sql::Tx& tx, GearId gear_id);
Result<std::vector<Gear>> find_gear(sql::Tx& tx, const std::vector<GearId>& gear_ids);

/// Writes everything that can change, where the row still has the version that `gear` was read with; `gear`
/// then has the next one. Losses and, once durable, updates are counted.
/// @errors unavailable `race-lost`: somebody else has changed it meanwhile: the transaction is to be run
/// again.
Result<void> update_gear(sql::Tx& tx, Gear& gear, const GearMetrics& metrics);

/// With its ledger, its places among the defaults and, of a part, its mountings.
/// @errors conflict `has-mountings`: parts are or were mounted on it.
Result<void> delete_gear(sql::Tx& tx, const Gear& gear);

struct GearFilter {
  std::optional<Kind> kind{};
  std::optional<bool> retired{};
};
/// One person's gear, the newest first, after `after`.
Result<std::vector<Gear>> list_gear(sql::Tx& tx, UserId user_id, const GearFilter& filter,
                                    std::optional<GearId> after, std::int64_t limit);
/// What one person uses and expects to wear out.
Result<std::vector<Gear>> list_wearing(sql::Tx& tx, UserId user_id);
Result<std::int64_t> count_gear(sql::Tx& tx, UserId user_id);
Result<bool> is_photo_kept(sql::Tx& tx, const blobs::Hash& hash);

/// All gear with an id above `after`, in order of id.
Result<std::vector<Gear>> list_all_gear(sql::Tx& tx, GearId after, std::int64_t limit);

/// A row's bytes as a hash. Throws std::logic_error where they are not 32: a bug.
blobs::Hash hash_of(std::string_view bytes);

}  // namespace ekiden::inventory
