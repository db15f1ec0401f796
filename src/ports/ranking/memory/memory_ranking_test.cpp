#include "ports/ranking/memory/memory_ranking.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "ports/ranking/contract/ranking_contract.hpp"

namespace ekiden::ranking {
namespace testing {
namespace {

std::unique_ptr<Ranking> make_ready() {
  return make_memory_ranking({.ready_when_empty = true});
}

INSTANTIATE_TEST_SUITE_P(Memory, RankingContract,
                         ::testing::Values(RankingMaker{"memory", make_ready, 20'000}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace testing

namespace {

EventId event_id(std::uint32_t number) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return EventId{Uuid{bytes}};
}
UserId user_id(std::uint32_t number) {
  return UserId{event_id(number).uuid()};
}

TEST(MemoryRanking, HasForgottenEverythingUntilItIsRebuilt) {
  const auto store = make_memory_ranking();
  EXPECT_EQ(store->state(), State::forgotten);
  EXPECT_EQ(store->apply(event_id(1), {}).error().code(), Errc::gone);
  ASSERT_TRUE(store->rebuild([](Loader&) -> Result<void> { return {}; }));
  EXPECT_EQ(store->state(), State::ready);
  EXPECT_TRUE(*store->apply(event_id(1), {}));
}

TEST(MemoryRanking, ForgetsTheOldestEventBeyondItsWindow) {
  const auto store = make_memory_ranking({.event_window_max = 3, .ready_when_empty = true});
  for (std::uint32_t i = 1; i <= 4; ++i) ASSERT_TRUE(*store->apply(event_id(i), {}));
  EXPECT_FALSE(*store->apply(event_id(2), {}));
  EXPECT_FALSE(*store->apply(event_id(4), {}));
  EXPECT_TRUE(*store->apply(event_id(1), {}));
  EXPECT_TRUE(*store->apply(event_id(2), {}));
  EXPECT_THROW(make_memory_ranking({.event_window_max = 0}), std::invalid_argument);
}

/// Writers, readers and a rebuild at once; what is left must be the sum of what was acknowledged.
TEST(MemoryRanking, ManyThreadsAgreeOnTheSum) {
  const auto store = make_memory_ranking({.ready_when_empty = true});
  constexpr std::uint32_t kEvents = 4'000;
  std::atomic<std::uint32_t> next{0};
  std::atomic<std::int64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> bad_reads{0};
  const auto write = [&] {
    // Every event is offered by two writers' turns: ids repeat.
    for (std::uint32_t turn = next++; turn < 2 * kEvents; turn = next++) {
      const std::string board = turn % 4 < 2 ? "a" : "b";
      const auto applied = store->apply(event_id(turn / 2), {{board, user_id(turn % 101), 1, {}}});
      if (applied && *applied) ++acknowledged;
    }
  };
  const auto read = [&] {
    while (!done) {
      const auto top = store->range("a", 1, 200);
      for (std::size_t i = 0; i < top->size(); ++i) {
        const Entry& entry = (*top)[i];
        if (entry.rank != static_cast<std::int64_t>(i) + 1 || (i > 0 && (*top)[i - 1].score < entry.score)) {
          ++bad_reads;
        }
      }
      if (const auto one = store->rank("b", user_id(7)); *one && (*one)->score < 1) ++bad_reads;
    }
  };
  {
    const std::jthread reader(read);
    {
      const std::jthread first(write);
      const std::jthread second(write);
    }
    done = true;
  }
  std::int64_t sum = 0;
  for (const char* board : {"a", "b"}) {
    for (const Entry& entry : *store->range(board, 1, kEntriesMax)) sum += entry.score;
  }
  EXPECT_EQ(bad_reads, 0U);
  EXPECT_EQ(acknowledged, std::int64_t{kEvents});
  EXPECT_EQ(sum, std::int64_t{kEvents});
}

}  // namespace
}  // namespace ekiden::ranking
