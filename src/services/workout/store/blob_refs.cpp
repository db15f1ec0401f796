#include "services/workout/store/blob_refs.hpp"

#include <algorithm>
#include <stdexcept>

#include "services/workout/store/storage.hpp"

namespace ekiden::workout {

blobs::Hash hash_of(std::string_view bytes) {
  blobs::Hash hash;
  if (bytes.size() != hash.bytes.size()) throw std::logic_error("a blob's hash has 32 bytes");
  std::ranges::transform(bytes, hash.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

sql::Blob to_blob(const blobs::Hash& hash) {
  return sql::Blob{std::string(hash.as_view())};
}

Result<bool> is_blob_referenced(sql::Tx& tx, const blobs::Hash& hash) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT 1 FROM upload_files WHERE blob_hash = $1 AND holds_blob LIMIT 1", {to_blob(hash)}));
  return !rows.empty();
}

Result<BlobClaim> claim_blob(sql::Tx& tx, const blobs::Hash& hash, std::optional<Timestamp> known_removal) {
  using Next = BlobClaim::Next;
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT state, changed_at FROM blob_removals WHERE blob_hash = $1", {to_blob(hash)}));
  if (rows.empty() || rows.front().text(0) == "waiting") return BlobClaim{};
  if (rows.front().text(0) == "removing") return BlobClaim{.next = Next::wait};
  const Timestamp removed_at = rows.front().time(1);
  if (known_removal != removed_at) return BlobClaim{.next = Next::store, .removed_at = removed_at};
  EKIDEN_CHECK(tx.execute("DELETE FROM blob_removals WHERE blob_hash = $1", {to_blob(hash)}));
  return BlobClaim{};
}

Result<std::vector<blobs::Hash>> note_removals(sql::Tx& tx, const std::vector<blobs::Hash>& hashes,
                                               Timestamp now) {
  std::vector<blobs::Hash> noted;
  for (const blobs::Hash& hash : hashes) {
    EKIDEN_CHECK(recount_original(tx, hash));
    EKIDEN_TRY(const bool referenced, is_blob_referenced(tx, hash));
    if (referenced) continue;
    EKIDEN_TRY(
        const std::int64_t changed,
        tx.execute(
            "INSERT INTO blob_removals (blob_hash, state, changed_at) VALUES ($1, 'waiting', $2) ON CONFLICT "
            "(blob_hash) DO UPDATE SET state = 'waiting', changed_at = $2 WHERE blob_removals.state = "
            "'removed'",
            {to_blob(hash), now}));
    if (changed == 1) noted.push_back(hash);
  }
  return noted;
}

Result<bool> begin_removal(sql::Tx& tx, const blobs::Hash& hash, Timestamp now) {
  EKIDEN_TRY(const bool referenced, is_blob_referenced(tx, hash));
  if (referenced) {
    EKIDEN_CHECK(tx.execute("DELETE FROM blob_removals WHERE blob_hash = $1", {to_blob(hash)}));
    return false;
  }
  EKIDEN_TRY(const std::int64_t changed, tx.execute("UPDATE blob_removals SET state = 'removing', changed_at "
                                                    "= $2 WHERE blob_hash = $1 AND state <> 'removed'",
                                                    {to_blob(hash), now}));
  return changed == 1;
}

Result<void> end_removal(sql::Tx& tx, const blobs::Hash& hash, Timestamp now) {
  EKIDEN_CHECK(
      tx.execute("UPDATE blob_removals SET state = 'removed', changed_at = $2 WHERE blob_hash = $1 AND state "
                 "= 'removing'",
                 {to_blob(hash), now}));
  return {};
}

Result<void> prune_removals(sql::Tx& tx, Timestamp before) {
  EKIDEN_CHECK(tx.execute("DELETE FROM blob_removals WHERE state = 'removed' AND changed_at < $1", {before}));
  return {};
}

}  // namespace ekiden::workout
