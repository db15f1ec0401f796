#include "ports/ranking/redis/redis_ranking.hpp"

#include <algorithm>
#include <unordered_set>

#include "ports/ranking/redis/access.hpp"
#include "ports/ranking/redis/batch.hpp"
#include "ports/ranking/redis/encoding.hpp"
#include "ports/ranking/redis/rebuild.hpp"
#include "ports/ranking/redis/scripts.hpp"

namespace ekiden::ranking {
namespace {

using redis::Reply;
using Answer = std::vector<Reply>;
using Slice = std::vector<const EventChanges*>;

constexpr std::size_t kEventsAtOnce = 256;
constexpr std::size_t kChangesAtOnce = 512;  ///< a script holds the server up for some milliseconds at most
constexpr int kAttemptsMax = 4;
/// No board has so many members: what is asked for from there on is empty.
constexpr std::int64_t kRankEnd = std::int64_t{1} << 40;

Error not_ready(State state) {
  if (state == State::rebuilding) {
    return Error{Errc::unavailable, "rebuilding", "the boards are being rebuilt; try again"};
  }
  return {Errc::gone, "boards-forgotten", "the boards are lost; rebuild them from the ledger"};
}

/// Entries of an answer: elements and scores from `first` on.
Result<std::vector<Entry>> entries_of(const Answer& answer, std::size_t first, std::int64_t first_rank) {
  std::vector<Entry> entries;
  entries.reserve(answer.size() / 2);
  for (std::size_t i = first; i + 1 < answer.size(); i += 2) {
    const auto standing = encoding::standing(answer[i].text, answer[i + 1].text);
    if (!standing) return odd_answer();
    entries.push_back({first_rank + static_cast<std::int64_t>(entries.size()), standing->member,
                       standing->score, standing->reached_at});
  }
  return entries;
}

class RedisRanking final : public Ranking {
 public:
  RedisRanking(redis::Client& client, RedisRankingConfig config, Random& random, const Clock& clock,
               const Logger& logger)
      : access_(client, std::move(config)), random_(random), clock_(clock), logger_(logger) {}

  Result<bool> apply(EventId event, const std::vector<Change>& changes) override {
    EKIDEN_TRY(const std::size_t applied, apply_batch({{event, changes}}));
    return applied == 1;
  }
  Result<std::size_t> apply_batch(const std::vector<EventChanges>& events) override;

  Result<std::vector<Entry>> range(std::string_view board, std::int64_t from,
                                   std::int64_t limit) const override;
  Result<std::vector<Entry>> range_after(std::string_view board, const Standing& last,
                                         std::int64_t limit) const override;
  Result<std::optional<Entry>> rank(std::string_view board, UserId member) const override;
  Result<std::vector<Entry>> around(std::string_view board, UserId member, std::int64_t before,
                                    std::int64_t after) const override;
  Result<std::int64_t> size(std::string_view board) const override;
  std::optional<std::uint64_t> version(std::string_view) const override { return std::nullopt; }
  Result<std::vector<std::string>> boards(std::string_view prefix) const override;

  Result<void> rebuild(std::move_only_function<Result<void>(Loader&)> fill) override;
  void forget(std::string_view) override {
    throw std::logic_error("a board that other processes use cannot be taken away");
  }
  State state() const override { return access_.state(); }
  Result<State> check() override {
    EKIDEN_CHECK(access_.read(access_.call(scripts().look)));
    return access_.state();
  }
  bool is_shared() const override { return true; }

 private:
  Result<std::size_t> apply_slice(Slice slice);
  Result<std::size_t> apply_singly(const Slice& slice);
  Result<Answer> offer(const Batch& batch, const std::string& server, State& state);

  const Access access_;
  Random& random_;
  const Clock& clock_;
  const Logger logger_;
};

Result<std::size_t> RedisRanking::apply_batch(const std::vector<EventChanges>& events) {
  std::size_t applied = 0;
  Slice slice;
  std::unordered_set<EventId> ids;
  std::size_t changes = 0;
  const auto send = [&]() -> Result<void> {
    changes = 0;
    ids.clear();
    EKIDEN_TRY(const std::size_t fresh, apply_slice(std::exchange(slice, {})));
    applied += fresh;
    return {};
  };
  for (const EventChanges& event : events) {
    if (ids.contains(event.first)) continue;
    if (const auto valid = check_changes(event.second); !valid) {
      EKIDEN_CHECK(send());
      return valid.error();
    }
    const bool tame = is_tame(event.second);
    const bool full = slice.size() == kEventsAtOnce || changes + event.second.size() > kChangesAtOnce;
    if (!slice.empty() && (full || !tame)) EKIDEN_CHECK(send());
    slice.push_back(&event);
    ids.insert(event.first);
    changes += event.second.size();
    if (!tame) EKIDEN_CHECK(send());
  }
  EKIDEN_CHECK(send());
  return applied;
}

Result<Answer> RedisRanking::offer(const Batch& batch, const std::string& server, State& state) {
  const std::string mark = access_.mark(server);
  redis::ScriptCall call = access_.call(scripts().apply);
  call.add(mark).add(mark.substr(std::min(mark.size(), server.size() + 1)));
  call.add(access_.config().event_ttl.count());
  batch.write(call);
  EKIDEN_TRY(Answer answer, access_.run_on(server, std::move(call)));
  if (answer.size() < 3) return odd_answer();
  state = access_.note(server, answer);
  return answer;
}

/// Offers the events as one step. Those that are known are left out of the next try: what is summed up is
/// only right where all of it is new.
Result<std::size_t> RedisRanking::apply_slice(Slice slice) {
  int attempts = 0;
  while (!slice.empty()) {
    EKIDEN_TRY(const std::string server, access_.server());
    Batch batch;
    for (const EventChanges* event : slice) batch.add(*event);
    State state = State::forgotten;
    EKIDEN_TRY(const Answer answer, offer(batch, server, state));
    const std::string& verdict = answer[2].text;
    if (verdict == "OK") return slice.size();
    if (verdict == "RANGE") {
      if (slice.size() > 1) return apply_singly(slice);
      return check_score(kScoreEnd).error();
    }
    if (verdict == "KNOWN") {
      const std::vector<EventId> order = batch.order();
      std::unordered_set<EventId> known;
      for (std::size_t i = 3; i < answer.size(); ++i) {
        known.insert(order.at(static_cast<std::size_t>(answer[i].integer)));
      }
      std::erase_if(slice, [&known](const EventChanges* event) { return known.contains(event->first); });
    } else if (state != State::ready || ++attempts == kAttemptsMax) {
      return not_ready(state);
    }
  }
  return 0;
}

Result<std::size_t> RedisRanking::apply_singly(const Slice& slice) {
  std::size_t applied = 0;
  for (const EventChanges* event : slice) {
    EKIDEN_TRY(const std::size_t fresh, apply_slice({event}));
    applied += fresh;
  }
  return applied;
}

Result<std::vector<Entry>> RedisRanking::range(std::string_view board, std::int64_t from,
                                               std::int64_t limit) const {
  EKIDEN_CHECK(check_entry_count(limit, "limit"));
  if (from < 1) return Error{Errc::invalid, "rank-below-one", "ranks begin at 1", "from"};
  if (limit == 0 || from >= kRankEnd) return std::vector<Entry>{};
  EKIDEN_TRY(const Answer answer,
             access_.read(access_.call(scripts().range).add(board).add(from - 1).add(from + limit - 2)));
  return entries_of(answer, 2, from);
}

Result<std::vector<Entry>> RedisRanking::range_after(std::string_view board, const Standing& last,
                                                     std::int64_t limit) const {
  EKIDEN_CHECK(check_entry_count(limit, "limit"));
  EKIDEN_CHECK(check_score(last.score));
  if (limit == 0) return std::vector<Entry>{};
  EKIDEN_TRY(const Answer answer, access_.read(access_.call(scripts().range_after)
                                                   .add(board)
                                                   .add(-last.score)
                                                   .add(encoding::element(last))
                                                   .add(limit)));
  if (answer.size() < 3) return std::vector<Entry>{};
  return entries_of(answer, 3, answer[2].integer + 1);
}

Result<std::optional<Entry>> RedisRanking::rank(std::string_view board, UserId member) const {
  EKIDEN_TRY(const Answer answer,
             access_.read(access_.call(scripts().rank).add(board).add(member.uuid().as_view())));
  if (answer.size() < 4) return std::optional<Entry>{};
  const auto standing = encoding::standing_of_hash(member, answer[3].text);
  if (!standing || answer[2].is_nil()) return odd_answer();
  return std::optional(Entry{answer[2].integer + 1, member, standing->score, standing->reached_at});
}

Result<std::vector<Entry>> RedisRanking::around(std::string_view board, UserId member, std::int64_t before,
                                                std::int64_t after) const {
  EKIDEN_CHECK(check_entry_count(before, "before"));
  EKIDEN_CHECK(check_entry_count(after, "after"));
  EKIDEN_TRY(
      const Answer answer,
      access_.read(
          access_.call(scripts().around).add(board).add(member.uuid().as_view()).add(before).add(after)));
  if (answer.size() < 3) return std::vector<Entry>{};
  return entries_of(answer, 3, answer[2].integer + 1);
}

Result<std::int64_t> RedisRanking::size(std::string_view board) const {
  EKIDEN_TRY(const Answer answer, access_.read(access_.call(scripts().size).add(board)));
  return answer.size() < 3 ? 0 : answer[2].integer;
}

Result<std::vector<std::string>> RedisRanking::boards(std::string_view prefix) const {
  EKIDEN_TRY(Answer answer, access_.read(access_.call(scripts().boards).add(prefix)));
  std::vector<std::string> names;
  for (std::size_t i = 2; i < answer.size(); ++i) names.push_back(std::move(answer[i].text));
  return names;
}

Result<void> RedisRanking::rebuild(std::move_only_function<Result<void>(Loader&)> fill) {
  Rebuild work(access_, random_, clock_);
  EKIDEN_CHECK(work.begin());
  EKIDEN_CHECK(fill(work));
  EKIDEN_CHECK(work.finish());

  return {};
}

}  // namespace

std::unique_ptr<Ranking> make_redis_ranking(redis::Client& client, RedisRankingConfig config, Random& random,
                                            const Clock& clock, const Logger& logger) {
  return std::make_unique<RedisRanking>(client, std::move(config), random, clock, logger);
}

}  // namespace ekiden::ranking
