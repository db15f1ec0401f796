#include "services/inventory/store/people.hpp"

#include "services/inventory/store/gear.hpp"
#include "services/inventory/store/in_list.hpp"

namespace ekiden::inventory {

Result<bool> is_erased(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT 1 FROM erased_users WHERE user_id = $1", {user_id}));
  return !rows.empty();
}

Result<std::set<UserId>> erased_among(sql::Tx& tx, const std::vector<UserId>& user_ids) {
  EKIDEN_TRY(const sql::Rows rows, select_in(tx, "SELECT user_id FROM erased_users WHERE user_id", user_ids));
  std::set<UserId> erased;
  for (const sql::Row& row : rows) erased.insert(row.id<UserId>(0));
  return erased;
}

Result<std::vector<blobs::Hash>> erase_person(sql::Tx& tx, UserId user_id, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT photo_hash FROM gear WHERE user_id = $1 AND photo_hash IS NOT NULL", {user_id}));
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO erased_users (user_id, erased_at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
      {user_id, now}));
  for (const std::string_view statement :
       {"DELETE FROM mountings WHERE user_id = $1", "DELETE FROM default_gear WHERE user_id = $1",
        "DELETE FROM default_sets WHERE user_id = $1",
        "DELETE FROM ledger WHERE gear_id IN (SELECT gear_id FROM gear WHERE user_id = $1)",
        "DELETE FROM workouts WHERE user_id = $1", "DELETE FROM gear WHERE user_id = $1"}) {
    EKIDEN_CHECK(tx.execute(statement, {user_id}));
  }
  // Answers that are kept for repeated requests hold what was entered.
  EKIDEN_CHECK(tx.execute("DELETE FROM idempotency WHERE scope = $1", {user_id.to_string()}));
  std::vector<blobs::Hash> photos;
  photos.reserve(rows.size());
  for (const sql::Row& row : rows) photos.push_back(hash_of(row.bytes(0)));
  return photos;
}

}  // namespace ekiden::inventory
