#pragma once

#include <map>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/inventory/domain/counting.hpp"

namespace ekiden::inventory {

Result<DefaultSet> find_defaults(sql::Tx& tx, UserId user_id);
Result<std::map<UserId, Defaults>> find_defaults(sql::Tx& tx, const std::vector<UserId>& user_ids);

/// Replaces them all. @param next with the version that is to follow on the one that was read.
/// @errors unavailable `race-lost`: somebody has changed them meanwhile: the transaction is to be run again.
Result<void> put_defaults(sql::Tx& tx, UserId user_id, const DefaultSet& next);
/// Takes the piece out of its owner's defaults, where it is among them.
Result<void> remove_from_defaults(sql::Tx& tx, const Gear& gear);

}  // namespace ekiden::inventory
