#include "services/workout/store/storage.hpp"

#include "services/workout/store/blob_refs.hpp"

namespace ekiden::workout {

Result<std::int64_t> storage_of(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT bytes FROM storage_use WHERE user_id = $1", {user_id}));
  return rows.empty() ? 0 : rows.front().integer(0);
}

Result<std::int64_t> count_original(sql::Tx& tx, UserId user_id, const blobs::Hash& hash,
                                    std::int64_t bytes) {
  EKIDEN_TRY(const std::int64_t added,
             tx.execute("INSERT INTO stored_originals (blob_hash, user_id, bytes) VALUES ($1, $2, $3) "
                        "ON CONFLICT DO NOTHING",
                        {to_blob(hash), user_id, bytes}));
  if (added == 0) return storage_of(tx, user_id);
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("INSERT INTO storage_use (user_id, bytes) VALUES ($1, $2) ON CONFLICT (user_id) "
                      "DO UPDATE SET bytes = storage_use.bytes + $2 RETURNING bytes",
                      {user_id, bytes}));
  return rows.at(0).integer(0);
}

Result<void> recount_original(sql::Tx& tx, const blobs::Hash& hash) {
  EKIDEN_TRY(const sql::Rows gone,
             tx.query("DELETE FROM stored_originals WHERE blob_hash = $1 AND NOT EXISTS "
                      "(SELECT 1 FROM upload_files f JOIN uploads u ON u.upload_id = f.upload_id "
                      "WHERE f.blob_hash = $1 AND f.holds_blob AND u.user_id = stored_originals.user_id) "
                      "RETURNING user_id, bytes",
                      {to_blob(hash)}));
  for (const sql::Row& row : gone) {
    EKIDEN_CHECK(tx.execute("UPDATE storage_use SET bytes = bytes - $2 WHERE user_id = $1",
                            {row.id<UserId>(0), row.integer(1)}));
  }
  return {};
}

Result<std::int64_t> queued_uploads(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT COUNT(*) FROM uploads WHERE user_id = $1 AND status = 'queued'", {user_id}));
  return rows.at(0).integer(0);
}

}  // namespace ekiden::workout
