#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/mutex.hpp"
#include "delivery/event.hpp"

namespace ekiden::gateway {

/// Whose access tokens are not good any more though they have not expired: a session that was ended, or all
/// of a person's until a moment. An entry is kept until every token that it means has expired. Bounded:
/// beyond `max` the oldest goes, and is counted. @threads any; never blocks for long
class Revocations {
 public:
  /// @param token_ttl the longest life of an access token, the leeway for clocks included.
  Revocations(std::chrono::seconds token_ttl, std::size_t max) : token_ttl_(token_ttl), max_(max) {}

  /// Takes note of a `session.revoked`; other events are passed over.
  void hear(const delivery::Envelope& event, Timestamp now);
  /// Whether a token of this session that was issued then is refused.
  bool covers(UserId user, SessionId session, Timestamp issued_at) const;

  std::int64_t size() const { return size_.load(std::memory_order_relaxed); }
  /// Entries that had to go before their time.
  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void put(const Uuid& who, Timestamp revoked_at, Timestamp now);
  void forget_time(Timestamp at, const Uuid& who) EKIDEN_REQUIRES(mutex_);
  void drop_first() EKIDEN_REQUIRES(mutex_);

  const std::chrono::seconds token_ttl_;
  const std::size_t max_;
  std::atomic<std::int64_t> size_ = 0;
  std::atomic<std::int64_t> dropped_ = 0;
  mutable Mutex mutex_;
  /// Sessions and people alike: ids of both kinds are unique.
  std::unordered_map<Uuid, Timestamp> revoked_at_ EKIDEN_GUARDED_BY(mutex_);
  std::multimap<Timestamp, Uuid> by_time_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::gateway
