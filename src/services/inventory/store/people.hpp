#pragma once

#include <set>
#include <vector>

#include "base/id.hpp"
#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::inventory {

Result<bool> is_erased(sql::Tx& tx, UserId user_id);
/// Those of these people who have been erased.
Result<std::set<UserId>> erased_among(sql::Tx& tx, const std::vector<UserId>& user_ids);

/// Deletes everything of a person and remembers the id, so that nothing of theirs comes back.
/// @returns the photos that are to be removed.
Result<std::vector<blobs::Hash>> erase_person(sql::Tx& tx, UserId user_id, Timestamp now);

}  // namespace ekiden::inventory
