#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "ports/limits/contract/limits_contract.hpp"
#include "ports/limits/memory/memory_limits.hpp"
#include "ports/limits/redis/redis_limits.hpp"
#include "ports/redis_client/testing/redis_place.hpp"

namespace ekiden::limits {
namespace testing {
namespace {

/// Buckets below a prefix of their own on the shared server; the test's clock rules.
class RedisBench final : public LimitsBench {
 public:
  Limits& limits() override { return *limits_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }

 private:
  ekiden::testing::ManualClock clock_;
  ekiden::testing::KeptLines log_;
  redis::testing::OwnClient client_{redis::testing::shared_address()};
  std::unique_ptr<Limits> fallback_ = make_memory_limits(clock_);
  std::unique_ptr<RedisLimits> limits_ = make_redis_limits(*client_, *fallback_, clock_, Logger(log_, clock_),
                                                           {.prefix = redis::testing::fresh_prefix(),
                                                            .time = TimeOf::caller,
                                                            .timeout = std::chrono::seconds{20}});
};

INSTANTIATE_TEST_SUITE_P(Redis, LimitsContract,
                         ::testing::Values(LimitsMaker{"redis", [] { return std::make_unique<RedisBench>(); },
                                                       3'000}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace testing

namespace {

using namespace std::chrono_literals;
using redis::testing::OwnClient;
using redis::testing::OwnServer;

/// A gateway: a client, a bucket of its own for bad times, and the shared ones.
struct Gateway {
  explicit Gateway(const redis::Address& address)
      : client(redis::ClientConfig{.address = address, .silence_max = 100ms}) {}
  SystemClock clock;
  ekiden::testing::KeptLines log;
  OwnClient client;
  std::unique_ptr<Limits> fallback = make_memory_limits(clock);
  std::unique_ptr<RedisLimits> limits =
      make_redis_limits(*client, *fallback, clock, Logger(log, clock), {.timeout = 2s});
};

/// A rate so low that nothing comes back while the test runs.
constexpr Policy kSlow{.rate_per_s = 0.0001, .burst = 200};

TEST(RedisLimits, ManyGatewaysShareOneBucketExactly) {
  OwnServer server;
  std::atomic<int> admitted{0};
  {
    std::vector<std::jthread> gateways;
    for (int g = 0; g < 3; ++g) {
      gateways.emplace_back([&] {
        Gateway gateway(server.address());
        for (int i = 0; i < 150; ++i) admitted += gateway.limits->take("one", kSlow, 1).admitted ? 1 : 0;
        EXPECT_EQ(gateway.limits->figures().degraded, 0);
      });
    }
  }
  EXPECT_EQ(admitted, 200);
}

TEST(RedisLimits, WithoutRedisEachGatewayDecidesAloneAndSaysSo) {
  OwnServer server;
  Gateway gateway(server.address());
  EXPECT_FALSE(gateway.limits->take("one", kSlow, 150).degraded);
  server.kill();
  int admitted = 0;
  for (int i = 0; i < 500; ++i) {
    const Decision decision = gateway.limits->take("one", kSlow, 1);
    EXPECT_TRUE(decision.degraded);
    admitted += decision.admitted ? 1 : 0;
  }
  EXPECT_EQ(admitted, 200);  // never more than the budget, though this process had taken of the shared one
  EXPECT_TRUE(gateway.limits->figures().is_degraded);
  EXPECT_EQ(gateway.limits->figures().degraded, 500);
  EXPECT_EQ(gateway.log.count("limits_degraded"), 1U);
  server.start();
  ASSERT_TRUE(gateway.client->wait_until_up(gateway.clock.monotonic() + 20s));
  EXPECT_FALSE(gateway.limits->take("one", kSlow, 1).degraded);
  EXPECT_EQ(gateway.log.count("limits_shared_again"), 1U);
}

TEST(RedisLimits, APausedRedisDelaysNobodyBeyondTheTimeout) {
  OwnServer server;
  Gateway gateway(server.address());
  OwnClient other(server.address());
  const auto impatient = make_redis_limits(*gateway.client, *gateway.fallback, gateway.clock,
                                           Logger(gateway.log, gateway.clock), {.timeout = 20ms});
  ASSERT_TRUE(other->run(redis::Command{"CLIENT", "PAUSE", "700", "ALL"}));
  EXPECT_TRUE(impatient->take("one", kSlow, 1).degraded);
  Decision decision = impatient->take("one", kSlow, 1);
  while (decision.degraded) decision = impatient->take("one", kSlow, 0);
  EXPECT_EQ(impatient->figures().shared, 1);
}

TEST(RedisLimits, ABucketThatIsFullAgainLeavesNoKey) {
  OwnServer server;
  Gateway gateway(server.address());
  const Policy quick{.rate_per_s = 1'000, .burst = 5};
  EXPECT_TRUE(gateway.limits->take("one", quick, 5).admitted);
  std::int64_t keys = 1;
  while (keys > 0) keys = gateway.client->run(redis::Command{"DBSIZE"})->integer;
  EXPECT_EQ(gateway.limits->take("one", quick, 0).remaining, 5);
}

TEST(RedisLimits, AScriptFlushIsNotNoticed) {
  OwnServer server;
  Gateway gateway(server.address());
  for (std::int64_t left = 199; left > 190; --left) {
    ASSERT_TRUE(gateway.client->run(redis::Command{"SCRIPT", "FLUSH"}));
    const Decision decision = gateway.limits->take("one", kSlow, 1);
    EXPECT_FALSE(decision.degraded);
    EXPECT_EQ(decision.remaining, left);
  }
}

}  // namespace
}  // namespace ekiden::limits
