#pragma once

#include <vector>

#include "delivery/outbox.hpp"
#include "http/message.hpp"

namespace ekiden::user {

/// Tells the others that these sessions have ended, in the transaction that ends them: gateways then refuse
/// their access tokens.
Result<void> tell_revoked(sql::Tx& tx, const delivery::Outbox& outbox, const http::Request& request,
                          UserId user_id, const std::vector<SessionId>& ended, Timestamp now);

}  // namespace ekiden::user
