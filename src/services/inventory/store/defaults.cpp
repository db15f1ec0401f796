#include "services/inventory/store/defaults.hpp"

#include "services/inventory/store/gear.hpp"
#include "services/inventory/store/in_list.hpp"

namespace ekiden::inventory {

Result<std::map<UserId, Defaults>> find_defaults(sql::Tx& tx, const std::vector<UserId>& user_ids) {
  EKIDEN_TRY(const sql::Rows rows,
             select_in(tx, "SELECT user_id, sport, gear_id FROM default_gear WHERE user_id", user_ids,
                       " ORDER BY user_id, sport, position"));
  std::map<UserId, Defaults> found;
  for (const sql::Row& row : rows) found[row.id<UserId>(0)][row.text(1)].push_back(row.id<GearId>(2));
  return found;
}

Result<DefaultSet> find_defaults(sql::Tx& tx, UserId user_id) {
  DefaultSet set;
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT version FROM default_sets WHERE user_id = $1", {user_id}));
  if (!rows.empty()) set.version = rows.front().integer(0);
  EKIDEN_TRY(auto found, find_defaults(tx, std::vector{user_id}));
  set.sports = std::move(found[user_id]);
  return set;
}

Result<void> put_defaults(sql::Tx& tx, UserId user_id, const DefaultSet& next) {
  EKIDEN_TRY(
      const std::int64_t changed,
      tx.execute("INSERT INTO default_sets (user_id, version) VALUES ($1, $2) ON CONFLICT (user_id) DO "
                 "UPDATE SET version = excluded.version WHERE default_sets.version = "
                 "excluded.version - 1",
                 {user_id, next.version}));
  if (changed != 1)
    return Error{Errc::unavailable, std::string(kRaceLost), "somebody has changed this at the same moment"};
  EKIDEN_CHECK(tx.execute("DELETE FROM default_gear WHERE user_id = $1", {user_id}));
  std::vector<sql::Params> sets;
  for (const auto& [sport, gear_ids] : next.sports) {
    for (std::size_t i = 0; i < gear_ids.size(); ++i) sets.push_back({user_id, sport, gear_ids[i], i});
  }
  if (sets.empty()) return {};
  EKIDEN_CHECK(
      tx.execute_batch("INSERT INTO default_gear (user_id, sport, gear_id, position) VALUES ($1, $2, $3, $4)",
                       std::move(sets)));
  return {};
}

Result<void> remove_from_defaults(sql::Tx& tx, const Gear& gear) {
  EKIDEN_TRY(const std::int64_t gone,
             tx.execute("DELETE FROM default_gear WHERE gear_id = $1", {gear.gear_id}));
  if (gone == 0) return {};
  EKIDEN_CHECK(
      tx.execute("UPDATE default_sets SET version = version + 1 WHERE user_id = $1", {gear.user_id}));
  return {};
}

}  // namespace ekiden::inventory
