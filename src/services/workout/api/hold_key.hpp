#pragma once

#include <optional>

#include "delivery/idempotency.hpp"
#include "http/message.hpp"

namespace ekiden::workout {

/// Holds the request's Idempotency-Key while it is worked on; nullopt where it has none.
/// @errors conflict `idempotency-key-in-flight`: another request under this key is being worked on.
inline Result<std::optional<delivery::idempotency::InFlightKeys::Hold>> hold_key(
    delivery::idempotency::InFlightKeys& keys, const http::Request& request) {
  using Hold = std::optional<delivery::idempotency::InFlightKeys::Hold>;
  const auto key = request.headers.get("Idempotency-Key");
  if (!key) return Hold{};
  EKIDEN_TRY(auto hold, keys.enter(request.user().user_id.to_string(), *key));
  return Hold{std::move(hold)};
}

}  // namespace ekiden::workout
