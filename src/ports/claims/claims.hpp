#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

/// Set-if-absent with expiry: who may do this one act.
namespace ekiden::claims {

/// Proof of a claim. `epoch` grows each time the key is claimed: a fencing token.
struct Lease {
  std::string key;
  std::string holder;
  std::int64_t epoch = 0;
  Timestamp expires_at;
};

/// @threads any; blocks for a store's round trip.
class Claims {
 public:
  virtual ~Claims() = default;
  /// Takes `key` for `holder` until `ttl` has passed, where nobody holds it. Taking what one holds oneself
  /// renews it.
  /// @param key 1..200 bytes.
  /// @returns nullopt where another holder has it.
  /// @errors unavailable: it may have been taken; it expires by itself.
  virtual Result<std::optional<Lease>> take(std::string_view key, std::string_view holder,
                                            std::chrono::milliseconds ttl) = 0;
  /// Prolongs a lease that still is this holder's. @returns false where it has been lost.
  virtual Result<bool> renew(const Lease& lease, std::chrono::milliseconds ttl) = 0;
  /// Gives up a lease. @returns false where it had been lost already.
  virtual Result<bool> release(const Lease& lease) = 0;
};

}  // namespace ekiden::claims
