#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/limits/gcra.hpp"
#include "ports/limits/limits.hpp"

/// What every adapter of the limits port promises. An adapter's test instantiates LimitsContract with a maker
/// of empty stores whose time only the test moves.
namespace ekiden::limits::testing {

/// A store and its time.
class LimitsBench {
 public:
  virtual ~LimitsBench() = default;
  virtual Limits& limits() = 0;
  virtual void advance(std::chrono::milliseconds by) = 0;
};

struct LimitsMaker {
  std::string name;
  std::function<std::unique_ptr<LimitsBench>()> make;
  int walk_steps = 500;
};

class LimitsContract : public ::testing::TestWithParam<LimitsMaker> {
 protected:
  Decision take(std::string_view key, std::int64_t cost = 1) {
    return bench_->limits().take(key, policy_, cost);
  }
  static constexpr std::chrono::milliseconds kNone{0};

  std::unique_ptr<LimitsBench> bench_ = GetParam().make();
  Policy policy_{.rate_per_s = 4, .burst = 3};
};

TEST_P(LimitsContract, WhatIsKnownToBeRefusedIsRefusedThatLongAndNoLonger) {
  const auto known = [this] { return bench_->limits().known_refusal("read:a", policy_); };
  EXPECT_FALSE(known());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(take("read:a").admitted);
  const Decision refused = take("read:a");
  EXPECT_FALSE(refused.admitted);
  const auto first = known();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->admitted);
  EXPECT_EQ(first->remaining, 0);
  EXPECT_EQ(first->retry_after, refused.retry_after);
  EXPECT_EQ(first->reset_after, refused.reset_after);
  EXPECT_FALSE(bench_->limits().known_refusal("read:b", policy_));
  bench_->advance(std::chrono::milliseconds{249});
  const auto later = known();
  ASSERT_TRUE(later);
  EXPECT_EQ(later->retry_after, std::chrono::milliseconds{1});
  bench_->advance(std::chrono::milliseconds{1});
  EXPECT_FALSE(known());
  EXPECT_TRUE(take("read:a").admitted);
}

TEST_P(LimitsContract, AdmitsTheBurstThenOneAnIntervalToTheMillisecond) {
  for (std::int64_t left = 2; left >= 0; --left) {
    const Decision taken = take("read:a");
    EXPECT_TRUE(taken.admitted);
    EXPECT_EQ(taken.remaining, left);
    EXPECT_EQ(taken.retry_after, kNone);
    EXPECT_EQ(taken.reset_after, std::chrono::milliseconds{250 * (3 - left)});
    EXPECT_FALSE(taken.degraded);
  }
  EXPECT_EQ(take("read:a").retry_after, std::chrono::milliseconds{250});
  bench_->advance(std::chrono::milliseconds{249});
  const Decision refused = take("read:a");
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.retry_after, std::chrono::milliseconds{1});
  EXPECT_EQ(refused.reset_after, std::chrono::milliseconds{501});
  bench_->advance(std::chrono::milliseconds{1});
  EXPECT_TRUE(take("read:a").admitted);
  EXPECT_FALSE(take("read:a").admitted);
}

TEST_P(LimitsContract, KeysDoNotShareABucket) {
  EXPECT_TRUE(take("read:a", 3).admitted);
  EXPECT_FALSE(take("read:a").admitted);
  EXPECT_TRUE(take("read:b", 3).admitted);
  EXPECT_TRUE(take("write:a", 3).admitted);
  const std::string long_key(200, 'x');
  EXPECT_TRUE(take(long_key, 3).admitted);
  EXPECT_TRUE(take(long_key.substr(1), 3).admitted);
  EXPECT_FALSE(take(long_key).admitted);
}

TEST_P(LimitsContract, ACostIsTakenWholeOrNotAtAll) {
  EXPECT_TRUE(take("a", 2).admitted);
  const Decision refused = take("a", 2);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.remaining, 1);
  EXPECT_EQ(refused.retry_after, std::chrono::milliseconds{250});
  EXPECT_TRUE(take("a", 1).admitted);
  EXPECT_FALSE(take("a", 4).admitted);
}

TEST_P(LimitsContract, LookingCostsNothing) {
  EXPECT_EQ(take("a", 0).remaining, 3);
  EXPECT_EQ(take("a", 2).remaining, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take("a", 0).remaining, 1);
  EXPECT_EQ(take("a", -1).remaining, 1);
}

TEST_P(LimitsContract, WithoutBlockingItDecidesTheSame) {
  Mutex mutex;
  CondVar decided;
  std::vector<Decision> decisions;
  for (int i = 0; i < 4; ++i) {
    bench_->limits().take_async("a", policy_, 1, [&](Decision decision) {
      const MutexLock lock(mutex);
      decisions.push_back(decision);
      decided.notify_all();
    });
  }
  const MutexLock lock(mutex);
  while (decisions.size() < 4) decided.wait(mutex);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(decisions[i].admitted, i < 3) << i;
    EXPECT_EQ(decisions[i].remaining, i < 3 ? 2 - static_cast<std::int64_t>(i) : 0) << i;
  }
}

/// Beside the pure function, one TAT a key.
TEST_P(LimitsContract, DecidesAsTheArithmeticDoes) {
  constexpr std::uint64_t kSeed = 77;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  const Gcra gcra = make_gcra(policy_);
  std::map<std::string, std::int64_t> model;
  std::int64_t now_ns = 0;
  for (int i = 0; i < GetParam().walk_steps; ++i) {
    const std::chrono::milliseconds pause{random.below(4) == 0 ? random.below(400) : 0};
    bench_->advance(pause);
    now_ns += std::chrono::nanoseconds(pause).count();
    const std::string key = "k" + std::to_string(random.below(4));
    const auto cost = static_cast<std::int64_t>(random.below(3));
    const Step expected = step(model.emplace(key, now_ns).first->second, now_ns, gcra, cost);
    model[key] = expected.tat_ns;
    const Decision decided = take(key, cost);
    ASSERT_EQ(decided.admitted, expected.decision.admitted) << "step " << i;
    ASSERT_EQ(decided.remaining, expected.decision.remaining) << "step " << i;
    ASSERT_EQ(decided.retry_after, expected.decision.retry_after) << "step " << i;
    ASSERT_EQ(decided.reset_after, expected.decision.reset_after) << "step " << i;
  }
}

}  // namespace ekiden::limits::testing
