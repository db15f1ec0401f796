#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "ports/claims/contract/claims_contract.hpp"
#include "ports/claims/redis/redis_claims.hpp"
#include "ports/redis_client/testing/redis_place.hpp"

namespace ekiden::claims {
namespace testing {
namespace {

/// Claims below a prefix of their own on the shared server; the test's clock rules.
class RedisBench final : public ClaimsBench {
 public:
  Claims& claims() override { return *claims_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }

 private:
  ekiden::testing::ManualClock clock_;
  redis::testing::OwnClient client_{redis::testing::shared_address()};
  std::unique_ptr<Claims> claims_ =
      make_redis_claims(*client_, clock_, {.prefix = redis::testing::fresh_prefix(), .time = TimeOf::caller});
};

INSTANTIATE_TEST_SUITE_P(Redis, ClaimsContract,
                         ::testing::Values(ClaimsMaker{"redis", [] { return std::make_unique<RedisBench>(); },
                                                       1'000}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace testing

namespace {

using namespace std::chrono_literals;
using redis::testing::OwnClient;
using redis::testing::OwnServer;

TEST(RedisClaims, TheServersTimeEndsALeaseAndNothingOfItIsLeft) {
  OwnServer server;
  OwnClient client(server.address());
  const SystemClock clock;
  const auto claims = make_redis_claims(*client, clock);
  const auto first = claims->take("k", "a", 40ms);
  ASSERT_TRUE(first && *first);
  auto second = claims->take("k", "b", 10s);
  while (second && !*second) second = claims->take("k", "b", 10s);
  ASSERT_TRUE(second && *second);
  EXPECT_GE(clock.now(), (*first)->expires_at);
  EXPECT_GT((*second)->epoch, (*first)->epoch);
  ASSERT_TRUE(*claims->release(**second));
  // Only the last epoch stays.
  EXPECT_EQ(client->run(redis::Command{"DBSIZE"})->integer, 1);
}

TEST(RedisClaims, EpochsGrowOverARedisThatForgotEverything) {
  OwnServer server;
  OwnClient client(server.address());
  const SystemClock clock;
  const auto claims = make_redis_claims(*client, clock);
  std::int64_t last = 0;
  for (int round = 0; round < 20; ++round) {
    const auto lease = claims->take("k", "a", 10s);
    ASSERT_TRUE(lease && *lease);
    EXPECT_GT((*lease)->epoch, last);
    last = (*lease)->epoch;
    ASSERT_TRUE(client->run(redis::Command{round % 2 == 0 ? "FLUSHALL" : "PING"}));
    if (round % 2 == 1) ASSERT_TRUE(*claims->release(**lease));
  }
}

TEST(RedisClaims, ARedisThatIsAwayIsUnavailable) {
  OwnServer server;
  OwnClient client(server.address());
  const SystemClock clock;
  const auto claims = make_redis_claims(*client, clock);
  const auto lease = claims->take("k", "a", 60s);
  ASSERT_TRUE(lease && *lease);
  server.kill();
  EXPECT_EQ(claims->take("k", "b", 60s).error().code(), Errc::unavailable);
  EXPECT_EQ(claims->renew(**lease, 60s).error().code(), Errc::unavailable);
  server.start();
  ASSERT_TRUE(client->wait_until_up(clock.monotonic() + 20s));
  // It began anew, empty: the old holder learns of it when it renews.
  EXPECT_TRUE(*claims->take("k", "b", 60s));
  EXPECT_FALSE(*claims->renew(**lease, 60s));
}

}  // namespace
}  // namespace ekiden::claims
