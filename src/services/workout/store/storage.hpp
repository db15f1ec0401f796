#pragma once

#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::workout {

/// How much room each person's originals take. A content counts once for a person, however many uploads hold
/// it, and for each of the people who have it. Errors of every function: as sql::Tx.

/// Counts a content for a person, if it is new to them. @returns the bytes of all their originals then.
Result<std::int64_t> count_original(sql::Tx& tx, UserId user_id, const blobs::Hash& hash, std::int64_t bytes);
/// Counts it no more for those who do not hold it any longer.
Result<void> recount_original(sql::Tx& tx, const blobs::Hash& hash);
Result<std::int64_t> storage_of(sql::Tx& tx, UserId user_id);

/// Uploads of the person that wait to be imported, or are being.
Result<std::int64_t> queued_uploads(sql::Tx& tx, UserId user_id);

}  // namespace ekiden::workout
