#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/digest.hpp"
#include "http/message.hpp"

namespace ekiden::http {

/// What an access token says: who, in which session, as what, until when. It is a JWT (RFC 7519) signed with
/// Ed25519 (RFC 8037), made by the user service and verified by the gateway without a call.
struct AccessClaims {
  UserId user_id;
  SessionId session_id;
  Role role = Role::member;
  Uuid token_id;  ///< `jti`: what a deny list would name
  Timestamp issued_at;
  Timestamp expires_at;
};

/// The 32 bytes that an Ed25519 key pair is made from. Kept in a file that only the process's user can read.
struct SigningSeed {
  std::array<std::uint8_t, 32> bytes{};
  static SigningSeed generate(Random& random);
};

/// Makes access tokens. @threads any
class TokenSigner {
 public:
  explicit TokenSigner(const SigningSeed& seed);
  std::string sign(const AccessClaims& claims) const;
  const std::array<std::uint8_t, 32>& public_key() const { return public_key_; }

 private:
  std::array<std::uint8_t, 32> public_key_{};
  std::array<std::uint8_t, 64> secret_key_{};
  std::string header_;
};

/// Verifies access tokens of the given keys (several while a key is being replaced). @threads any
class TokenVerifier {
 public:
  explicit TokenVerifier(const std::vector<std::array<std::uint8_t, 32>>& public_keys);

  /// Only a token with exactly our own header, a canonical encoding, a signature of one of the keys, our
  /// issuer and audience, and a time between `nbf` and `exp` (60 s of leeway for clocks that differ) passes.
  /// Nothing in a token is ever used to find a key.
  /// @errors unauthenticated `invalid-token`, the same for every reason.
  Result<AccessClaims> verify(std::string_view token, Timestamp now) const;

 private:
  struct Key {
    std::array<std::uint8_t, 32> bytes;
    std::string header;
  };
  std::vector<Key> keys_;
};

}  // namespace ekiden::http
