#include "ports/limits/redis/redis_limits.hpp"

#include <atomic>
#include <optional>

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
    const Gcra gcra = make_gcra(policy);
    redis::ScriptCall call(take_);
    call.add(config_.prefix + std::string(key));
    call.add(config_.time == TimeOf::caller ? std::to_string(to_micros(clock_.now())) : std::string());
    call.add(gcra.interval_ns).add(gcra.tolerance_ns());
    call.add(std::max<std::int64_t>(0, cost));
    auto decide = [this, gcra, cost, policy, key = std::string(key),
                   done = std::move(done)](const Result<redis::Reply>& reply) mutable {
      if (reply && reply->type == redis::Reply::Type::text) {
        note(false, {});
        return done(step(std::stoll(reply->text), 0, gcra, cost).decision);
      }
      note(true, reply ? std::string("an odd answer") : reply.error().text());
      Decision alone = fallback_.take(key, policy, cost);
      alone.degraded = true;
      done(alone);
    };
    client_.call(std::move(call), {.timeout = config_.timeout, .server = {}}, std::move(decide));
  }

  bool does_wait() const override { return true; }
  RedisLimitsFigures figures() const override { return {shared_, degraded_, is_degraded_}; }

 private:
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
