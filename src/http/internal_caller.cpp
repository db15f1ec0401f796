#include "http/internal_caller.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

#include <sodium/crypto_auth_hmacsha256.h>

#include "http/digest.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

constexpr std::string_view kVersion = "1";
/// So that the same secret can never be made to sign something else.
constexpr std::string_view kPurpose = "ekiden internal call\n";
constexpr std::size_t kSecretBytesMin = 32;
constexpr std::size_t kParts = 8;

/// The state after the key: two of the four rounds of a short message are done once.
crypto_auth_hmacsha256_state keyed(std::string_view secret) {
  if (secret.size() < kSecretBytesMin) throw std::logic_error("the cluster's secret has less than 32 bytes");
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(kPurpose.data()),
                                kPurpose.size());
  return state;
}

std::string mac(crypto_auth_hmacsha256_state state, Verb verb, std::string_view target,
                std::string_view payload) {
  std::string text;
  text.reserve(target.size() + payload.size() + 16);
  text += to_string(verb);
  text += '\n';
  text += target;
  text += '\n';
  text += payload;
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
  crypto_auth_hmacsha256_final(&state, digest.data());
  return to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_scope(std::string_view text) {
  const auto good = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == ':' || c == '-' || c == '_';
  };
  return !text.empty() && std::ranges::all_of(text, good);
}

std::string payload_of(const std::optional<Identity>& identity, std::string_view client_address,
                       Timestamp now) {
  std::string text(kVersion);
  text += '|';
  text += std::to_string(to_micros(now) / 1000);
  text += '|';
  text += client_address;
  text += '|';
  if (!identity) return text += "||||";
  text += identity->user_id.to_string();
  text += '|';
  text += to_string(identity->role);
  text += '|';
  text += identity->session_id.to_string();
  text += identity->by_api_key ? "|key|" : "|session|";
  for (const std::string& scope : identity->scopes) {
    if (!is_scope(scope)) continue;  // what no key can be made with
    if (text.back() != '|') text += ',';
    text += scope;
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<Identity> identity_of(const std::vector<std::string_view>& parts) {
  const auto user = UserId::parse(parts[3]);
  const auto role = parse_role(parts[4]);
  const auto session = SessionId::parse(parts[5]);
  if (!user || !role || !session) return std::nullopt;
  Identity identity{
      .user_id = *user, .role = *role, .session_id = *session, .scopes = {}, .by_api_key = parts[6] == "key"};
  if (!parts[7].empty()) {
    for (const std::string_view scope : split(parts[7], ',')) identity.scopes.emplace_back(scope);
  }
  return identity;
}

}  // namespace

struct CallSigner::Key {
  crypto_auth_hmacsha256_state state;
};

CallSigner::CallSigner(const ClusterSecret& secret) : key_(new Key{keyed(secret.current)}) {}
CallSigner::~CallSigner() = default;
CallSigner::CallSigner(CallSigner&&) noexcept = default;

std::string CallSigner::sign(Verb verb, std::string_view target, const std::optional<Identity>& identity,
                             std::string_view client_address, Timestamp now) const {
  std::string text = payload_of(identity, client_address, now);
  const std::string signature = mac(key_->state, verb, target, text);
  text += '|';
  return text += signature;
}

struct CallVerifier::Keys {
  std::vector<crypto_auth_hmacsha256_state> states;
};

CallVerifier::CallVerifier(const ClusterSecret& secret, std::chrono::milliseconds skew) : skew_(skew) {
  auto keys = std::make_unique<Keys>();
  keys->states.push_back(keyed(secret.current));
  if (!secret.previous.empty()) keys->states.push_back(keyed(secret.previous));
  keys_ = std::move(keys);
}
CallVerifier::~CallVerifier() = default;
CallVerifier::CallVerifier(CallVerifier&&) noexcept = default;

Result<InternalCaller> CallVerifier::verify(Verb verb, std::string_view target, std::string_view header,
                                            Timestamp now) const {
  const Error refused{Errc::unauthenticated, "not-from-here", "Only other parts of Ekiden may call here."};
  const std::size_t end = header.rfind('|');
  if (end == std::string_view::npos) return refused;
  const std::string_view payload = header.substr(0, end);
  bool is_ours = false;
  for (const auto& state : keys_->states)
    is_ours |= equal_in_constant_time(mac(state, verb, target, payload), header.substr(end + 1));
  if (!is_ours) return refused;
  const std::vector<std::string_view> parts = split(payload, '|');
  if (parts.size() != kParts || parts[0] != kVersion) return refused;
  std::int64_t millis = 0;
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), millis);
  const std::chrono::milliseconds apart{to_micros(now) / 1000 - millis};
  if (apart > skew_ || apart < -skew_) return refused;
  InternalCaller caller{.identity = {}, .client_address = std::string(parts[2])};
  if (parts[3].empty()) return caller;
  caller.identity = identity_of(parts);
  if (!caller.identity) return refused;
  return caller;
}

}  // namespace ekiden::http
