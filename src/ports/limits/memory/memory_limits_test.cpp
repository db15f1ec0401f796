#include "ports/limits/memory/memory_limits.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "ports/limits/contract/limits_contract.hpp"

namespace ekiden::limits {
namespace testing {
namespace {

class MemoryBench final : public LimitsBench {
 public:
  explicit MemoryBench(const MemoryLimitsConfig& config) : limits_(make_memory_limits(clock_, config)) {}
  Limits& limits() override { return *limits_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }

 private:
  ekiden::testing::ManualClock clock_;
  std::unique_ptr<MemoryLimits> limits_;
};

INSTANTIATE_TEST_SUITE_P(
    Memory, LimitsContract,
    ::testing::Values(
        LimitsMaker{"memory", [] { return std::make_unique<MemoryBench>(MemoryLimitsConfig{}); }, 20'000},
        LimitsMaker{
            "one_shard",
            [] { return std::make_unique<MemoryBench>(MemoryLimitsConfig{.keys_max = 8, .shards = 1}); },
            20'000}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace testing

namespace {

using std::chrono::milliseconds;

constexpr Policy kPolicy{.rate_per_s = 1, .burst = 10};

TEST(MemoryLimits, DropsFullBucketsAsNewOnesCome) {
  ekiden::testing::ManualClock clock;
  const auto limits = make_memory_limits(clock, {.keys_max = 100, .shards = 1});
  for (int i = 0; i < 100; ++i) (void)limits->take("old" + std::to_string(i), kPolicy, 1);
  EXPECT_EQ(limits->figures().keys, 100U);
  clock.advance(milliseconds{1'000});
  for (int i = 0; i < 50; ++i) (void)limits->take("new" + std::to_string(i), kPolicy, 1);
  EXPECT_EQ(limits->figures().keys, 50U);
  EXPECT_EQ(limits->figures().evicted_early, 0U);
}

TEST(MemoryLimits, BeyondItsBoundTheSoonestFullBucketGoes) {
  ekiden::testing::ManualClock clock;
  const auto limits = make_memory_limits(clock, {.keys_max = 3, .shards = 1});
  (void)limits->take("a", kPolicy, 1);
  (void)limits->take("b", kPolicy, 2);
  (void)limits->take("c", kPolicy, 3);
  (void)limits->take("a", kPolicy, 3);  // now the last to be full: 4 s
  (void)limits->take("d", kPolicy, 9);
  EXPECT_EQ(limits->figures().keys, 3U);
  EXPECT_EQ(limits->figures().evicted_early, 1U);
  EXPECT_EQ(limits->take("a", kPolicy, 0).remaining, 6);
  EXPECT_EQ(limits->take("c", kPolicy, 0).remaining, 7);
  EXPECT_EQ(limits->take("d", kPolicy, 0).remaining, 1);
  EXPECT_EQ(limits->take("b", kPolicy, 0).remaining, 10);
}

TEST(MemoryLimits, LookingTakesNoPlace) {
  ekiden::testing::ManualClock clock;
  const auto limits = make_memory_limits(clock);
  for (int i = 0; i < 100; ++i) (void)limits->take("k" + std::to_string(i), kPolicy, 0);
  EXPECT_EQ(limits->figures().keys, 0U);
}

TEST(MemoryLimits, ManyThreadsTakeExactlyTheBurst) {
  ekiden::testing::ManualClock clock;
  const auto limits = make_memory_limits(clock);
  const Policy policy{.rate_per_s = 1, .burst = 1'000};
  std::atomic<int> admitted{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) admitted += limits->take("one", policy, 1).admitted ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(admitted, 1'000);
}

TEST(MemoryLimits, RefusesAConfigurationOutOfBounds) {
  const ekiden::testing::ManualClock clock;
  EXPECT_THROW(make_memory_limits(clock, {.keys_max = 100, .shards = 3}), std::invalid_argument);
  EXPECT_THROW(make_memory_limits(clock, {.keys_max = 4, .shards = 8}), std::invalid_argument);
  EXPECT_THROW(make_memory_limits(clock, {.keys_max = 4, .shards = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace ekiden::limits
