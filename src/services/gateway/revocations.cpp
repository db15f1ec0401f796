#include "services/gateway/revocations.hpp"

#include <algorithm>

#include "events/codec.hpp"
#include "events/users.hpp"

namespace ekiden::gateway {

void Revocations::hear(const delivery::Envelope& event, Timestamp now) {
  const auto revoked = events::decode<events::SessionRevoked>(event);
  if (!revoked) return;
  put(revoked->session_id ? revoked->session_id->uuid() : revoked->user_id.uuid(), revoked->revoked_at, now);
}

void Revocations::put(const Uuid& who, Timestamp revoked_at, Timestamp now) {
  const MutexLock lock(mutex_);
  while (!by_time_.empty() && by_time_.begin()->first + token_ttl_ <= now) drop_first();
  if (revoked_at + token_ttl_ <= now) return;
  const auto [known, fresh] = revoked_at_.try_emplace(who, revoked_at);
  if (!fresh && known->second >= revoked_at) return;
  if (!fresh) forget_time(known->second, who);
  known->second = revoked_at;
  by_time_.emplace(revoked_at, who);
  if (revoked_at_.size() > max_) {
    drop_first();
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  size_.store(static_cast<std::int64_t>(revoked_at_.size()), std::memory_order_release);
}

void Revocations::forget_time(Timestamp at, const Uuid& who) {
  const auto [first, last] = by_time_.equal_range(at);
  const auto found = std::find_if(first, last, [&who](const auto& entry) { return entry.second == who; });
  if (found != last) by_time_.erase(found);
}

void Revocations::drop_first() {
  const auto first = by_time_.begin();
  revoked_at_.erase(first->second);
  by_time_.erase(first);
  size_.store(static_cast<std::int64_t>(revoked_at_.size()), std::memory_order_release);
}

bool Revocations::covers(UserId user, SessionId session, Timestamp issued_at) const {
  // Nearly always there is nothing: no lock then.
  if (size_.load(std::memory_order_acquire) == 0) return false;
  const MutexLock lock(mutex_);
  if (revoked_at_.contains(session.uuid())) return true;
  const auto person = revoked_at_.find(user.uuid());
  return person != revoked_at_.end() && issued_at <= person->second;
}

}  // namespace ekiden::gateway
