#include "services/user/store/sessions.hpp"

namespace ekiden::user {

namespace {

constexpr std::string_view kSelect =
    "SELECT s.session_id, s.user_id, s.user_agent, s.address, s.created_at, s.used_at, s.expires_at, "
    "s.revoked_at ";

Session to_session(const sql::Row& row) {
  return {.session_id = row.id<SessionId>(0),
          .user_id = row.id<UserId>(1),
          .user_agent = row.text(2),
          .address = row.text(3),
          .created_at = row.time(4),
          .used_at = row.time(5),
          .expires_at = row.time(6),
          .revoked_at = row.maybe_time(7)};
}

std::vector<SessionId> ids_of(const sql::Rows& rows) {
  std::vector<SessionId> ids;
  for (const sql::Row& row : rows) ids.push_back(row.id<SessionId>(0));
  return ids;
}

}  // namespace

Result<void> insert_session(sql::Tx& tx, const Session& session, const sql::Blob& refresh_hash) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO sessions (session_id, user_id, user_agent, address, created_at, used_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {session.session_id, session.user_id, session.user_agent, session.address, session.created_at,
       session.used_at, session.expires_at}));
  EKIDEN_CHECK(tx.execute("INSERT INTO refresh_tokens (token_hash, session_id) VALUES ($1, $2)",
                          {refresh_hash, session.session_id}));
  return {};
}

Result<std::vector<Session>> live_sessions(sql::Tx& tx, UserId user_id, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(std::string(kSelect) + "FROM sessions s WHERE s.user_id = $1 AND s.revoked_at IS NULL AND "
                                      "s.expires_at > $2 ORDER BY s.created_at, s.session_id",
               {user_id, now}));
  std::vector<Session> sessions;
  for (const sql::Row& row : rows) sessions.push_back(to_session(row));
  return sessions;
}

Result<bool> revoke_session(sql::Tx& tx, UserId user_id, SessionId session_id, Timestamp now) {
  EKIDEN_TRY(
      const std::int64_t changed,
      tx.execute(
          "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND session_id = $2 AND revoked_at IS NULL",
          {user_id, session_id, now}));
  return changed == 1;
}

Result<std::vector<SessionId>> revoke_sessions(sql::Tx& tx, UserId user_id, SessionId keep, Timestamp now) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND session_id <> $2 "
                      "AND revoked_at IS NULL RETURNING session_id",
                      {user_id, keep, now}));
  return ids_of(rows);
}

Result<std::vector<SessionId>> revoke_oldest(sql::Tx& tx, UserId user_id, std::int64_t kept, Timestamp now) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query("UPDATE sessions SET revoked_at = $2 WHERE session_id IN (SELECT session_id FROM sessions "
               "WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 "
               "ORDER BY used_at DESC, session_id DESC LIMIT 1000 OFFSET $3) RETURNING session_id",
               {user_id, now, kept}));
  return ids_of(rows);
}

Result<Rotation> rotate_refresh(sql::Tx& tx, const sql::Blob& old_hash, const sql::Blob& new_hash,
                                Timestamp now, Timestamp expires_at) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kSelect) + ", t.used_at FROM refresh_tokens t JOIN sessions s ON "
                                             "s.session_id = t.session_id WHERE t.token_hash = $1",
                      {old_hash}));
  if (rows.empty()) return Rotation{};
  const Session session = to_session(rows.front());
  if (!rows.front().is_null(8)) {
    EKIDEN_TRY(const bool ended_now, revoke_session(tx, session.user_id, session.session_id, now));
    return Rotation{Rotation::Outcome::reused, session, ended_now};
  }
  if (!session.is_live(now)) return Rotation{Rotation::Outcome::ended, session};
  EKIDEN_CHECK(tx.execute("UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1", {old_hash, now}));
  EKIDEN_CHECK(tx.execute("INSERT INTO refresh_tokens (token_hash, session_id) VALUES ($1, $2)",
                          {new_hash, session.session_id}));
  EKIDEN_CHECK(tx.execute("UPDATE sessions SET used_at = $2, expires_at = $3 WHERE session_id = $1",
                          {session.session_id, now, expires_at}));
  return Rotation{Rotation::Outcome::rotated, session};
}

Result<std::int64_t> sweep_sessions(sql::Tx& tx, Timestamp before, std::int64_t limit) {
  return tx.execute(
      "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions "
      "WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)",
      {before, limit});
}

}  // namespace ekiden::user
