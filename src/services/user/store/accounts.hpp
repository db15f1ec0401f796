#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/user/domain/account.hpp"

namespace ekiden::user {

/// All SQL of accounts. Every function runs inside the caller's transaction; errors as sql::Tx.
Result<std::optional<Account>> find_account(sql::Tx& tx, UserId user_id);
Result<std::optional<Account>> find_account_by_email(sql::Tx& tx, std::string_view email);

/// False where the address is taken already (nothing changed).
Result<bool> insert_account(sql::Tx& tx, const Account& account);

/// Writes profile, role and password hash as version `account.version`, where the stored one is the version
/// before. False where it is not: somebody else was faster.
Result<bool> update_account(sql::Tx& tx, const Account& account);

/// Removes everything of the account but its id in `erased_users`. False where there was none.
Result<bool> erase_account(sql::Tx& tx, UserId user_id, Timestamp now);

/// Up to `limit` accounts with an id above `after`, in order of id.
Result<std::vector<Account>> list_accounts(sql::Tx& tx, UserId after, std::int64_t limit);

/// When this address may be tried again; the epoch where it may now.
Result<Timestamp> login_not_before(sql::Tx& tx, std::string_view email);
/// Counts one wrong password and returns how many there have been in a row.
Result<std::int64_t> count_login_failure(sql::Tx& tx, std::string_view email, Timestamp now);
Result<void> forget_login_failures(sql::Tx& tx, std::string_view email);

}  // namespace ekiden::user
