#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"

namespace ekiden::user {

/// One sign-in: a chain of refresh tokens of which only the last may be used.
struct Session {
  SessionId session_id;
  UserId user_id;
  std::string user_agent;
  std::string address;
  Timestamp created_at;
  Timestamp used_at;
  Timestamp expires_at;
  std::optional<Timestamp> revoked_at;

  bool is_live(Timestamp now) const { return !revoked_at && now < expires_at; }
};

Result<void> insert_session(sql::Tx& tx, const Session& session, const sql::Blob& refresh_hash);
Result<std::vector<Session>> live_sessions(sql::Tx& tx, UserId user_id, Timestamp now);
Result<bool> revoke_session(sql::Tx& tx, UserId user_id, SessionId session_id, Timestamp now);
/// Ends all of a person's sessions but `keep` (nil: all). @returns which.
Result<std::vector<SessionId>> revoke_sessions(sql::Tx& tx, UserId user_id, SessionId keep, Timestamp now);
/// Ends what a person has open beyond the `kept` sessions that were used last. @returns which.
Result<std::vector<SessionId>> revoke_oldest(sql::Tx& tx, UserId user_id, std::int64_t kept, Timestamp now);

/// What presenting a refresh token comes to.
struct Rotation {
  enum class Outcome { rotated, unknown, reused, ended } outcome = Outcome::unknown;
  std::optional<Session> session;
  bool ended_now = false;  ///< reused: the session was alive until this
};
/// Uses up the token of `old_hash` and puts that of `new_hash` in its place; the session then lives until
/// `expires_at`. A token that had been used before ends its whole session: whoever has it, one of the two
/// stole it.
Result<Rotation> rotate_refresh(sql::Tx& tx, const sql::Blob& old_hash, const sql::Blob& new_hash,
                                Timestamp now, Timestamp expires_at);

/// Removes up to `limit` sessions that ended before `before`. @returns how many.
Result<std::int64_t> sweep_sessions(sql::Tx& tx, Timestamp before, std::int64_t limit);

}  // namespace ekiden::user
