#include "services/user/store/accounts.hpp"

#include "services/user/domain/secret.hpp"

namespace ekiden::user {

namespace {

constexpr std::string_view kSelect =
    "SELECT user_id, email, password_hash, role, display_name, units, time_zone, language, visibility, sex, "
    "birth_year, "
    "weight_kg, max_heart_rate_bpm, resting_heart_rate_bpm, threshold_power_w, version, created_at, "
    "changed_at FROM users ";

/// Text that the table's CHECKs and our own writes have let in; anything else is damaged data.
template <class Enum>
Enum stored(std::optional<Enum> parsed) {
  if (!parsed) throw std::logic_error("users holds a word that this program does not know");
  return *parsed;
}

Account to_account(const sql::Row& row) {
  Account account{.user_id = row.id<UserId>(0),
                  .email = row.text(1),
                  .password_hash = row.text(2),
                  .role = stored(http::parse_role(row.text(3))),
                  .profile = {},
                  .version = row.integer(15),
                  .created_at = row.time(16),
                  .changed_at = row.time(17)};
  Profile& profile = account.profile;
  profile.display_name = row.text(4);
  profile.units = stored(parse_units(row.text(5)));
  profile.time_zone = row.text(6);
  profile.language = stored(parse_language(row.text(7)));
  profile.visibility = stored(parse_visibility(row.text(8)));
  if (!row.is_null(9)) profile.sex = stored(parse_sex(row.text(9)));
  profile.birth_year = row.maybe_integer(10);
  profile.weight_kg = row.maybe_real(11);
  profile.max_heart_rate_bpm = row.maybe_integer(12);
  profile.resting_heart_rate_bpm = row.maybe_integer(13);
  profile.threshold_power_w = row.maybe_integer(14);
  return account;
}

sql::Params values_of(const Account& account) {
  const Profile& profile = account.profile;
  std::optional<std::string> sex;
  if (profile.sex) sex = std::string(to_string(*profile.sex));
  return {account.user_id,
          account.email,
          account.password_hash,
          to_string(account.role),
          profile.display_name,
          to_string(profile.units),
          profile.time_zone,
          to_string(profile.language),
          to_string(profile.visibility),
          sex,
          profile.birth_year,
          profile.weight_kg,
          profile.max_heart_rate_bpm,
          profile.resting_heart_rate_bpm,
          profile.threshold_power_w,
          account.version,
          account.created_at,
          account.changed_at};
}

Result<std::optional<Account>> first_of(Result<sql::Rows> rows) {
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return std::optional<Account>{};
  return std::optional<Account>{to_account(rows->front())};
}

}  // namespace

Result<std::optional<Account>> find_account(sql::Tx& tx, UserId user_id) {
  return first_of(tx.query(std::string(kSelect) + "WHERE user_id = $1", {user_id}));
}

Result<std::optional<Account>> find_account_by_email(sql::Tx& tx, std::string_view email) {
  return first_of(tx.query(std::string(kSelect) + "WHERE email = $1", {email}));
}

Result<bool> insert_account(sql::Tx& tx, const Account& account) {
  EKIDEN_TRY(
      const std::int64_t inserted,
      tx.execute(
          "INSERT INTO users (user_id, email, password_hash, role, display_name, units, time_zone, language, "
          "visibility, sex, birth_year, weight_kg, max_heart_rate_bpm, resting_heart_rate_bpm, "
          "threshold_power_w, version, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
          "$10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT (email) DO NOTHING",
          values_of(account)));
  return inserted == 1;
}

Result<bool> update_account(sql::Tx& tx, const Account& account) {
  EKIDEN_TRY(
      const std::int64_t updated,
      tx.execute(
          "UPDATE users SET email = $2, password_hash = $3, role = $4, display_name = $5, units = $6, "
          "time_zone = $7, language = $8, visibility = $9, sex = $10, birth_year = $11, weight_kg = $12, "
          "max_heart_rate_bpm = $13, resting_heart_rate_bpm = $14, threshold_power_w = $15, version = $16, "
          "created_at = $17, changed_at = $18 WHERE user_id = $1 AND version = $16 - 1",
          values_of(account)));
  return updated == 1;
}

Result<bool> erase_account(sql::Tx& tx, UserId user_id, Timestamp now) {
  EKIDEN_TRY(const std::optional<Account> account, find_account(tx, user_id));
  if (!account) return false;
  EKIDEN_CHECK(forget_login_failures(tx, account->email));
  EKIDEN_CHECK(tx.execute("DELETE FROM invitations WHERE created_by = $1 OR used_by = $1", {user_id}));
  EKIDEN_CHECK(tx.execute("DELETE FROM users WHERE user_id = $1", {user_id}));
  EKIDEN_CHECK(tx.execute("INSERT INTO erased_users (user_id, erased_at) VALUES ($1, $2)", {user_id, now}));
  return true;
}

Result<std::vector<Account>> list_accounts(sql::Tx& tx, UserId after, std::int64_t limit) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kSelect) + "WHERE user_id > $1 ORDER BY user_id LIMIT $2", {after, limit}));
  std::vector<Account> accounts;
  accounts.reserve(rows.size());
  for (const sql::Row& row : rows) accounts.push_back(to_account(row));
  return accounts;
}

Result<Timestamp> login_not_before(sql::Tx& tx, std::string_view email) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT not_before FROM login_failures WHERE email_hash = $1", {hash_email(email)}));
  return rows.empty() ? Timestamp{} : rows.front().time(0);
}

Result<std::int64_t> count_login_failure(sql::Tx& tx, std::string_view email, Timestamp now) {
  const sql::Blob hash = hash_email(email);
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(
          "INSERT INTO login_failures (email_hash, failures, not_before, changed_at) VALUES ($1, 1, $2, $2) "
          "ON CONFLICT (email_hash) DO UPDATE SET failures = login_failures.failures + 1, changed_at = $2 "
          "RETURNING failures",
          {hash, now}));
  const std::int64_t failures = rows.at(0).integer(0);
  EKIDEN_CHECK(tx.execute("UPDATE login_failures SET not_before = $2 WHERE email_hash = $1",
                          {hash, now + login_delay(failures)}));
  return failures;
}

Result<void> forget_login_failures(sql::Tx& tx, std::string_view email) {
  EKIDEN_CHECK(tx.execute("DELETE FROM login_failures WHERE email_hash = $1", {hash_email(email)}));
  return {};
}

}  // namespace ekiden::user
