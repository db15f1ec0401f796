#include "services/inventory/store/mountings.hpp"

#include "services/inventory/store/in_list.hpp"

namespace ekiden::inventory {

namespace {

constexpr std::string_view kSelect =
    "SELECT mounting_id, user_id, version, part_id, bike_id, mounted_at, unmounted_at FROM mountings WHERE ";

Mounting to_mounting(const sql::Row& row) {
  return {.mounting_id = row.id<MountingId>(0),
          .user_id = row.id<UserId>(1),
          .version = row.integer(2),
          .part_id = row.id<GearId>(3),
          .bike_id = row.id<GearId>(4),
          .mounted_at = row.time(5),
          .unmounted_at = row.maybe_time(6)};
}

}  // namespace

Result<void> insert_mounting(sql::Tx& tx, const Mounting& mounting) {
  EKIDEN_CHECK(
      tx.execute("INSERT INTO mountings (mounting_id, user_id, version, part_id, bike_id, mounted_at, "
                 "unmounted_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                 {mounting.mounting_id, mounting.user_id, mounting.version, mounting.part_id,
                  mounting.bike_id, mounting.mounted_at, mounting.unmounted_at}));
  return {};
}

Result<std::optional<Mounting>> find_mounting(sql::Tx& tx, MountingId mounting_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query(std::string(kSelect) + "mounting_id = $1", {mounting_id}));
  if (rows.empty()) return std::optional<Mounting>{};
  return std::optional{to_mounting(rows.front())};
}

Result<bool> update_mounting(sql::Tx& tx, const Mounting& mounting) {
  EKIDEN_TRY(const std::int64_t changed,
             tx.execute("UPDATE mountings SET version = $2, bike_id = $3, mounted_at = $4, unmounted_at = $5 "
                        "WHERE mounting_id = $1 AND version = $2 - 1",
                        {mounting.mounting_id, mounting.version, mounting.bike_id, mounting.mounted_at,
                         mounting.unmounted_at}));
  return changed == 1;
}

Result<void> delete_mounting(sql::Tx& tx, MountingId mounting_id) {
  EKIDEN_CHECK(tx.execute("DELETE FROM mountings WHERE mounting_id = $1", {mounting_id}));
  return {};
}

Result<std::vector<Mounting>> list_mountings(sql::Tx& tx, const Gear& gear,
                                             const std::optional<MountingPlace>& after, std::int64_t limit) {
  std::string statement = std::string(kSelect) + (gear.kind == Kind::bike ? "bike_id = $1" : "part_id = $1");
  sql::Params params{gear.gear_id, limit};
  if (after) {
    statement += " AND (mounted_at, mounting_id) < ($3, $4)";
    params.emplace_back(after->mounted_at);
    params.emplace_back(after->mounting_id);
  }
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(statement + " ORDER BY mounted_at DESC, mounting_id DESC LIMIT $2", std::move(params)));
  std::vector<Mounting> mountings;
  mountings.reserve(rows.size());
  for (const sql::Row& row : rows) mountings.push_back(to_mounting(row));
  return mountings;
}

Result<std::int64_t> count_mountings(sql::Tx& tx, GearId part_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT COUNT(*) FROM mountings WHERE part_id = $1", {part_id}));
  return rows.at(0).integer(0);
}

Result<bool> overlaps(sql::Tx& tx, const Mounting& mounting) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(
          "SELECT 1 FROM mountings WHERE part_id = $1 AND mounting_id <> $2 AND (unmounted_at IS NULL OR "
          "unmounted_at > $3) AND (CAST($4 AS BIGINT) IS NULL OR mounted_at < $4) LIMIT 1",
          {mounting.part_id, mounting.mounting_id, mounting.mounted_at, mounting.unmounted_at}));
  return !rows.empty();
}

Result<std::map<GearId, std::vector<Mounting>>> mountings_on(sql::Tx& tx,
                                                             const std::vector<GearId>& bike_ids) {
  EKIDEN_TRY(const sql::Rows rows, select_in(tx, std::string(kSelect) + "bike_id", bike_ids));
  std::map<GearId, std::vector<Mounting>> found;
  for (const sql::Row& row : rows) {
    const Mounting mounting = to_mounting(row);
    found[mounting.bike_id].push_back(mounting);
  }
  return found;
}

}  // namespace ekiden::inventory
