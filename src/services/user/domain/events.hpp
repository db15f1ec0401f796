#pragma once

#include "delivery/event.hpp"
#include "services/user/domain/account.hpp"

namespace ekiden::user {

/// What other services hear of an account that was made, changed, or erased. `traceparent` is the request's.
delivery::Envelope registered(const Account& account, std::string traceparent);
delivery::Envelope changed(const Account& account, std::string traceparent);
delivery::Envelope deleted(UserId user_id, std::int64_t version, std::string traceparent);
/// A session was ended, or (nil) all that this person had: their access tokens are not good any more.
delivery::Envelope session_revoked(UserId user_id, SessionId session_id, Timestamp at,
                                   std::string traceparent);

}  // namespace ekiden::user
