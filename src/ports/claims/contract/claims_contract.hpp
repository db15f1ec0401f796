#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "ports/claims/claims.hpp"

/// What every adapter of the claims port promises. An adapter's test instantiates ClaimsContract with a maker
/// of empty stores whose time only the test moves.
namespace ekiden::claims::testing {

/// A store and its time.
class ClaimsBench {
 public:
  virtual ~ClaimsBench() = default;
  virtual Claims& claims() = 0;
  virtual void advance(std::chrono::milliseconds by) = 0;
};

struct ClaimsMaker {
  std::string name;
  std::function<std::unique_ptr<ClaimsBench>()> make;
  int walk_steps = 500;
};

class ClaimsContract : public ::testing::TestWithParam<ClaimsMaker> {
 protected:
  static constexpr std::chrono::milliseconds kTtl{1'000};
  static constexpr std::chrono::milliseconds kMs{1};

  std::optional<Lease> take(std::string_view key, std::string_view holder,
                            std::chrono::milliseconds ttl = kTtl) {
    const auto lease = claims().take(key, holder, ttl);
    EXPECT_TRUE(lease) << lease.error().text();
    return lease.value_or(std::nullopt);
  }
  static Errc code(const auto& result) { return result ? Errc::internal : result.error().code(); }
  Claims& claims() { return bench_->claims(); }
  void advance(std::chrono::milliseconds by) { bench_->advance(by); }

  std::unique_ptr<ClaimsBench> bench_ = GetParam().make();
};

TEST_P(ClaimsContract, OneHolderAtATime) {
  const auto lease = take("k", "a");
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->key, "k");
  EXPECT_EQ(lease->holder, "a");
  EXPECT_FALSE(take("k", "b"));
  EXPECT_TRUE(take("other", "b"));
}

TEST_P(ClaimsContract, ALeaseEndsAtItsMoment) {
  const auto first = take("k", "a");
  advance(kTtl - kMs);
  EXPECT_FALSE(take("k", "b"));
  advance(kMs);
  EXPECT_FALSE(*claims().renew(*first, kTtl));
  EXPECT_FALSE(*claims().release(*first));
  const auto second = take("k", "b");
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_EQ(second->expires_at - first->expires_at, kTtl);
}

TEST_P(ClaimsContract, TakingOnesOwnRenewsIt) {
  const auto first = take("k", "a");
  advance(kTtl - kMs);
  const auto again = take("k", "a");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->epoch, first->epoch);
  EXPECT_EQ(again->expires_at - first->expires_at, kTtl - kMs);
  advance(kTtl - kMs);
  EXPECT_FALSE(take("k", "b"));
  EXPECT_TRUE(take("k", "a", kMs));
  advance(kMs);
  EXPECT_TRUE(take("k", "b"));
}

TEST_P(ClaimsContract, RenewProlongsOnlyWhatIsStillHeld) {
  const auto first = take("k", "a");
  advance(kTtl - kMs);
  EXPECT_TRUE(*claims().renew(*first, kTtl));
  advance(kTtl - kMs);
  EXPECT_FALSE(take("k", "b"));
  advance(kMs);
  EXPECT_FALSE(*claims().renew(*first, kTtl));
  const auto second = take("k", "b");
  ASSERT_TRUE(second);
  EXPECT_FALSE(*claims().renew(*first, kTtl));
  EXPECT_FALSE(*claims().release(*first));
  EXPECT_TRUE(*claims().renew(*second, kTtl));
  EXPECT_FALSE(*claims().renew({"nothing", "a", 1, {}}, kTtl));
}

TEST_P(ClaimsContract, AnOldEpochOfTheSameHolderIsLost) {
  const auto first = take("k", "a");
  advance(kTtl);
  const auto second = take("k", "a");
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_FALSE(*claims().renew(*first, kTtl));
  EXPECT_FALSE(*claims().release(*first));
  EXPECT_FALSE(take("k", "b"));
  EXPECT_TRUE(*claims().release(*second));
}

TEST_P(ClaimsContract, AReleasedKeyIsFreeAndItsEpochGoesOn) {
  const auto first = take("k", "a");
  EXPECT_TRUE(*claims().release(*first));
  EXPECT_FALSE(*claims().release(*first));
  EXPECT_FALSE(*claims().renew(*first, kTtl));
  const auto second = take("k", "b");
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_TRUE(*claims().release(*second));
  const auto third = take("k", "a");
  ASSERT_TRUE(third);
  EXPECT_GT(third->epoch, second->epoch);
}

TEST_P(ClaimsContract, NamesAndTimesAreChecked) {
  for (const std::string& name :
       {std::string(), std::string(201, 'x'), std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_EQ(code(claims().take(name, "a", kTtl)), Errc::invalid) << name;
    EXPECT_EQ(code(claims().take("k", name, kTtl)), Errc::invalid) << name;
    EXPECT_EQ(code(claims().renew({name, "a", 1, {}}, kTtl)), Errc::invalid) << name;
    EXPECT_EQ(code(claims().release({"k", name, 1, {}})), Errc::invalid) << name;
  }
  EXPECT_EQ(code(claims().take("k", "a", std::chrono::milliseconds{0})), Errc::invalid);
  EXPECT_EQ(code(claims().take("k", "a", kTtlMax + kMs)), Errc::invalid);
  EXPECT_EQ(code(claims().renew({"k", "a", 1, {}}, -kMs)), Errc::invalid);
  EXPECT_TRUE(take(std::string(200, 'x'), std::string(200, 'y'), kTtlMax));
  EXPECT_TRUE(take("駅伝 '; --", "a"));
}

TEST_P(ClaimsContract, OfManyThreadsOneWinsEachKey) {
  constexpr std::size_t kKeys = 25;
  std::vector<std::vector<int>> won(4, std::vector<int>(kKeys));
  {
    std::vector<std::jthread> threads;
    for (std::size_t holder = 0; holder < won.size(); ++holder) {
      threads.emplace_back([this, holder, &mine = won[holder]] {
        for (std::size_t key = 0; key < kKeys; ++key) {
          mine[key] = take("k" + std::to_string(key), "h" + std::to_string(holder)) ? 1 : 0;
        }
      });
    }
  }
  for (std::size_t key = 0; key < kKeys; ++key) {
    int winners = 0;
    for (const auto& mine : won) winners += mine[key];
    EXPECT_EQ(winners, 1) << key;
  }
}

/// Beside a map of who holds what until when, and the greatest epoch that each key has seen.
TEST_P(ClaimsContract, AgreesWithAMapOnARandomWalk) {
  constexpr std::uint64_t kSeed = 1'337;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  struct Row {
    Lease lease;
    std::int64_t end_ms = 0;
    std::int64_t epoch_max = 0;
  };
  std::map<std::string, Row> model;
  std::vector<Lease> seen{{"k0", "a", 1, {}}};
  std::int64_t now_ms = 0;
  for (int i = 0; i < GetParam().walk_steps; ++i) {
    const std::chrono::milliseconds pause{random.below(3) == 0 ? random.below(30) : 0};
    advance(pause);
    now_ms += pause.count();
    const std::chrono::milliseconds ttl{random.below(40) + 1};
    const Lease& old = seen[random.below(seen.size())];
    Row& known = model[old.key];
    const bool holds =
        known.end_ms > now_ms && known.lease.epoch == old.epoch && known.lease.holder == old.holder;
    if (const auto action = random.below(4); action == 0) {
      ASSERT_EQ(*claims().renew(old, ttl), holds) << "step " << i;
      if (holds) known.end_ms = now_ms + ttl.count();
    } else if (action == 1) {
      ASSERT_EQ(*claims().release(old), holds) << "step " << i;
      if (holds) known.end_ms = now_ms;
    } else {
      const std::string key = "k" + std::to_string(random.below(3));
      const std::string holder(1, static_cast<char>('a' + random.below(3)));
      Row& row = model[key];
      const bool live = row.end_ms > now_ms;
      const auto lease = take(key, holder, ttl);
      ASSERT_EQ(lease.has_value(), !live || row.lease.holder == holder) << "step " << i;
      if (!lease) continue;
      if (live) {
        ASSERT_EQ(lease->epoch, row.lease.epoch) << "step " << i;
      } else {
        ASSERT_GT(lease->epoch, row.epoch_max) << "step " << i;
      }
      row = {*lease, now_ms + ttl.count(), lease->epoch};
      seen.push_back(*lease);
    }
  }
}

}  // namespace ekiden::claims::testing
