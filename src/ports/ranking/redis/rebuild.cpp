#include "ports/ranking/redis/rebuild.hpp"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "ports/ranking/redis/encoding.hpp"
#include "ports/ranking/redis/scripts.hpp"

namespace ekiden::ranking {
namespace {

constexpr std::size_t kStandingsAtOnce = 1'000;
constexpr std::size_t kEventsAtOnce = 2'000;
constexpr int kAttemptsMax = 5;

Result<void> check_standings(const Board& board) {
  std::unordered_set<UserId> members;
  members.reserve(board.standings.size());
  for (const Standing& standing : board.standings) {
    EKIDEN_CHECK(check_score(standing.score));
    if (!members.insert(standing.member).second) {
      return Error{Errc::invalid, "member-twice", "a board holds each member once", "standings"};
    }
  }
  return {};
}

}  // namespace

Rebuild::Rebuild(const Access& access, Random& random, const Clock& clock)
    : access_(access), random_(random), clock_(clock) {}

Rebuild::~Rebuild() {
  if (!begun_ || finished_) return;
  // Best effort: the lease ends by itself, and the next rebuild finds what is left over.
  const auto given_up = step([this] { return access_.call(scripts().abandon).add(token_); });
  access_.set_state(State::forgotten);
  if (given_up) static_cast<void>(forget(generation_));
}

std::string Rebuild::new_generation() {
  constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuv";
  std::string text;
  for (int i = 0; i < 13; ++i) text.push_back(kLetters[random_.below(kLetters.size())]);
  return text;
}

Result<std::vector<redis::Reply>> Rebuild::step(const std::function<redis::ScriptCall()>& make) {
  for (int attempt = 1;; ++attempt) {
    auto answer = access_.run_on(server_, make());
    if (answer) {
      if (answer->empty()) return odd_answer();
      return answer;
    }
    const bool may_pass = answer.error().code() == Errc::timeout || answer.error().code() == Errc::busy ||
                          answer.error().slug() == "redis-lost" || answer.error().slug() == "redis-away";
    if (!may_pass || attempt == kAttemptsMax) return answer;
    // Another run of the server answers `conflict` at once: then all is lost.
    access_.client().wait_until_up(clock_.monotonic() + std::chrono::seconds{1});
  }
}

Result<void> Rebuild::held_step(const std::function<redis::ScriptCall()>& make) {
  EKIDEN_TRY(const auto answer, step(make));
  if (answer[0].integer == 1) return {};
  return Error{Errc::unavailable, "rebuild-lost", "the right to rebuild went to another process"};
}

Result<void> Rebuild::begin() {
  EKIDEN_TRY(server_, access_.server());
  token_ = generation_ = new_generation();
  // Not repeated: a first call whose answer was lost would make the second one answer busy.
  EKIDEN_TRY(
      const auto answer,
      access_.run_on(server_,
                     access_.call(scripts().begin).add(token_).add(access_.config().rebuild_lease.count())));
  if (answer.empty()) return odd_answer();
  if (answer[0].integer != 1) return Error{Errc::busy, "rebuild-runs", "another rebuild runs", {}};
  begun_ = true;
  access_.set_state(State::rebuilding);
  for (std::size_t i = 1; i < answer.size(); ++i) left_over_.push_back(answer[i].text);
  return {};
}

void Rebuild::restart() {
  left_over_.push_back(std::exchange(generation_, new_generation()));
  put_.clear();
}

Result<void> Rebuild::put(Board board) {
  EKIDEN_CHECK(check_board_name(board.name));
  EKIDEN_CHECK(check_standings(board));
  std::erase_if(board.standings, [](const Standing& standing) { return standing.score == 0; });
  const auto place = std::ranges::lower_bound(put_, board.name);
  if (place != put_.end() && *place == board.name) {
    EKIDEN_CHECK(held_step([&] {
      return access_.call(scripts().clear)
          .add(token_)
          .add(access_.config().rebuild_lease.count())
          .add(generation_)
          .add(board.name);
    }));
  } else {
    put_.insert(place, board.name);
  }
  const std::span<const Standing> all = board.standings;
  for (std::size_t first = 0; first < all.size(); first += kStandingsAtOnce) {
    const auto some = all.subspan(first, std::min(kStandingsAtOnce, all.size() - first));
    EKIDEN_CHECK(held_step([&] {
      redis::ScriptCall call = access_.call(scripts().put);
      call.reserve(some.size() * 64);
      call.add(token_).add(access_.config().rebuild_lease.count()).add(generation_).add(board.name);
      for (const Standing& standing : some) call.add(encoding::element(standing)).add(standing.score);
      return call;
    }));
  }
  return {};
}

Result<void> Rebuild::mark_applied(const std::vector<EventId>& events) {
  const std::span<const EventId> all = events;
  for (std::size_t first = 0; first < all.size(); first += kEventsAtOnce) {
    const auto some = all.subspan(first, std::min(kEventsAtOnce, all.size() - first));
    EKIDEN_CHECK(held_step([&] {
      redis::ScriptCall call = access_.call(scripts().mark);
      call.add(token_).add(access_.config().rebuild_lease.count()).add(access_.config().event_ttl.count());
      for (const EventId& event : some) {
        call.add(encoding::event_bucket(event)).add(event.uuid().as_view());
      }
      return call;
    }));
  }
  return {};
}

Result<void> Rebuild::finish() {
  EKIDEN_CHECK(
      held_step([&] { return access_.call(scripts().end).add(token_).add(server_).add(generation_); }));
  finished_ = true;
  access_.set_state(State::ready);
  // What was shown before, and what earlier attempts left. Where this fails, the next rebuild does it.
  for (const std::string& old : left_over_) {
    if (!forget(old)) break;
  }
  return {};
}

Result<void> Rebuild::forget(const std::string& generation) {
  for (;;) {
    EKIDEN_TRY(const auto left, step([&] { return access_.call(scripts().drop).add(generation); }));
    if (left[0].integer == 0) return {};
  }
}

}  // namespace ekiden::ranking
