#include "http/access_token.hpp"

#include <cstring>

#include <boost/describe.hpp>
#include <sodium.h>

#include "json/json.hpp"

namespace ekiden::http {

namespace {

constexpr std::string_view kIssuer = "ekiden";
constexpr std::string_view kAudience = "ekiden-api";
constexpr std::size_t kTokenMax = 2048;
constexpr std::chrono::seconds kLeeway{60};

struct Payload {
  std::string iss;
  std::string aud;
  UserId sub;
  SessionId sid;
  std::string role;
  std::string jti;
  std::int64_t iat = 0;
  std::int64_t nbf = 0;
  std::int64_t exp = 0;
};
BOOST_DESCRIBE_STRUCT(Payload, (), (iss, aud, sub, sid, role, jti, iat, nbf, exp))

/// Each key has one header, to the byte. Comparing it whole leaves no room for `alg`, `jku`, `jwk` or `kid`
/// games.
std::string header_of(const std::array<std::uint8_t, 32>& public_key) {
  std::array<std::uint8_t, 8> digest{};
  static_assert(crypto_generichash_BYTES_MIN <= 16);
  std::array<std::uint8_t, 16> whole{};
  crypto_generichash(whole.data(), whole.size(), public_key.data(), public_key.size(), nullptr, 0);
  std::memcpy(digest.data(), whole.data(), digest.size());
  const std::string key_id = to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return to_base64url(R"({"alg":"EdDSA","typ":"JWT","kid":")" + key_id + "\"}");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Error invalid_token() {
  return {Errc::unauthenticated, "invalid-token",
          "the access token is not valid (any more): sign in again or renew it"};
}

std::int64_t to_seconds(Timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

Timestamp from_seconds(std::int64_t seconds) {
  return Timestamp{std::chrono::seconds{seconds}};
}

}  // namespace

SigningSeed SigningSeed::generate(Random& random) {
  SigningSeed seed;
  random.fill(std::as_writable_bytes(std::span{seed.bytes}));
  return seed;
}

TokenSigner::TokenSigner(const SigningSeed& seed) {
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.bytes.data());
  header_ = header_of(public_key_);
}

std::string TokenSigner::sign(const AccessClaims& claims) const {
  const Payload payload{.iss = std::string(kIssuer),
                        .aud = std::string(kAudience),
                        .sub = claims.user_id,
                        .sid = claims.session_id,
                        .role = std::string(to_string(claims.role)),
                        .jti = claims.token_id.to_string(),
                        .iat = to_seconds(claims.issued_at),
                        .nbf = to_seconds(claims.issued_at),
                        .exp = to_seconds(claims.expires_at)};
  std::string token = header_ + "." + to_base64url(json::write(payload));
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, bytes_of(token), token.size(), secret_key_.data());
  token += "." + to_base64url({reinterpret_cast<const char*>(signature.data()), signature.size()});
  return token;
}

TokenVerifier::TokenVerifier(const std::vector<std::array<std::uint8_t, 32>>& public_keys) {
  for (const auto& key : public_keys) keys_.push_back({.bytes = key, .header = header_of(key)});
}

Result<AccessClaims> TokenVerifier::verify(std::string_view token, Timestamp now) const {
  if (token.size() > kTokenMax) return invalid_token();
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return invalid_token();
  const std::string_view header = token.substr(0, first);
  const auto signature = from_base64url(token.substr(second + 1));
  if (!signature || signature->size() != crypto_sign_BYTES) return invalid_token();
  const std::string_view signed_part = token.substr(0, second);
  bool genuine = false;
  for (const Key& key : keys_) {
    genuine = genuine || (key.header == header &&
                          crypto_sign_verify_detached(bytes_of(*signature), bytes_of(signed_part),
                                                      signed_part.size(), key.bytes.data()) == 0);
  }
  if (!genuine) return invalid_token();
  const auto text = from_base64url(token.substr(first + 1, second - first - 1));
  if (!text) return invalid_token();
  const Result<Payload> payload = json::read<Payload>(*text);
  if (!payload || payload->iss != kIssuer || payload->aud != kAudience) return invalid_token();
  const auto role = parse_role(payload->role);
  const auto token_id = Uuid::parse(payload->jti);
  if (!role || !token_id) return invalid_token();
  if (now + kLeeway < from_seconds(payload->nbf) || now >= from_seconds(payload->exp)) return invalid_token();
  return AccessClaims{.user_id = payload->sub,
                      .session_id = payload->sid,
                      .role = *role,
                      .token_id = *token_id,
                      .issued_at = from_seconds(payload->iat),
                      .expires_at = from_seconds(payload->exp)};
}

}  // namespace ekiden::http
