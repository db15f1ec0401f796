#include "ports/limits/gcra.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"

namespace ekiden::limits {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMs;

TEST(Gcra, AdmitsTheBurstAndThenOneAnInterval) {
  const Gcra gcra = make_gcra({.rate_per_s = 10, .burst = 3});
  std::int64_t tat = 0;
  const std::int64_t start = 5 * kSecond;
  for (std::int64_t left = 2; left >= 0; --left) {
    const Step taken = step(tat, start, gcra, 1);
    tat = taken.tat_ns;
    EXPECT_TRUE(taken.decision.admitted);
    EXPECT_EQ(taken.decision.remaining, left);
    EXPECT_EQ(taken.decision.retry_after, milliseconds{0});
    EXPECT_EQ(taken.decision.reset_after, milliseconds{100 * (3 - left)});
  }
  const Step refused = step(tat, start, gcra, 1);
  EXPECT_FALSE(refused.decision.admitted);
  EXPECT_EQ(refused.decision.retry_after, milliseconds{100});
  EXPECT_EQ(refused.decision.reset_after, milliseconds{300});
  EXPECT_EQ(refused.tat_ns, tat);
  EXPECT_FALSE(step(tat, start + 100 * kMs - 1, gcra, 1).decision.admitted);
  EXPECT_EQ(step(tat, start + 100 * kMs - 1, gcra, 1).decision.retry_after, milliseconds{1});
  EXPECT_TRUE(step(tat, start + 100 * kMs, gcra, 1).decision.admitted);
}

TEST(Gcra, RefillsExactlyAndNotBeyondTheBurst) {
  const Gcra gcra = make_gcra({.rate_per_s = 2, .burst = 4});
  const std::int64_t empty = step(0, kSecond, gcra, 4).tat_ns;
  EXPECT_EQ(step(empty, kSecond + 499 * kMs, gcra, 0).decision.remaining, 0);
  EXPECT_EQ(step(empty, kSecond + 500 * kMs, gcra, 0).decision.remaining, 1);
  EXPECT_EQ(step(empty, kSecond + 1'999 * kMs, gcra, 0).decision.remaining, 3);
  EXPECT_EQ(step(empty, kSecond + 2'000 * kMs, gcra, 0).decision.remaining, 4);
  EXPECT_EQ(step(empty, kSecond + 90'000 * kMs, gcra, 0).decision.remaining, 4);
}

TEST(Gcra, TakesACostWholeOrNotAtAll) {
  const Gcra gcra = make_gcra({.rate_per_s = 1, .burst = 5});
  const std::int64_t tat = step(0, kSecond, gcra, 3).tat_ns;
  const Step refused = step(tat, kSecond, gcra, 4);
  EXPECT_FALSE(refused.decision.admitted);
  EXPECT_EQ(refused.decision.remaining, 2);
  EXPECT_EQ(refused.decision.retry_after, milliseconds{2'000});
  EXPECT_TRUE(step(tat, 3 * kSecond, gcra, 4).decision.admitted);
  const Step never = step(tat, kSecond, gcra, 6);
  EXPECT_FALSE(never.decision.admitted);
  EXPECT_EQ(never.decision.retry_after, milliseconds{3'000});
  EXPECT_FALSE(step(0, kSecond, gcra, std::numeric_limits<std::int64_t>::max()).decision.admitted);
  EXPECT_EQ(step(tat, kSecond, gcra, -7).tat_ns, tat);
}

TEST(Gcra, AnOlderNowGivesNothingAway) {
  const Gcra gcra = make_gcra({.rate_per_s = 1'000, .burst = 2});
  const std::int64_t full = step(0, kSecond, gcra, 2).tat_ns;
  const Step late = step(full, kSecond - 10 * kMs, gcra, 1);
  EXPECT_FALSE(late.decision.admitted);
  EXPECT_EQ(late.tat_ns, full);
  EXPECT_EQ(late.decision.remaining, 0);
  EXPECT_EQ(late.decision.retry_after, milliseconds{11});
}

TEST(Gcra, RoundsTheIntervalUpAndBoundsTheProduct) {
  EXPECT_EQ(make_gcra({.rate_per_s = 3, .burst = 1}).interval_ns, 333'333'334);
  EXPECT_EQ(make_gcra({.rate_per_s = 1e12, .burst = 1}).interval_ns, 1);
  const Gcra slow = make_gcra({.rate_per_s = 1e-300, .burst = 1'000});
  EXPECT_EQ(slow.burst, 1);
  EXPECT_GT(slow.tolerance_ns(), 0);
  const Gcra wide = make_gcra({.rate_per_s = 1, .burst = std::numeric_limits<std::int64_t>::max()});
  EXPECT_GT(wide.burst, 2'000'000'000);
  for (const double rate : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(make_gcra({.rate_per_s = rate, .burst = 1}), std::invalid_argument) << rate;
  }
  EXPECT_THROW(make_gcra({.rate_per_s = 1, .burst = 0}), std::invalid_argument);
}

/// For every pair of takes of a random history: admitted between them <= burst + rate * time.
TEST(Gcra, NoIntervalAdmitsMoreThanThePolicy) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ekiden::testing::SeededRandom random(seed);
    const Policy policy{.rate_per_s = static_cast<double>(random.below(5'000) + 1) / 7.0,
                        .burst = static_cast<std::int64_t>(random.below(20)) + 1};
    const Gcra gcra = make_gcra(policy);
    struct Taken {
      std::int64_t at_ns;
      std::int64_t cost;
    };
    std::vector<Taken> taken;
    std::int64_t now = 1'000 * kSecond;
    std::int64_t tat = 0;
    for (int i = 0; i < 800; ++i) {
      // Pauses from none to a few bursts' worth, so that the bucket is met empty, in between and full.
      const auto scale = static_cast<std::uint64_t>(gcra.tolerance_ns()) >> random.below(12);
      now += static_cast<std::int64_t>(random.below(scale + 1));
      const auto cost = static_cast<std::int64_t>(random.below(3)) + 1;
      const Step decided = step(tat, now, gcra, cost);
      tat = decided.tat_ns;
      if (decided.decision.admitted) taken.push_back({now, cost});
    }
    ASSERT_GT(taken.size(), 50U);
    for (std::size_t first = 0; first < taken.size(); ++first) {
      std::int64_t admitted = 0;
      for (std::size_t last = first; last < taken.size(); ++last) {
        admitted += taken[last].cost;
        // In whole nanoseconds: (admitted - burst) intervals must fit into the time between.
        ASSERT_LE((admitted - gcra.burst) * gcra.interval_ns, taken[last].at_ns - taken[first].at_ns);
      }
    }
  }
}

}  // namespace
}  // namespace ekiden::limits
