#include "services/gateway/upstream/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "services/gateway/upstream/endpoints.hpp"
#include "services/gateway/upstream/retry_budget.hpp"
#include "services/gateway/upstream/upstream.hpp"

namespace ekiden::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void fail() {
    breaker.enter(clock.monotonic());
    breaker.failed(clock.monotonic());
  }
  bool admits() const { return breaker.admits(clock.monotonic()); }

  ekiden::testing::ManualClock clock;
  CircuitBreaker breaker{{.failures_max = 3, .open_first = seconds{1}, .open_max = seconds{4}}};
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
  fail();
  fail();
  breaker.succeeded();
  fail();
  fail();
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::closed);
  fail();
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::open);
  EXPECT_FALSE(admits());
}

TEST_F(CircuitBreakerTest, LetsOneCallTryAndClosesWhereItSucceeds) {
  for (int i = 0; i < 3; ++i) fail();
  clock.advance(milliseconds{999});
  EXPECT_FALSE(admits());
  clock.advance(milliseconds{1});
  ASSERT_TRUE(admits());
  breaker.enter(clock.monotonic());
  EXPECT_FALSE(admits());
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::closed);
  EXPECT_TRUE(admits());
}

TEST_F(CircuitBreakerTest, StaysOpenTwiceAsLongAfterEachFailedTrial) {
  for (int i = 0; i < 3; ++i) fail();
  for (const seconds wait : {seconds{1}, seconds{2}, seconds{4}, seconds{4}}) {
    clock.advance(wait - milliseconds{1});
    EXPECT_FALSE(admits()) << wait.count();
    clock.advance(milliseconds{1});
    EXPECT_TRUE(admits()) << wait.count();
    fail();
  }
  clock.advance(seconds{4});
  breaker.enter(clock.monotonic());
  breaker.succeeded();
  for (int i = 0; i < 3; ++i) fail();
  clock.advance(seconds{1});
  EXPECT_TRUE(admits());
}

TEST_F(CircuitBreakerTest, ATrialWithoutAVerdictMakesRoomForTheNext) {
  for (int i = 0; i < 3; ++i) fail();
  clock.advance(seconds{1});
  breaker.enter(clock.monotonic());
  breaker.left();
  EXPECT_TRUE(admits());
}

TEST_F(CircuitBreakerTest, WhatBeganBeforeItOpenedChangesNothing) {
  for (int i = 0; i < 3; ++i) fail();
  breaker.succeeded();
  breaker.failed(clock.monotonic());
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::open);
  clock.advance(seconds{1});
  EXPECT_TRUE(admits());
}

TEST(RetryBudget, AddsAFifthAtMost) {
  RetryBudget budget{0.25, 2};
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  for (int i = 0; i < 3; ++i) budget.earn();
  EXPECT_FALSE(budget.spend());
  budget.earn();
  EXPECT_TRUE(budget.spend());
  for (int i = 0; i < 100; ++i) budget.earn();
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
}

class EndpointSetTest : public ::testing::Test {
 protected:
  static boost::asio::ip::tcp::endpoint at(std::uint16_t port) {
    return {boost::asio::ip::make_address("10.0.0.1"), port};
  }
  ekiden::testing::SeededRandom random{3};
  EndpointSet set{{.failures_max = 1, .open_first = seconds{1}, .open_max = seconds{1}}, random};
  const Instant now{seconds{100}};
};

TEST_F(EndpointSetTest, PrefersTheLessBusyOfTwo) {
  set.replace({at(1), at(2)});
  const std::vector<EndpointPtr> all = set.all();
  all[0]->entered();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(set.pick(now, {}), all[1]);
  all[1]->entered();
  all[1]->entered();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(set.pick(now, {}), all[0]);
}

TEST_F(EndpointSetTest, NeverPicksTheBusiestOfThree) {
  set.replace({at(1), at(2), at(3)});
  const std::vector<EndpointPtr> all = set.all();
  all[2]->entered();
  int first = 0;
  for (int i = 0; i < 1000; ++i) {
    const EndpointPtr picked = set.pick(now, {});
    ASSERT_NE(picked, all[2]);
    first += picked == all[0] ? 1 : 0;
  }
  EXPECT_GT(first, 350);
  EXPECT_LT(first, 650);
}

TEST_F(EndpointSetTest, TakesTheReadyAndUntriedFirst) {
  set.replace({at(1), at(2), at(3)});
  const std::vector<EndpointPtr> all = set.all();
  all[0]->set_readiness(Readiness::not_ready);
  const std::vector<EndpointPtr> tried{all[1]};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(set.pick(now, tried), all[2]);
  const std::vector<EndpointPtr> two{all[1], all[2]};
  EXPECT_EQ(set.pick(now, two), all[0]);
  const std::vector<EndpointPtr> both{all[0], all[1], all[2]};
  EXPECT_NE(set.pick(now, both), all[0]);
  all[1]->failed(now);
  all[2]->failed(now);
  EXPECT_EQ(set.pick(now, {}), all[0]);
  all[0]->failed(now);
  EXPECT_EQ(set.pick(now, {}), nullptr);
  EXPECT_NE(set.pick(now + seconds{1}, {}), nullptr);
}

TEST_F(EndpointSetTest, KeepsWhatIsKnownOfAnAddressThatStays) {
  set.replace({at(1), at(2)});
  const std::vector<EndpointPtr> before = set.all();
  before[0]->failed(now);
  set.replace({at(3), at(1), at(1)});
  const std::vector<EndpointPtr> after = set.all();
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[1], before[0]);
  EXPECT_FALSE(after[1]->admits(now));
  EXPECT_FALSE(before[1]->is_wanted());
  EXPECT_TRUE(after[0]->is_wanted());
}

TEST(ServiceAddress, IsHostAndPort) {
  EXPECT_EQ(ServiceAddress::parse("10.0.0.1:8081")->host, "10.0.0.1");
  EXPECT_EQ(ServiceAddress::parse("[fd00::1]:8081")->host, "fd00::1");
  EXPECT_EQ(ServiceAddress::parse("workout.svc:80")->port, 80);
  for (const char* bad :
       {"", "host", "host:", ":80", "host:0", "host:65536", "host:8x", "fd00::1:80", "[]:1"})
    EXPECT_FALSE(ServiceAddress::parse(bad)) << bad;
}

}  // namespace
}  // namespace ekiden::gateway
