#include "services/user/store/sweeps.hpp"

#include "services/user/store/sessions.hpp"

namespace ekiden::user {

namespace {

using std::chrono::hours;

/// Ended sessions are kept so long, so that the second use of a refresh token is still told from an unknown
/// one.
constexpr hours kEndedKept{24 * 30};
/// Longer than any delay that wrong passwords earn.
constexpr hours kFailuresKept{24 * 3};
constexpr hours kResetsKept{24};
/// Organizers see for a while who came by an invitation.
constexpr hours kInvitationsKept{24 * 90};

Result<std::int64_t> sweep_resets(sql::Tx& tx, Timestamp now, std::int64_t limit) {
  return tx.execute(
      "DELETE FROM password_resets WHERE token_hash IN "
      "(SELECT token_hash FROM password_resets WHERE expires_at < $1 LIMIT $2)",
      {now - kResetsKept, limit});
}

Result<std::int64_t> sweep_invitations(sql::Tx& tx, Timestamp now, std::int64_t limit) {
  return tx.execute(
      "DELETE FROM invitations WHERE invitation_id IN "
      "(SELECT invitation_id FROM invitations WHERE expires_at < $1 LIMIT $2)",
      {now - kInvitationsKept, limit});
}

Result<std::int64_t> sweep_failures(sql::Tx& tx, Timestamp now, std::int64_t limit) {
  return tx.execute(
      "DELETE FROM login_failures WHERE email_hash IN "
      "(SELECT email_hash FROM login_failures WHERE changed_at < $1 AND not_before < $2 LIMIT $3)",
      {now - kFailuresKept, now, limit});
}

Result<std::int64_t> sweep_ended(sql::Tx& tx, Timestamp now, std::int64_t limit) {
  return sweep_sessions(tx, now - kEndedKept, limit);
}

}  // namespace

std::vector<services::Sweep> sweeps() {
  return {{.name = "sessions", .run = sweep_ended},
          {.name = "password_resets", .run = sweep_resets},
          {.name = "invitations", .run = sweep_invitations},
          {.name = "login_failures", .run = sweep_failures}};
}

}  // namespace ekiden::user
