// Goal: every call ends exactly once, in order, whatever the server does; nothing meant for one server
// reaches another. Method: real servers that are paused, killed, started anew and told to forget.
#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "ports/redis_client/client.hpp"
#include "ports/redis_client/testing/redis_place.hpp"

namespace ekiden::redis {
namespace {

using namespace std::chrono_literals;
using testing::OwnClient;
using testing::OwnServer;

Errc code(const Result<Reply>& reply) {
  return reply ? Errc::conflict : reply.error().code();
}

bool comes_back(OwnClient& client) {
  return client->wait_until_up(client.clock().monotonic() + 20s);
}

/// Counts ends of calls, for tests that wait for many.
class Ends {
 public:
  void add(bool good) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++ends_;
    good_ += good ? 1 : 0;
    changed_.notify_all();
  }
  /// How many were good, once there are `count` ends.
  int wait(int count) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (ends_ < count) changed_.wait(mutex_);
    return good_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int ends_ EKIDEN_GUARDED_BY(mutex_) = 0;
  int good_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

TEST(RedisClient, ManyThreadsShareOneConnectionAndGetTheirOwnAnswers) {
  OwnClient client(testing::shared_address());
  const std::string key = testing::fresh_prefix() + "n";
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 300; ++i) {
          const std::string text = std::to_string(t) + "\r\n" + std::to_string(i);
          const auto echoed = client->run(Command{"ECHO", text});
          if (!echoed || echoed->text != text) ++wrong;
          if (!client->run(Command{"INCR", key})) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(client->run(Command{"GET", key})->text, "1200");
  EXPECT_EQ(client->figures().connects, 1);
}

TEST(RedisClient, AnErrorOfTheServerIsOneOfTheCallAlone) {
  OwnClient client(testing::shared_address());
  const auto wrong = client->run(Command{"INCR"});
  EXPECT_EQ(code(wrong), Errc::internal);
  EXPECT_EQ(wrong.error().slug(), "redis-error");
  EXPECT_EQ(client->run(Command{"PING"})->text, "PONG");
}

TEST(RedisClient, AScriptThatTheServerForgotIsSentWhole) {
  OwnServer server;
  OwnClient client(server.address());
  const Script script("return redis.call('INCRBY', ARGV[1], ARGV[2])");
  for (std::int64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(client->run(ScriptCall(script).add("k").add(5))->integer, 5 * i);
    ASSERT_TRUE(client->run(Command{"SCRIPT", "FLUSH"}));
  }
}

TEST(RedisClient, APausedServerCostsTheCallersTheirDeadlineAndThenNothing) {
  OwnServer server;
  OwnClient client(ClientConfig{
      .address = server.address(), .connect_timeout = 300ms, .call_timeout = 200ms, .silence_max = 100ms});
  OwnClient other(server.address());
  ASSERT_TRUE(other->run(Command{"CLIENT", "PAUSE", "1500", "ALL"}));
  const auto late = client->run(Command{"INCR", "k"});
  EXPECT_EQ(code(late), Errc::timeout);
  // The answer never came, so the connection is given up; from then on nobody waits.
  Result<Reply> refused = client->run(Command{"GET", "k"});
  while (code(refused) == Errc::timeout) refused = client->run(Command{"GET", "k"});
  EXPECT_EQ(code(refused), Errc::unavailable);
  ASSERT_TRUE(comes_back(client));
  EXPECT_GE(client->figures().connects, 2);
  EXPECT_GE(client->figures().timeouts, 1);
  EXPECT_TRUE(client->run(Command{"GET", "k"}));
}

TEST(RedisClient, ALateAnswerIsNobodyElses) {
  OwnServer server;
  OwnClient client(ClientConfig{.address = server.address(), .silence_max = 20s});
  ASSERT_TRUE(client->run(Command{"SET", "k", "mine"}));
  OwnClient other(server.address());
  ASSERT_TRUE(other->run(Command{"CLIENT", "PAUSE", "300", "ALL"}));
  const auto late = client->run(Command{"GET", "k"}, {.timeout = 20ms});
  EXPECT_EQ(code(late), Errc::timeout);
  EXPECT_EQ(client->run(Command{"ECHO", "yours"}, {.timeout = 20s})->text, "yours");
  EXPECT_EQ(client->figures().connects, 1);
}

TEST(RedisClient, AKilledServerFailsWhatWaitsAndIsFoundAgain) {
  OwnServer server;
  OwnClient client(server.address());
  const std::string before = client->server();
  OwnClient other(server.address());
  ASSERT_TRUE(other->run(Command{"CLIENT", "PAUSE", "60000", "ALL"}));
  Ends ends;
  for (int i = 0; i < 100; ++i) {
    client->call(Command{"INCR", "k"}, {.timeout = 60s}, [&ends](const Result<Reply>& reply) {
      ends.add(reply.has_value() || reply.error().code() != Errc::unavailable);
    });
  }
  server.kill();
  EXPECT_EQ(ends.wait(100), 0);
  EXPECT_EQ(code(client->run(Command{"PING"})), Errc::unavailable);
  server.start();
  ASSERT_TRUE(comes_back(client));
  EXPECT_NE(client->server(), before);
  EXPECT_EQ(code(client->run(Command{"PING"}, {.server = before})), Errc::conflict);
  EXPECT_TRUE(client->run(Command{"PING"}, {.server = client->server()}));
  EXPECT_EQ(client.log().count("redis_away"), 1U);
}

TEST(RedisClient, ACutConnectionIsMadeAgain) {
  OwnServer server;
  OwnClient client(server.address());
  const std::string id = client->server();
  for (int round = 0; round < 5; ++round) {
    OwnClient other(server.address());
    ASSERT_TRUE(other->run(Command{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
    ASSERT_TRUE(comes_back(client));
    Result<Reply> pong = client->run(Command{"PING"});
    while (!pong) {
      ASSERT_TRUE(comes_back(client));
      pong = client->run(Command{"PING"});
    }
  }
  EXPECT_EQ(client->server(), id);
}

TEST(RedisClient, IsBounded) {
  OwnServer server;
  OwnClient client(ClientConfig{.address = server.address(), .calls_max = 10});
  OwnClient other(server.address());
  ASSERT_TRUE(other->run(Command{"CLIENT", "PAUSE", "300", "ALL"}));
  Ends ends;
  for (int i = 0; i < 25; ++i) {
    client->call(Command{"PING"}, {.timeout = 20s}, [&ends](const Result<Reply>& reply) {
      ends.add(reply.has_value());
      if (!reply) EXPECT_EQ(reply.error().code(), Errc::busy);
    });
  }
  EXPECT_EQ(ends.wait(25), 10);
  OwnClient narrow(ClientConfig{.address = server.address(), .bytes_max = 1'000});
  EXPECT_EQ(code(narrow->run(Command{"ECHO", std::string(2'000, 'x')})), Errc::busy);
}

TEST(RedisClient, SpeaksWithAPasswordAndKeepsToItsDatabase) {
  OwnServer server("requirepass 'a b%'");
  Address address = server.address();
  address.password = "a b%";
  address.database = 3;
  OwnClient client(address);
  ASSERT_TRUE(client->run(Command{"SET", "k", "v"}));
  address.database = 0;
  OwnClient other(address);
  EXPECT_TRUE(other->run(Command{"GET", "k"})->is_nil());
  SystemClock clock;
  ekiden::testing::SeededRandom random(1);
  ekiden::testing::KeptLines log;
  const Client stranger({.address = server.address()}, clock, random, Logger(log, clock));
  EXPECT_FALSE(stranger.wait_until_up(clock.monotonic() + 300ms));
  EXPECT_GE(log.count("NOAUTH"), 1U);
}

TEST(RedisClient, EndsWhileCallsWait) {
  OwnServer server;
  Ends ends;
  {
    OwnClient client(server.address());
    OwnClient other(server.address());
    ASSERT_TRUE(other->run(Command{"CLIENT", "PAUSE", "60000", "ALL"}));
    for (int i = 0; i < 10; ++i) {
      client->call(Command{"PING"}, {.timeout = 60s},
                   [&ends](const Result<Reply>& reply) { ends.add(reply.has_value()); });
    }
  }
  EXPECT_EQ(ends.wait(10), 0);
}

}  // namespace
}  // namespace ekiden::redis
