#include "ports/claims/redis/redis_claims.hpp"

namespace ekiden::claims {
namespace {

/// ARGV: prefix, key, time in microseconds or '', holder, time to live in milliseconds, then what the script
/// asks for. A claim is "EPOCH END HOLDER"; `END` decides, the key's own expiry only tidies up.
constexpr std::string_view kHead = R"lua(
local P, call = ARGV[1], redis.call
local key, now, holder, ttl_ms = P .. 'k:' .. ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local time = call('TIME')
local real = tonumber(time[1]) * 1000000 + tonumber(time[2])
local keep_ms = now and 86400000 or ttl_ms
now = now or real
local epoch, ends, who
local found = call('GET', key)
if found then
  epoch, ends, who = string.match(found, '^(%d+) (%d+) (.*)$')
  epoch, ends = tonumber(epoch), tonumber(ends)
end
local live = found and ends > now
local function text(number) return string.format('%.0f', number) end
local function write()
  call('SET', key, text(epoch) .. ' ' .. text(now + ttl_ms * 1000) .. ' ' .. holder, 'PX', keep_ms)
end
)lua";

/// Answers the epoch, or nil where another holds it.
constexpr std::string_view kTake = R"lua(
if live and who ~= holder then return false end
if not live then
  local last = tonumber(call('GET', P .. 'last') or '0')
  epoch = math.max(now, last + 1)
  call('SET', P .. 'last', text(epoch))
end
write()
return text(epoch)
)lua";

/// ARGV: …, epoch.
constexpr std::string_view kRenew = R"lua(
if not live or who ~= holder or epoch ~= tonumber(ARGV[6]) then return 0 end
write()
return 1
)lua";

constexpr std::string_view kRelease = R"lua(
if not live or who ~= holder or epoch ~= tonumber(ARGV[6]) then return 0 end
call('DEL', key)
return 1
)lua";

class RedisClaims final : public Claims {
 public:
  RedisClaims(redis::Client& client, const Clock& clock, RedisClaimsConfig config)
      : client_(client), clock_(clock), config_(std::move(config)) {}

  Result<std::optional<Lease>> take(std::string_view key, std::string_view holder,
                                    std::chrono::milliseconds ttl) override {
    EKIDEN_CHECK(check_name(key, "key"));
    EKIDEN_CHECK(check_name(holder, "holder"));
    EKIDEN_CHECK(check_ttl(ttl));
    const Timestamp now = clock_.now();
    EKIDEN_TRY(const redis::Reply reply, client_.run(call(take_, key, holder, ttl, now)));
    if (reply.is_nil()) return std::optional<Lease>{};
    return std::optional(Lease{std::string(key), std::string(holder), std::stoll(reply.text), now + ttl});
  }

  Result<bool> renew(const Lease& lease, std::chrono::milliseconds ttl) override {
    EKIDEN_CHECK(check_ttl(ttl));
    return change(renew_, lease, ttl);
  }
  Result<bool> release(const Lease& lease) override {
    return change(release_, lease, std::chrono::milliseconds{1});
  }

 private:
  redis::ScriptCall call(const redis::Script& script, std::string_view key, std::string_view holder,
                         std::chrono::milliseconds ttl, Timestamp now) const {
    redis::ScriptCall call(script);
    call.add(config_.prefix).add(key);
    call.add(config_.time == TimeOf::caller ? std::to_string(to_micros(now)) : std::string());
    call.add(holder).add(ttl.count());
    return call;
  }
  Result<bool> change(const redis::Script& script, const Lease& lease, std::chrono::milliseconds ttl) const {
    EKIDEN_CHECK(check_name(lease.key, "key"));
    EKIDEN_CHECK(check_name(lease.holder, "holder"));
    redis::ScriptCall changing = call(script, lease.key, lease.holder, ttl, clock_.now());
    changing.add(lease.epoch);
    EKIDEN_TRY(const redis::Reply reply, client_.run(std::move(changing)));
    return reply.integer == 1;
  }

  static redis::Script script(std::string_view body) {
    return redis::Script(std::string(kHead).append(body));
  }

  redis::Client& client_;
  const Clock& clock_;
  const RedisClaimsConfig config_;
  const redis::Script take_ = script(kTake);
  const redis::Script renew_ = script(kRenew);
  const redis::Script release_ = script(kRelease);
};

}  // namespace

std::unique_ptr<Claims> make_redis_claims(redis::Client& client, const Clock& clock,
                                          RedisClaimsConfig config) {
  return std::make_unique<RedisClaims>(client, clock, std::move(config));
}

}  // namespace ekiden::claims
