#include "services/user/store/keys.hpp"

namespace ekiden::user {

namespace {

std::string join(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

ApiKey to_api_key(const sql::Row& row) {
  return {.api_key_id = row.id<ApiKeyId>(0),
          .user_id = row.id<UserId>(1),
          .name = row.text(2),
          .scopes = split(row.text(3)),
          .created_at = row.time(4),
          .used_at = row.maybe_time(5),
          .expires_at = row.maybe_time(6)};
}

}  // namespace

Result<void> insert_api_key(sql::Tx& tx, const ApiKey& key, const sql::Blob& hash) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO api_keys (api_key_id, user_id, name, scopes, key_hash, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {key.api_key_id, key.user_id, key.name, join(key.scopes), hash, key.created_at, key.expires_at}));
  return {};
}

Result<std::vector<ApiKey>> api_keys_of(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT api_key_id, user_id, name, scopes, created_at, used_at, expires_at FROM "
                      "api_keys WHERE user_id = $1 ORDER BY created_at, api_key_id",
                      {user_id}));
  std::vector<ApiKey> keys;
  for (const sql::Row& row : rows) keys.push_back(to_api_key(row));
  return keys;
}

Result<bool> delete_api_key(sql::Tx& tx, UserId user_id, ApiKeyId api_key_id) {
  EKIDEN_TRY(
      const std::int64_t deleted,
      tx.execute("DELETE FROM api_keys WHERE user_id = $1 AND api_key_id = $2", {user_id, api_key_id}));
  return deleted == 1;
}

Result<std::optional<ResolvedKey>> resolve_api_key(sql::Tx& tx, const sql::Blob& hash, Timestamp now) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT k.api_key_id, k.user_id, k.name, k.scopes, k.created_at, "
                                            "k.used_at, k.expires_at, u.role FROM "
                                            "api_keys k JOIN users u ON u.user_id = k.user_id WHERE "
                                            "k.key_hash = $1 AND (k.expires_at IS NULL OR "
                                            "k.expires_at > $2)",
                                            {hash, now}));
  if (rows.empty()) return std::optional<ResolvedKey>{};
  return std::optional<ResolvedKey>{{to_api_key(rows.front()), rows.front().text(7)}};
}

Result<void> note_api_key_use(sql::Tx& tx, ApiKeyId api_key_id, Timestamp now) {
  EKIDEN_CHECK(tx.execute("UPDATE api_keys SET used_at = $2 WHERE api_key_id = $1", {api_key_id, now}));
  return {};
}

Result<void> insert_invitation(sql::Tx& tx, const Invitation& invitation, const sql::Blob& hash) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO invitations (invitation_id, code_hash, created_by, email, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      {invitation.invitation_id, hash, invitation.created_by, invitation.email, invitation.created_at,
       invitation.expires_at}));
  return {};
}

Result<std::vector<Invitation>> list_invitations(sql::Tx& tx) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT invitation_id, created_by, email, created_at, expires_at, used_by FROM "
                      "invitations ORDER BY created_at DESC, invitation_id LIMIT 1000"));
  std::vector<Invitation> invitations;
  for (const sql::Row& row : rows) {
    invitations.push_back({.invitation_id = row.id<InvitationId>(0),
                           .created_by = row.is_null(1) ? UserId{} : row.id<UserId>(1),
                           .email = row.maybe_text(2),
                           .created_at = row.time(3),
                           .expires_at = row.time(4),
                           .used = !row.is_null(5)});
  }
  return invitations;
}

Result<bool> delete_invitation(sql::Tx& tx, InvitationId invitation_id) {
  EKIDEN_TRY(const std::int64_t deleted,
             tx.execute("DELETE FROM invitations WHERE invitation_id = $1", {invitation_id}));
  return deleted == 1;
}

Result<bool> use_invitation(sql::Tx& tx, const sql::Blob& hash, std::string_view email, UserId user_id,
                            Timestamp now) {
  EKIDEN_TRY(const std::int64_t used, tx.execute("UPDATE invitations SET used_by = $3 WHERE code_hash = $1 "
                                                 "AND used_by IS NULL AND expires_at > $4 AND "
                                                 "(email IS NULL OR email = $2)",
                                                 {hash, email, user_id, now}));
  return used == 1;
}

Result<void> insert_password_reset(sql::Tx& tx, const sql::Blob& hash, UserId user_id, Timestamp now,
                                   Timestamp expires_at) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
      {hash, user_id, now, expires_at}));
  return {};
}

Result<UserId> use_password_reset(sql::Tx& tx, const sql::Blob& hash, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("SELECT user_id, expires_at, used_at FROM password_resets WHERE token_hash = $1", {hash}));
  if (rows.empty())
    return Error{Errc::not_found, "unknown-reset-token", "this link does not belong to any account", "token"};
  if (!rows.front().is_null(2) || rows.front().time(1) <= now) {
    return Error{Errc::gone, "reset-token-gone",
                 "this link has been used or is older than 15 minutes: ask for another", "token"};
  }
  const auto user_id = rows.front().id<UserId>(0);
  EKIDEN_CHECK(tx.execute("UPDATE password_resets SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL",
                          {user_id, now}));
  return user_id;
}

}  // namespace ekiden::user
