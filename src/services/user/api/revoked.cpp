#include "services/user/api/revoked.hpp"

#include "services/user/domain/events.hpp"

namespace ekiden::user {

Result<void> tell_revoked(sql::Tx& tx, const delivery::Outbox& outbox, const http::Request& request,
                          UserId user_id, const std::vector<SessionId>& ended, Timestamp now) {
  for (const SessionId session_id : ended) {
    EKIDEN_CHECK(
        outbox.append(tx, session_revoked(user_id, session_id, now, request.trace.to_traceparent())));
  }
  return {};
}

}  // namespace ekiden::user
