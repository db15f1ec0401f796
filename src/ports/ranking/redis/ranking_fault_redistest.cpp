// Goal: whatever Redis forgets is noticed before anything is added to what is left; of two processes one
// rebuilds; an event that is offered again is added once. Method: servers of the test's own, which are
// flushed, killed, started anew and paused, and two clients that stand for two processes.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"
#include "ports/redis_client/testing/redis_place.hpp"

namespace ekiden::ranking {
namespace {

using namespace std::chrono_literals;
using redis::Command;
using redis::testing::OwnClient;
using redis::testing::OwnServer;

Uuid uuid(std::uint64_t number) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return Uuid{bytes};
}
EventId event_id(std::uint64_t number) {
  return EventId{uuid(number)};
}
Change change(std::uint64_t member, std::int64_t delta, std::string board = "b") {
  return {std::move(board), UserId{uuid(member)}, delta, from_micros(static_cast<std::int64_t>(member))};
}
Errc code(const auto& result) {
  return result ? Errc::internal : result.error().code();
}
Result<void> nothing(Loader&) {
  return {};
}

/// What one process has of the ranking.
struct Process {
  explicit Process(const redis::Address& address, std::uint64_t seed = 1,
                   std::chrono::milliseconds lease = 20s)
      : client(redis::ClientConfig{.address = address}), random(seed) {
    ranking = make_redis_ranking(*client, {.rebuild_lease = lease}, random, clock, Logger(log, clock));
  }
  bool comes_back() { return client->wait_until_up(clock.monotonic() + 20s); }
  std::int64_t keys() { return client->run(Command{"DBSIZE"})->integer; }

  SystemClock clock;
  ekiden::testing::KeptLines log;
  OwnClient client;
  ekiden::testing::SeededRandom random;
  std::unique_ptr<Ranking> ranking;
};

TEST(RedisRankingFaults, AFlushIsNoticedAndMended) {
  OwnServer server;
  Process process(server.address());
  EXPECT_EQ(*process.ranking->check(), State::forgotten);
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  ASSERT_TRUE(*process.ranking->apply(event_id(1), {change(1, 5)}));
  ASSERT_TRUE(process.client->run(Command{"FLUSHALL"}));
  EXPECT_EQ(code(process.ranking->apply(event_id(2), {change(1, 7)})), Errc::gone);
  EXPECT_EQ(process.ranking->state(), State::forgotten);
  EXPECT_TRUE(process.ranking->range("b", 1, 10)->empty());
  ASSERT_TRUE(process.ranking->rebuild([](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(loader.put({"b", {{UserId{uuid(1)}, 12, {}}}}));
    return loader.mark_applied({event_id(1), event_id(2)});
  }));
  EXPECT_FALSE(*process.ranking->apply(event_id(2), {change(1, 7)}));
  EXPECT_EQ((*process.ranking->rank("b", UserId{uuid(1)}))->score, 12);
}

TEST(RedisRankingFaults, AReadNoticesAFlushToo) {
  OwnServer server;
  Process process(server.address());
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  ASSERT_TRUE(process.client->run(Command{"FLUSHALL"}));
  EXPECT_EQ(process.ranking->state(), State::ready);
  EXPECT_EQ(*process.ranking->size("b"), 0);
  EXPECT_EQ(process.ranking->state(), State::forgotten);
}

/// What a file kept is older than what was acknowledged: nothing may be added to it.
TEST(RedisRankingFaults, ARestartWithAFileCountsAsForgotten) {
  OwnServer server("appendonly yes appendfsync always");
  Process process(server.address());
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  ASSERT_TRUE(*process.ranking->apply(event_id(1), {change(1, 5)}));
  server.kill();
  EXPECT_EQ(code(process.ranking->apply(event_id(2), {change(1, 5)})), Errc::unavailable);
  EXPECT_EQ(code(process.ranking->size("b")), Errc::unavailable);
  EXPECT_EQ(code(process.ranking->rebuild(nothing)), Errc::unavailable);
  server.start();
  ASSERT_TRUE(process.comes_back());
  EXPECT_EQ(code(process.ranking->apply(event_id(2), {change(1, 5)})), Errc::gone);
  EXPECT_EQ(process.ranking->state(), State::forgotten);
  EXPECT_EQ(*process.ranking->size("b"), 1);  // reads show what there is
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  EXPECT_TRUE(*process.ranking->apply(event_id(2), {change(1, 5)}));
}

TEST(RedisRankingFaults, AScriptFlushIsNotNoticed) {
  OwnServer server;
  Process process(server.address());
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  for (std::uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(process.client->run(Command{"SCRIPT", "FLUSH"}));
    ASSERT_TRUE(*process.ranking->apply(event_id(i), {change(1, 1)}));
    ASSERT_TRUE(process.client->run(Command{"SCRIPT", "FLUSH"}));
    ASSERT_EQ((*process.ranking->rank("b", UserId{uuid(1)}))->score, static_cast<std::int64_t>(i));
  }
}

TEST(RedisRankingFaults, OfTwoProcessesOneRebuildsAndBothGoOn) {
  OwnServer server;
  Process first(server.address(), 1);
  Process second(server.address(), 2);
  ASSERT_TRUE(first.ranking->rebuild([&](Loader& loader) -> Result<void> {
    EXPECT_EQ(code(second.ranking->rebuild(nothing)), Errc::busy);
    EXPECT_EQ(*second.ranking->check(), State::rebuilding);
    EXPECT_EQ(code(second.ranking->apply(event_id(1), {change(1, 1)})), Errc::unavailable);
    return loader.put({"b", {{UserId{uuid(1)}, 10, {}}}});
  }));
  // It learns the new mark from the first refusal.
  EXPECT_TRUE(*second.ranking->apply(event_id(1), {change(1, 1)}));
  EXPECT_FALSE(*first.ranking->apply(event_id(1), {change(1, 1)}));
  EXPECT_EQ((*first.ranking->rank("b", UserId{uuid(1)}))->score, 11);
  ASSERT_TRUE(second.ranking->rebuild(nothing));
  EXPECT_TRUE(*first.ranking->apply(event_id(2), {change(1, 3)}));
  EXPECT_EQ((*second.ranking->rank("b", UserId{uuid(1)}))->score, 3);
}

TEST(RedisRankingFaults, ARebuildWhoseLeaseEndedCannotShowItsBoards) {
  OwnServer server;
  Process slow(server.address(), 1, 30ms);
  Process quick(server.address(), 2);
  const auto overtaken = slow.ranking->rebuild([&](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(loader.put({"b", {{UserId{uuid(1)}, 1, {}}}}));
    Result<void> taken = quick.ranking->rebuild(nothing);
    while (code(taken) == Errc::busy) taken = quick.ranking->rebuild(nothing);
    EXPECT_TRUE(taken);
    return {};
  });
  EXPECT_EQ(code(overtaken), Errc::unavailable);
  EXPECT_EQ(*quick.ranking->check(), State::ready);
  EXPECT_TRUE(quick.ranking->boards("")->empty());
  EXPECT_TRUE(*slow.ranking->apply(event_id(1), {change(1, 1)}));
}

TEST(RedisRankingFaults, ARebuildDoesNotSurviveAnotherRunOfTheServer) {
  OwnServer server;
  Process process(server.address());
  const auto outcome = process.ranking->rebuild([&](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(loader.put({"b", {{UserId{uuid(1)}, 1, {}}}}));
    server.kill();
    server.start();
    EXPECT_TRUE(process.comes_back());
    return loader.put({"c", {{UserId{uuid(1)}, 1, {}}}});
  });
  EXPECT_EQ(code(outcome), Errc::unavailable);
  EXPECT_EQ(*process.ranking->check(), State::forgotten);
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  EXPECT_TRUE(process.ranking->boards("")->empty());
}

TEST(RedisRankingFaults, OldGenerationsLeaveNothingBehind) {
  OwnServer server;
  Process process(server.address());
  const auto fill = [](Loader& loader) -> Result<void> {
    for (int i = 0; i < 450; ++i) {
      EKIDEN_CHECK(loader.put({"board" + std::to_string(i), {{UserId{uuid(1)}, 1, {}}}}));
    }
    return {};
  };
  ASSERT_TRUE(process.ranking->rebuild(fill));
  const std::int64_t keys = process.keys();
  ASSERT_TRUE(process.ranking->rebuild(fill));
  EXPECT_EQ(process.keys(), keys);
  const Error lost{Errc::unavailable, "lost", "the ledger does not answer"};
  EXPECT_FALSE(process.ranking->rebuild([&](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(fill(loader));
    loader.restart();
    EKIDEN_CHECK(fill(loader));
    return lost;
  }));
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  EXPECT_EQ(process.keys(), 3);  // ready, shown, gens
}

/// Two processes offer the same events, each until it is told that the event is in, while both cut all
/// connections again and again.
TEST(RedisRankingFaults, CutConnectionsNeitherLoseNorDouble) {
  OwnServer server;
  constexpr std::uint64_t kEvents = 600;
  Process first(server.address(), 1);
  ASSERT_TRUE(first.ranking->rebuild(nothing));
  std::atomic<std::uint64_t> acknowledged{0};
  const auto write = [&](std::uint64_t seed) {
    Process own(server.address(), seed);
    OwnClient cutter(server.address());
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
      if (i % 50 == seed) {
        static_cast<void>(cutter->run(Command{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
      }
      auto applied = own.ranking->apply(event_id(i), {change(i % 7 + 1, 1), change(1, 1, "all")});
      while (!applied) {
        if (code(applied) != Errc::unavailable) ADD_FAILURE() << applied.error().text();
        static_cast<void>(own.comes_back());
        applied = own.ranking->apply(event_id(i), {change(i % 7 + 1, 1), change(1, 1, "all")});
      }
      acknowledged += *applied ? 1 : 0;
    }
  };
  {
    const std::jthread one([&] { write(2); });
    const std::jthread other([&] { write(3); });
  }
  auto total = first.ranking->rank("all", UserId{uuid(1)});
  while (!total) {
    ASSERT_TRUE(first.comes_back());
    total = first.ranking->rank("all", UserId{uuid(1)});
  }
  EXPECT_EQ((*total)->score, std::int64_t{kEvents});
  EXPECT_LE(acknowledged, kEvents);  // where an answer was lost, the event is known the next time
}

TEST(RedisRankingFaults, APausedRedisIsATimeoutAndThenUnavailable) {
  OwnServer server;
  Process process(server.address());
  ASSERT_TRUE(process.ranking->rebuild(nothing));
  redis::ClientConfig config{.address = server.address(), .call_timeout = 50ms, .silence_max = 50ms};
  OwnClient hasty(config);
  ekiden::testing::SeededRandom random(9);
  const auto ranking =
      make_redis_ranking(*hasty, {}, random, process.clock, Logger(process.log, process.clock));
  ASSERT_TRUE(process.client->run(Command{"CLIENT", "PAUSE", "1000", "ALL"}));
  EXPECT_EQ(code(ranking->apply(event_id(1), {change(1, 1)})), Errc::timeout);
  Result<bool> applied = ranking->apply(event_id(1), {change(1, 1)});
  while (!applied) {
    EXPECT_TRUE(is_retryable(code(applied))) << applied.error().text();
    applied = ranking->apply(event_id(1), {change(1, 1)});
  }
  EXPECT_EQ((*process.ranking->rank("b", UserId{uuid(1)}))->score, 1);
}

}  // namespace
}  // namespace ekiden::ranking
