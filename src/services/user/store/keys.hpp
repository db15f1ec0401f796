#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"

namespace ekiden::user {

using ApiKeyId = Id<struct ApiKeyIdTag>;
using InvitationId = Id<struct InvitationIdTag>;

/// A key with which a program uploads for a person. The secret itself is shown once and never stored.
struct ApiKey {
  ApiKeyId api_key_id;
  UserId user_id;
  std::string name;
  std::vector<std::string> scopes;
  Timestamp created_at;
  std::optional<Timestamp> used_at;
  std::optional<Timestamp> expires_at;
};

Result<void> insert_api_key(sql::Tx& tx, const ApiKey& key, const sql::Blob& hash);
Result<std::vector<ApiKey>> api_keys_of(sql::Tx& tx, UserId user_id);
Result<bool> delete_api_key(sql::Tx& tx, UserId user_id, ApiKeyId api_key_id);
/// The key of `hash` where it has not expired, with its owner's role.
struct ResolvedKey {
  ApiKey key;
  std::string role;
};
Result<std::optional<ResolvedKey>> resolve_api_key(sql::Tx& tx, const sql::Blob& hash, Timestamp now);
Result<void> note_api_key_use(sql::Tx& tx, ApiKeyId api_key_id, Timestamp now);

/// A right to register once, where registration is by invitation.
struct Invitation {
  InvitationId invitation_id;
  UserId created_by;
  std::optional<std::string> email;  ///< only this address may use it
  Timestamp created_at;
  Timestamp expires_at;
  bool used = false;
};
Result<void> insert_invitation(sql::Tx& tx, const Invitation& invitation, const sql::Blob& hash);
Result<std::vector<Invitation>> list_invitations(sql::Tx& tx);
Result<bool> delete_invitation(sql::Tx& tx, InvitationId invitation_id);
/// Uses up an invitation that is open, not expired, and for this address or for any. False where there is
/// none.
Result<bool> use_invitation(sql::Tx& tx, const sql::Blob& hash, std::string_view email, UserId user_id,
                            Timestamp now);

Result<void> insert_password_reset(sql::Tx& tx, const sql::Blob& hash, UserId user_id, Timestamp now,
                                   Timestamp expires_at);
/// Uses up a reset token. @returns whose it was. @errors not_found: there is no such token; gone: used or
/// expired.
Result<UserId> use_password_reset(sql::Tx& tx, const sql::Blob& hash, Timestamp now);

}  // namespace ekiden::user
