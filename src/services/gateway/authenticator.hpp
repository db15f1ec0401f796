#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"
#include "http/access_token.hpp"
#include "services/gateway/config.hpp"
#include "services/gateway/revocations.hpp"
#include "services/service_caller.hpp"

namespace ekiden::gateway {

/// A bounded map that forgets what was used longest ago. @threads any
template <class Value>
class Remembered {
 public:
  explicit Remembered(std::size_t max) : max_(max) {}

  std::optional<Value> find(const std::string& key, Timestamp now) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    if (found->second->until <= now) {
      entries_.erase(found->second);
      places_.erase(found);
      return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  void put(const std::string& key, Value value, Timestamp until) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = places_.find(key);
    if (found != places_.end()) {
      entries_.erase(found->second);
      places_.erase(found);
    }
    entries_.push_front({key, std::move(value), until});
    places_[key] = entries_.begin();
    if (entries_.size() > max_) {
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    std::string key;
    Value value;
    Timestamp until;
  };
  const std::size_t max_;
  Mutex mutex_;
  std::list<Entry> entries_ EKIDEN_GUARDED_BY(mutex_);
  std::unordered_map<std::string, typename std::list<Entry>::iterator> places_ EKIDEN_GUARDED_BY(mutex_);
};

/// Finds out who asks. Never blocks. @threads loops
class Authenticator {
 public:
  Authenticator(const http::TokenVerifier& verifier, const Revocations& revocations,
                services::ServiceCaller& caller, const http::Route* resolve_key, const Clock& clock,
                const GatewayConfig& config);

  /// Who the `Authorization: Bearer …` (or `X-Api-Key`) of this request belongs to; nullopt where it has
  /// none.
  /// @errors unauthenticated `invalid-token`: it has one that is not valid; the same answer for every reason.
  ///         unavailable, busy: an API key could not be looked up now.
  runtime::Task<Result<std::optional<http::Identity>>> identify(const http::Request& request);

  /// The same where nobody needs to be called: a token that was seen before. nullopt: ask `identify`.
  std::optional<http::Identity> remembered(std::string_view bearer);

 private:
  /// What a token said when its signature was checked.
  struct Verified {
    http::Identity identity;
    Timestamp issued_at;
  };
  bool is_revoked(const Verified& verified) const;
  Result<http::Identity> verify_token(std::string_view token);
  runtime::Task<Result<http::Identity>> resolve_api_key(std::string key, const http::Request& request);

  const http::TokenVerifier& verifier_;
  const Revocations& revocations_;
  services::ServiceCaller& caller_;
  const http::Route* resolve_key_;
  const Clock& clock_;
  const std::chrono::seconds key_remembered_;
  Remembered<Verified> tokens_;
  Remembered<std::optional<http::Identity>> keys_;
};

/// What stands behind `Bearer `, or nullopt.
std::optional<std::string_view> bearer_of(std::string_view authorization);

}  // namespace ekiden::gateway
