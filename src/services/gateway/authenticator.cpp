#include "services/gateway/authenticator.hpp"

#include <boost/describe.hpp>

#include "http/digest.hpp"
#include "json/json.hpp"

namespace ekiden::gateway {

namespace {

constexpr std::string_view kApiKeyPrefix = "eka_";
constexpr std::size_t kApiKeyMax = 100;
constexpr std::chrono::seconds kTokenRememberedMax{60};

struct KeyQuestion {
  std::string key;
};
BOOST_DESCRIBE_STRUCT(KeyQuestion, (), (key))

struct KeyAnswer {
  UserId user_id;
  std::string role;
  std::vector<std::string> scopes;
};
BOOST_DESCRIBE_STRUCT(KeyAnswer, (), (user_id, role, scopes))

Error invalid_token() {
  return {Errc::unauthenticated, "invalid-token",
          "the access token is not valid (any more): sign in again or renew it"};
}

}  // namespace

std::optional<std::string_view> bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != kScheme[i]) return std::nullopt;
  }
  return authorization.substr(kScheme.size());
}

Authenticator::Authenticator(const http::TokenVerifier& verifier, const Revocations& revocations,
                             services::ServiceCaller& caller, const http::Route* resolve_key,
                             const Clock& clock, const GatewayConfig& config)
    : verifier_(verifier),
      revocations_(revocations),
      caller_(caller),
      resolve_key_(resolve_key),
      clock_(clock),
      key_remembered_(config.key_remembered),
      tokens_(config.tokens_remembered),
      keys_(config.tokens_remembered) {}

std::optional<http::Identity> Authenticator::remembered(std::string_view bearer) {
  auto known = tokens_.find(std::string(bearer), clock_.now());
  if (!known || is_revoked(*known)) return std::nullopt;
  return std::move(known->identity);
}

bool Authenticator::is_revoked(const Verified& verified) const {
  return revocations_.covers(verified.identity.user_id, verified.identity.session_id, verified.issued_at);
}

runtime::Task<Result<std::optional<http::Identity>>> Authenticator::identify(const http::Request& request) {
  std::string_view secret;
  if (const auto authorization = request.headers.get("Authorization")) {
    const auto bearer = bearer_of(*authorization);
    if (!bearer || request.headers.count("Authorization") != 1) co_return invalid_token();
    secret = *bearer;
  } else if (const auto key = request.headers.get("X-Api-Key")) {
    if (!key->starts_with(kApiKeyPrefix)) co_return invalid_token();
    secret = *key;
  } else {
    co_return std::optional<http::Identity>{};
  }
  if (secret.starts_with(kApiKeyPrefix)) {
    EKIDEN_CO_TRY(http::Identity identity, co_await resolve_api_key(std::string(secret), request));
    co_return std::optional{std::move(identity)};
  }
  EKIDEN_CO_TRY(http::Identity identity, verify_token(secret));
  co_return std::optional{std::move(identity)};
}

Result<http::Identity> Authenticator::verify_token(std::string_view token) {
  const Timestamp now = clock_.now();
  auto verified = tokens_.find(std::string(token), now);
  if (!verified) {
    EKIDEN_TRY(const http::AccessClaims claims, verifier_.verify(token, now));
    verified = Verified{.identity = {.user_id = claims.user_id,
                                     .role = claims.role,
                                     .session_id = claims.session_id,
                                     .scopes = {},
                                     .by_api_key = false},
                        .issued_at = claims.issued_at};
    tokens_.put(std::string(token), *verified,
                std::min<Timestamp>(claims.expires_at, now + kTokenRememberedMax));
  }
  if (is_revoked(*verified)) return invalid_token();
  return std::move(verified->identity);
}

runtime::Task<Result<http::Identity>> Authenticator::resolve_api_key(std::string key,
                                                                     const http::Request& request) {
  if (resolve_key_ == nullptr || key.size() > kApiKeyMax) co_return invalid_token();
  const Timestamp now = clock_.now();
  const std::string hash = http::sha256(key);
  if (auto known = keys_.find(hash, now)) {
    if (!*known) co_return invalid_token();
    co_return **std::move(known);
  }
  http::Request question;
  question.verb = resolve_key_->verb;
  question.path = std::string(resolve_key_->pattern);
  question.body = json::write(KeyQuestion{.key = std::move(key)});
  question.request_id = request.request_id;
  question.trace = request.trace;
  question.deadline = request.deadline;
  const Result<http::Response> answer = co_await caller_.call(*resolve_key_, std::move(question));
  // From another process the same comes as a status.
  const int status = answer ? answer->status : http::status_of(answer.error().code());
  if (!answer && status != 404) co_return answer.error();
  if (status != 200 && status != 404)
    co_return Error{Errc::unavailable, "upstream-broken", "The API key could not be looked up: try again."};
  if (status != 200) {
    keys_.put(hash, std::nullopt, now + key_remembered_);
    co_return invalid_token();
  }
  EKIDEN_CO_TRY(KeyAnswer found, json::read<KeyAnswer>(answer->body));
  http::Identity identity{.user_id = found.user_id,
                          .role = http::parse_role(found.role).value_or(http::Role::member),
                          .session_id = {},
                          .scopes = std::move(found.scopes),
                          .by_api_key = true};
  keys_.put(hash, identity, now + key_remembered_);
  co_return identity;
}

}  // namespace ekiden::gateway
