#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

/// Set-if-absent with expiry: who may do this one act.
namespace ekiden::claims {

inline constexpr std::size_t kNameMax = 200;  ///< bytes of a key and of a holder
inline constexpr std::chrono::milliseconds kTtlMax{std::chrono::hours{24 * 30}};

/// Proof of a claim. `epoch` grows each time the key is claimed anew, also after it was released or has
/// expired: a fencing token. What the claim guards should refuse an epoch below one that it has seen.
struct Lease {
  std::string key;
  std::string holder;
  std::int64_t epoch = 0;
  Timestamp expires_at;  ///< the lease holds before this moment, not at it
  friend bool operator==(const Lease&, const Lease&) = default;
};

// What every adapter refuses in the same words.
/// @errors invalid: not 1..200 bytes of UTF-8, or with a zero byte. @param field `key` or `holder`.
Result<void> check_name(std::string_view name, std::string_view field);
/// @errors invalid: not 1 ms to kTtlMax.
Result<void> check_ttl(std::chrono::milliseconds ttl);

/// Every call can answer invalid (a key, holder or time out of bounds; nothing changed) and unavailable.
/// @threads any; blocks for a store's round trip.
class Claims {
 public:
  virtual ~Claims() = default;
  /// Takes `key` for `holder` until `ttl` has passed, where nobody holds it. Taking what one holds oneself
  /// renews it: the epoch stays, and the end is the new one, also where that is earlier.
  /// @returns nullopt where another holder has it.
  /// @errors unavailable: it may have been taken; it expires by itself.
  virtual Result<std::optional<Lease>> take(std::string_view key, std::string_view holder,
                                            std::chrono::milliseconds ttl) = 0;
  /// Gives a lease that still is this holder's, in this epoch, a new end. @returns false where it has been
  /// lost.
  /// @errors unavailable: it may have been renewed.
  virtual Result<bool> renew(const Lease& lease, std::chrono::milliseconds ttl) = 0;
  /// Gives up a lease. @returns false where it had been lost already.
  /// @errors unavailable: it may have been given up.
  virtual Result<bool> release(const Lease& lease) = 0;
};

}  // namespace ekiden::claims
