#include "ports/ranking/redis/scripts.hpp"

namespace ekiden::ranking {
namespace {

/// `answer` begins what every script returns.
constexpr std::string_view kHead = R"lua(
local P, call = ARGV[1], redis.call
local ready = call('GET', P .. 'ready')
local function answer()
  return {ready, ready and 0 or call('EXISTS', P .. 'build')}
end
local function append(to, from)
  for i = 1, #from do to[#to + 1] = from[i] end
  return to
end
)lua";

/// Reads show a generation even while it is not ready.
constexpr std::string_view kReadHead = R"lua(
local out = answer()
local gen = call('GET', P .. 'shown')
if not gen then return out end
local zset, hash = P .. 'b:' .. gen .. ':' .. (ARGV[2] or ''), P .. 'm:' .. gen .. ':' .. (ARGV[2] or '')
)lua";

/// ARGV: prefix, expected ready mark, its generation, seconds for ids, buckets {name, n, id…}, boards {name,
/// n, {member, time, "sum" or "sum low high"}…}. Everything is decided before anything is written.
constexpr std::string_view kApply = R"lua(
local out = answer()
if ready ~= ARGV[2] then out[3] = 'NOT'; return out end
local gen, ttl = ARGV[3], ARGV[4]
local at, index, known = 5, 0, {}
local buckets = tonumber(ARGV[at]); at = at + 1
local first_bucket = at
for _ = 1, buckets do
  local n = tonumber(ARGV[at + 1])
  local seen = call('SMISMEMBER', P .. 'done:' .. ARGV[at], unpack(ARGV, at + 2, at + 1 + n))
  for i = 1, n do
    if seen[i] == 1 then known[#known + 1] = index + i - 1 end
  end
  index = index + n
  at = at + 2 + n
end
if #known > 0 then out[3] = 'KNOWN'; return append(out, known) end

local boards, plans = tonumber(ARGV[at]), {}
at = at + 1
for b = 1, boards do
  local name, n = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  local members = {}
  for i = 1, n do members[i] = ARGV[at + 3 * i - 3] end
  local hash = P .. 'm:' .. gen .. ':' .. name
  local old = call('HMGET', hash, unpack(members))
  local zadd, hset, zrem, hdel = {}, {}, {}, {}
  for i = 1, n do
    local member, time, text = members[i], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    local was, score, place = old[i], 0, nil
    if was then
      score = tonumber(string.sub(was, 9))
      place = string.sub(was, 1, 8)
    end
    local sum = tonumber(text)
    if not sum then
      local low, high
      sum, low, high = string.match(text, '^(%S+) (%S+) (%S+)$')
      sum = tonumber(sum)
      if score + tonumber(low) <= -9007199254740992 or score + tonumber(high) >= 9007199254740992 then
        out[3] = 'RANGE'
        return out
      end
    end
    score = score + sum
    if score <= -9007199254740992 or score >= 9007199254740992 then out[3] = 'RANGE'; return out end
    zrem[i] = place and (score == 0 or place ~= time) and place .. member
    if score ~= 0 then
      zadd[2 * i - 1] = -score
      zadd[2 * i] = time .. member
      hset[#hset + 1] = member
      hset[#hset + 1] = time .. string.format('%.0f', score)
    elseif place then
      hdel[#hdel + 1] = member
    end
  end
  plans[b] = {name, P .. 'b:' .. gen .. ':' .. name, hash, n, zadd, hset, zrem, hdel}
end

at = first_bucket
for _ = 1, buckets do
  local key, n = P .. 'done:' .. ARGV[at], tonumber(ARGV[at + 1])
  call('SADD', key, unpack(ARGV, at + 2, at + 1 + n))
  call('EXPIRE', key, ttl)
  at = at + 2 + n
end
for b = 1, boards do
  local name, zset, hash, n, zadd, hset, zrem, hdel = unpack(plans[b])
  local added = 0
  -- One member after the other: what the removal has brought into the cache serves the insertion.
  for i = 1, n do
    if zrem[i] then call('ZREM', zset, zrem[i]) end
    if zadd[2 * i] then added = added + call('ZADD', zset, zadd[2 * i - 1], zadd[2 * i]) end
  end
  if #hset > 0 then
    call('HSET', hash, unpack(hset))
    if added > 0 and call('ZCARD', zset) <= n then call('ZADD', P .. 'names:' .. gen, 0, name) end
  end
  if #hdel > 0 then
    call('HDEL', hash, unpack(hdel))
    if call('EXISTS', zset) == 0 then call('ZREM', P .. 'names:' .. gen, name) end
  end
end
out[3] = 'OK'
return out
)lua";

/// ARGV: …, board, member.
constexpr std::string_view kRank = R"lua(
local was = call('HGET', hash, ARGV[3])
if was then
  out[3] = call('ZRANK', zset, string.sub(was, 1, 8) .. ARGV[3])
  out[4] = was
end
return out
)lua";

/// ARGV: …, board, first index, last index.
constexpr std::string_view kRange = R"lua(
return append(out, call('ZRANGE', zset, ARGV[3], ARGV[4], 'WITHSCORES'))
)lua";

/// ARGV: …, board, negated score, element, how many. Where the element itself is gone, its place is found
/// among those of its score by halving; bytes are compared one by one, as the language's own order depends on
/// the server's locale.
constexpr std::string_view kRangeAfter = R"lua(
local score, last = ARGV[3], ARGV[4]
local function stands_behind(element)
  for i = 1, #last do
    local mine, its = string.byte(element, i), string.byte(last, i)
    if mine ~= its then return mine > its end
  end
  return false
end
local low, high = call('ZCOUNT', zset, '-inf', '(' .. score), call('ZCOUNT', zset, '-inf', score)
while low < high do
  local middle = math.floor((low + high) / 2)
  if stands_behind(call('ZRANGE', zset, middle, middle)[1]) then high = middle else low = middle + 1 end
end
out[3] = low
return append(out, call('ZRANGE', zset, low, low + tonumber(ARGV[5]) - 1, 'WITHSCORES'))
)lua";

/// ARGV: …, board, member, before, after.
constexpr std::string_view kAround = R"lua(
local was = call('HGET', hash, ARGV[3])
if not was then return out end
local rank = call('ZRANK', zset, string.sub(was, 1, 8) .. ARGV[3])
local low = math.max(0, rank - tonumber(ARGV[4]))
out[3] = low
return append(out, call('ZRANGE', zset, low, rank + tonumber(ARGV[5]), 'WITHSCORES'))
)lua";

constexpr std::string_view kSize = R"lua(
out[3] = call('ZCARD', zset)
return out
)lua";

/// ARGV: …, prefix of the names.
constexpr std::string_view kBoards = R"lua(
local from = ARGV[2] == '' and '-' or '[' .. ARGV[2]
return append(out, call('ZRANGEBYLEX', P .. 'names:' .. gen, from, '[' .. ARGV[2] .. '\255'))
)lua";

/// ARGV: prefix, new generation, lease.
constexpr std::string_view kBegin = R"lua(
if call('EXISTS', P .. 'build') == 1 then return {0} end
call('SET', P .. 'build', ARGV[2], 'PX', ARGV[3])
call('DEL', P .. 'ready')
local out = append({1}, call('SMEMBERS', P .. 'gens'))
call('SADD', P .. 'gens', ARGV[2])
return out
)lua";

constexpr std::string_view kHolds = R"lua(
if call('GET', P .. 'build') ~= ARGV[2] then return {0} end
call('PEXPIRE', P .. 'build', ARGV[3])
)lua";

/// ARGV: prefix, lease's generation, lease, generation of the keys, board.
constexpr std::string_view kClear = R"lua(
call('UNLINK', P .. 'b:' .. ARGV[4] .. ':' .. ARGV[5], P .. 'm:' .. ARGV[4] .. ':' .. ARGV[5])
call('ZREM', P .. 'names:' .. ARGV[4], ARGV[5])
return {1}
)lua";

/// ARGV: prefix, lease's generation, lease, generation of the keys, board, {element, score in digits}…
constexpr std::string_view kPut = R"lua(
local zadd, hset = {}, {}
for i = 6, #ARGV, 2 do
  local element, score = ARGV[i], ARGV[i + 1]
  zadd[#zadd + 1] = -tonumber(score)
  zadd[#zadd + 1] = element
  hset[#hset + 1] = string.sub(element, 9)
  hset[#hset + 1] = string.sub(element, 1, 8) .. score
end
call('SADD', P .. 'gens', ARGV[4])
call('ZADD', P .. 'names:' .. ARGV[4], 0, ARGV[5])
call('ZADD', P .. 'b:' .. ARGV[4] .. ':' .. ARGV[5], unpack(zadd))
call('HSET', P .. 'm:' .. ARGV[4] .. ':' .. ARGV[5], unpack(hset))
return {1}
)lua";

/// ARGV: prefix, generation, lease, seconds, {bucket, id}…
constexpr std::string_view kMark = R"lua(
for i = 5, #ARGV, 2 do
  local key = P .. 'done:' .. ARGV[i]
  call('SADD', key, ARGV[i + 1])
  call('EXPIRE', key, ARGV[4])
end
return {1}
)lua";

/// ARGV: prefix, lease's generation, run id, generation of the keys. Where the first answer was lost, the
/// second call finds its own mark.
constexpr std::string_view kEnd = R"lua(
local mark = ARGV[3] .. ' ' .. ARGV[4]
if ready == mark then return {1} end
if call('GET', P .. 'build') ~= ARGV[2] then return {0} end
call('SET', P .. 'shown', ARGV[4])
call('SET', P .. 'ready', mark)
call('DEL', P .. 'build')
return {1}
)lua";

/// ARGV: prefix, generation.
constexpr std::string_view kAbandon = R"lua(
if call('GET', P .. 'build') == ARGV[2] then call('DEL', P .. 'build') end
return {1}
)lua";

/// ARGV: prefix, generation. Never what is shown.
constexpr std::string_view kDrop = R"lua(
local gen = ARGV[2]
if call('GET', P .. 'shown') == gen then return 0 end
local names = call('ZRANGE', P .. 'names:' .. gen, 0, 199)
for i = 1, #names do
  call('UNLINK', P .. 'b:' .. gen .. ':' .. names[i], P .. 'm:' .. gen .. ':' .. names[i])
  call('ZREM', P .. 'names:' .. gen, names[i])
end
local left = call('ZCARD', P .. 'names:' .. gen)
if left == 0 then call('SREM', P .. 'gens', gen) end
return left
)lua";

template <class... Parts>
redis::Script script(Parts... parts) {
  std::string text;
  (text.append(parts), ...);
  return redis::Script(std::move(text));
}

}  // namespace

const Scripts& scripts() {
  static const Scripts all{
      .look = script(kHead, "return answer()\n"),
      .apply = script(kHead, kApply),
      .rank = script(kHead, kReadHead, kRank),
      .range = script(kHead, kReadHead, kRange),
      .range_after = script(kHead, kReadHead, kRangeAfter),
      .around = script(kHead, kReadHead, kAround),
      .size = script(kHead, kReadHead, kSize),
      .boards = script(kHead, kReadHead, kBoards),
      .begin = script(kHead, kBegin),
      .clear = script(kHead, kHolds, kClear),
      .put = script(kHead, kHolds, kPut),
      .mark = script(kHead, kHolds, kMark),
      .end = script(kHead, kEnd),
      .abandon = script(kHead, kAbandon),
      .drop = script(kHead, kDrop),
  };
  return all;
}

}  // namespace ekiden::ranking
