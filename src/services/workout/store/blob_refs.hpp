#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::workout {

/// Who refers to which blob, and how one that nobody refers to goes. An upload first stores the content, then
/// writes its rows; a removal first writes `removing`, in a transaction that sees no row, then removes. So
/// the upload's transaction finds either nothing of a removal, or that it must store the content anew.

/// A row's bytes as a hash. Throws std::logic_error where they are not 32: a bug.
blobs::Hash hash_of(std::string_view bytes);
sql::Blob to_blob(const blobs::Hash& hash);

Result<bool> is_blob_referenced(sql::Tx& tx, const blobs::Hash& hash);

/// What a transaction that begins to refer to a blob has to do about removals of it.
struct BlobClaim {
  enum class Next : std::uint8_t {
    go_on,  ///< no removal
    store,  ///< it was removed, maybe after it was stored: store it anew, then claim with `removed_at`
    wait,   ///< it is being removed at this moment: later
  };
  Next next = Next::go_on;
  Timestamp removed_at{};  ///< of `store`: tells this removal from a later one
};
/// @param known_removal the `removed_at` of an earlier claim, after which the content was stored anew.
Result<BlobClaim> claim_blob(sql::Tx& tx, const blobs::Hash& hash, std::optional<Timestamp> known_removal);

/// Notes that these blobs are to be removed, unless they are referred to. @returns those that were not noted
/// before: whoever noted one removes it.
Result<std::vector<blobs::Hash>> note_removals(sql::Tx& tx, const std::vector<blobs::Hash>& hashes,
                                               Timestamp now);

/// First step of removing: false where it is referred to again, and the note is gone.
Result<bool> begin_removal(sql::Tx& tx, const blobs::Hash& hash, Timestamp now);
/// Last step. The note stays a while for uploads that stored the content before.
Result<void> end_removal(sql::Tx& tx, const blobs::Hash& hash, Timestamp now);
/// Forgets what was removed before `before`: no upload is as old.
Result<void> prune_removals(sql::Tx& tx, Timestamp before);

}  // namespace ekiden::workout
