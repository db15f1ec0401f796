#include "ports/limits/redis/redis_limits.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"
#include "ports/limits/gcra.hpp"

namespace ekiden::limits {
namespace {

/// ARGV: key, now in microseconds or '', interval in ns, tolerance in ns, wanted tokens. A bucket is
/// "MICROSECONDS NANOSECONDS" of its TAT: in two parts, as a double has not the digits for nanoseconds since
/// 1970. Answers the debt before the decision; the caller's arithmetic makes the same decision of it.
constexpr std::string_view kTake = R"lua(
local call = redis.call
local now = tonumber(ARGV[2])
local keep = now ~= nil
if not now then
  local time = call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local interval, tolerance, wanted = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local debt, found = 0, call('GET', ARGV[1])
if found then
  local us, ns = string.match(found, '^(%-?%d+) (%d+)$')
  debt = math.max(0, (tonumber(us) - now) * 1000 + tonumber(ns))
end
if wanted > 0 and wanted * interval <= tolerance - debt then
  local next = debt + wanted * interval
  local us = math.floor(next / 1000)
  local ms = keep and 86400000 or math.floor(next / 1000000) + 1
  call('SET', ARGV[1], string.format('%.0f %.0f', now + us, next - us * 1000), 'PX', string.format('%.0f', ms))
end
return string.format('%.0f', debt)
)lua";

/// Who was refused, until they would not be any more: a bucket's TAT only grows, so nobody needs to be asked
/// again before. But for a second at most: a Redis that has forgotten the bucket would admit them.
/// @threads any
class Refusals {
 public:
  /// @param tat_ns on this process's monotonic clock; never later than it truly is.
  void put(const std::string& key, std::int64_t tat_ns, std::int64_t now_ns) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (refused_.size() >= kMax) {
      std::erase_if(refused_, [now_ns](const auto& entry) { return entry.second.until_ns <= now_ns; });
    }
    if (refused_.size() >= kMax) refused_.clear();
    refused_[key] = {.tat_ns = tat_ns, .until_ns = now_ns + kKeptNs};
    count_.store(refused_.size(), std::memory_order_relaxed);
  }
  void drop(const std::string& key) EKIDEN_EXCLUDES(mutex_) {
    if (count_.load(std::memory_order_relaxed) == 0) return;
    const MutexLock lock(mutex_);
    refused_.erase(key);
    count_.store(refused_.size(), std::memory_order_relaxed);
  }
  std::optional<std::int64_t> find(std::string_view key, std::int64_t now_ns) const EKIDEN_EXCLUDES(mutex_) {
    // Nearly always there is nobody: no lock then.
    if (count_.load(std::memory_order_relaxed) == 0) return std::nullopt;
    const MutexLock lock(mutex_);
    const auto found = refused_.find(std::string(key));
    if (found == refused_.end() || found->second.until_ns <= now_ns) return std::nullopt;
    return found->second.tat_ns;
  }

 private:
  struct Refused {
    std::int64_t tat_ns = 0;
    std::int64_t until_ns = 0;
  };
  static constexpr std::size_t kMax = 10'000;
  static constexpr std::int64_t kKeptNs = 1'000'000'000;
  mutable Mutex mutex_;
  std::atomic<std::size_t> count_ = 0;
  std::unordered_map<std::string, Refused> refused_ EKIDEN_GUARDED_BY(mutex_);
};

class SharedLimits final : public RedisLimits {
 public:
  SharedLimits(redis::Client& client, Limits& fallback, const Clock& clock, const Logger& logger,
               RedisLimitsConfig config)
      : client_(client), fallback_(fallback), clock_(clock), logger_(logger), config_(std::move(config)) {}

  Decision take(std::string_view key, const Policy& policy, std::int64_t cost) override {
    Mutex mutex;
    CondVar decided;
    std::optional<Decision> decision;
    take_async(key, policy, cost, [&](Decision made) {
      const MutexLock lock(mutex);
      decision = made;
      decided.notify_one();
    });
    const MutexLock lock(mutex);
    while (!decision) decided.wait(mutex);
    return *decision;
  }

  void take_async(std::string_view key, const Policy& policy, std::int64_t cost, Done done) override {
    if (const auto refused = known_refusal(key, policy, cost)) return done(*refused);
    const Gcra gcra = make_gcra(policy);
    const std::int64_t asked_ns = now_ns();
    redis::ScriptCall call(take_);
    call.add(config_.prefix + std::string(key));
    call.add(config_.time == TimeOf::caller ? std::to_string(to_micros(clock_.now())) : std::string());
    call.add(gcra.interval_ns).add(gcra.tolerance_ns());
    call.add(std::max<std::int64_t>(0, cost));
    auto decide = [this, gcra, cost, policy, asked_ns, key = std::string(key),
                   done = std::move(done)](const Result<redis::Reply>& reply) mutable {
      if (reply && reply->type == redis::Reply::Type::text) {
        note(false, {});
        const std::int64_t debt_ns = std::stoll(reply->text);
        const Decision decision = step(debt_ns, 0, gcra, cost).decision;
        if (decision.admitted) {
          refusals_.drop(key);
        } else {
          refusals_.put(key, asked_ns + debt_ns, asked_ns);
        }
        return done(decision);
      }
      note(true, reply ? std::string("an odd answer") : reply.error().text());
      Decision alone = fallback_.take(key, policy, cost);
      alone.degraded = true;
      done(alone);
    };
    client_.call(std::move(call), {.timeout = config_.timeout, .server = {}}, std::move(decide));
  }

  std::optional<Decision> known_refusal(std::string_view key, const Policy& policy,
                                        std::int64_t cost) override {
    const std::int64_t now = now_ns();
    const auto tat_ns = refusals_.find(key, now);
    if (!tat_ns) return std::nullopt;
    const Decision decision = step(*tat_ns, now, make_gcra(policy), cost).decision;
    if (decision.admitted) return std::nullopt;
    return decision;
  }

  bool does_wait() const override { return true; }
  RedisLimitsFigures figures() const override { return {shared_, degraded_, is_degraded_}; }

 private:
  std::int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.monotonic().time_since_epoch())
        .count();
  }

  void note(bool degraded, const std::string& reason) {
    ++(degraded ? degraded_ : shared_);
    if (is_degraded_.exchange(degraded) == degraded) return;
    if (degraded) {
      logger_.warning("limits_degraded", {{"reason", reason}});
    } else {
      logger_.info("limits_shared_again");
    }
  }

  redis::Client& client_;
  Limits& fallback_;
  const Clock& clock_;
  const Logger logger_;
  const RedisLimitsConfig config_;
  const redis::Script take_{std::string(kTake)};
  Refusals refusals_;
  std::atomic<std::int64_t> shared_ = 0;
  std::atomic<std::int64_t> degraded_ = 0;
  std::atomic<bool> is_degraded_ = false;
};

}  // namespace

std::unique_ptr<RedisLimits> make_redis_limits(redis::Client& client, Limits& fallback, const Clock& clock,
                                               const Logger& logger, RedisLimitsConfig config) {
  return std::make_unique<SharedLimits>(client, fallback, clock, logger, std::move(config));
}

}  // namespace ekiden::limits
