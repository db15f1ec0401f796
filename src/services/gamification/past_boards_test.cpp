#include "services/gamification/past_boards.hpp"

#include <map>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"
#include "services/gamification/domain/boards.hpp"

namespace ekiden::gamification {
namespace {

using namespace std::chrono_literals;
using ranking::Standing;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::string_view kPastDay = "distance:all:2026-10-01";
constexpr std::string_view kAll = "distance:all:all";

UserId user(std::uint8_t number) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = number;
  return UserId{Uuid{bytes}};
}

/// Today is the 22nd of November 2026; what is durable is a map.
class Past : public ::testing::Test {
 protected:
  Past() {
    EXPECT_TRUE(boards_.rebuild([this](ranking::Loader& loader) -> Result<void> {
      for (const auto& [name, standings] : durable_) {
        if (loader.wants(name)) EKIDEN_CHECK(loader.put({name, standings}));
      }
      return {};
    }));
  }
  /// Durable first, then applied, as the service does it.
  void give(std::string_view board, std::uint8_t member, std::int64_t score) {
    make_durable(board, member, score);
    apply(board, member, score);
  }
  void make_durable(std::string_view board, std::uint8_t member, std::int64_t score) {
    durable_[std::string(board)].push_back({user(member), score, {}});
  }
  void apply(std::string_view board, std::uint8_t member, std::int64_t score) {
    const auto applied = boards_.apply(ids_.make<EventId>(), {{std::string(board), user(member), score, {}}});
    EXPECT_TRUE(applied && *applied);
  }
  std::int64_t size(std::string_view board) { return boards_.size(board).value_or(-1); }

  testing::ManualClock clock_{Timestamp{sys_days{2026y / 11 / 22}} + 12h};
  testing::SeededRandom random_{7};
  Ids ids_{clock_, random_};
  std::map<std::string, std::vector<Standing>, std::less<>> durable_;
  int reads_ = 0;
  std::function<void()> after_read_ = [] {};
  std::unique_ptr<ranking::Ranking> held_ = ranking::make_memory_ranking();
  PastBoards boards_{*held_,
                     {.read = [this](const std::string& board) -> Result<std::vector<Standing>> {
                        ++reads_;
                        auto standings = durable_[board];
                        after_read_();
                        return standings;
                      },
                      .names = [this](std::string_view) -> Result<std::vector<std::string>> {
                        std::vector<std::string> names;
                        for (const auto& [name, standings] : durable_) names.push_back(name);
                        return names;
                      }},
                     clock_,
                     64 * 1024};
};

TEST_F(Past, APastBoardIsReadOnceAndAnewAfterAChange) {
  make_durable(kPastDay, 1, 5);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(size(kPastDay), 1);
  EXPECT_EQ(reads_, 1);
  give(kPastDay, 2, 6);
  EXPECT_EQ(size(kPastDay), 2);
  EXPECT_EQ(reads_, 2);
  EXPECT_EQ(boards_.rank(kPastDay, user(2)).value()->rank, 1);
  EXPECT_EQ(reads_, 2);
  EXPECT_TRUE(held_->boards("")->empty());
  EXPECT_EQ(*boards_.boards(""), std::vector<std::string>{std::string(kPastDay)});
}

TEST_F(Past, WhatWasReadWhileItChangedIsNotKept) {
  make_durable(kPastDay, 1, 5);
  after_read_ = [this] {
    after_read_ = [] {};
    give(kPastDay, 2, 6);
  };
  EXPECT_EQ(size(kPastDay), 1);  // as it was when the reader asked
  EXPECT_EQ(boards_.bytes(), 0U);
  EXPECT_EQ(size(kPastDay), 2);
  EXPECT_EQ(reads_, 2);
}

TEST_F(Past, AnEventCountsOnceAlsoWhereNothingOfItIsHeld) {
  const auto event = ids_.make<EventId>();
  EXPECT_TRUE(*boards_.apply(event, {{std::string(kPastDay), user(1), 5, {}}}));
  EXPECT_FALSE(*boards_.apply(event, {{std::string(kPastDay), user(1), 5, {}}}));
  const auto both = ids_.make<EventId>();
  EXPECT_TRUE(
      *boards_.apply(both, {{std::string(kPastDay), user(1), 5, {}}, {std::string(kAll), user(1), 5, {}}}));
  EXPECT_EQ(*held_->boards(""), std::vector<std::string>{std::string(kAll)});
}

TEST_F(Past, HeldBoardsAreLetGoWhenTheirTimeIsOver) {
  constexpr std::string_view kToday = "distance:all:2026-11-22";
  constexpr std::string_view kMonth = "distance:all:2026-11";
  for (const std::string_view board : {kToday, kMonth, kAll}) give(board, 1, 5);
  EXPECT_EQ(reads_, 0);
  EXPECT_TRUE(boards_.version(kToday));
  clock_.advance(days{31});
  give(kAll, 2, 5);
  EXPECT_EQ(boards_.version(kToday), std::nullopt) << "a day before it is let go";
  EXPECT_EQ(held_->boards("")->size(), 3U);
  EXPECT_EQ(size(kToday), 1);
  EXPECT_EQ(reads_, 0);
  clock_.advance(days{1});
  give(kAll, 3, 5);
  EXPECT_EQ(*held_->boards(""), (std::vector<std::string>{std::string(kMonth), std::string(kAll)}));
  EXPECT_EQ(size(kToday), 1);
  EXPECT_EQ(reads_, 1);
  give(kToday, 2, 5);
  EXPECT_EQ(size(kToday), 2);
  EXPECT_EQ(size(kMonth), 1);
  EXPECT_EQ(size(kAll), 3);
}

TEST_F(Past, ARebuildForgetsWhatWasReadAndWantsNoPastBoard) {
  make_durable(kPastDay, 1, 5);
  make_durable(kAll, 1, 5);
  EXPECT_EQ(size(kPastDay), 1);
  make_durable(kPastDay, 2, 5);  // a change that the ranking was never told of
  ASSERT_TRUE(boards_.rebuild([this](ranking::Loader& loader) -> Result<void> {
    EXPECT_FALSE(loader.wants(kPastDay));
    EXPECT_TRUE(loader.wants(kAll));
    EKIDEN_CHECK(loader.put({std::string(kPastDay), durable_[std::string(kPastDay)]}));
    return loader.put({std::string(kAll), durable_[std::string(kAll)]});
  }));
  EXPECT_EQ(*held_->boards(""), std::vector<std::string>{std::string(kAll)});
  EXPECT_EQ(size(kPastDay), 2);
}

TEST_F(Past, WhatIsKeptStaysWithinItsRoomButForTheLast) {
  for (int day = 1; day <= 28; ++day) {
    const std::string board =
        "distance:all:2025-02-" + std::string(day < 10 ? "0" : "") + std::to_string(day);
    durable_[board].resize(100, {user(1), 5, {}});
    EXPECT_EQ(size(board), 100);
    EXPECT_EQ(size("distance:all:2025-02-01"), 100);
    EXPECT_LE(boards_.bytes(), 64U * 1024);
  }
  EXPECT_EQ(reads_, 28) << "the one in use was read once";
  durable_["distance:all:2025"].resize(10'000, {user(1), 5, {}});
  EXPECT_EQ(size("distance:all:2025"), 10'000);
  EXPECT_EQ(size("distance:all:2025"), 10'000);
  EXPECT_EQ(reads_, 29);
  EXPECT_EQ(size("distance:all:2025-02-01"), 100);
  EXPECT_LE(boards_.bytes(), 64U * 1024);
}

TEST_F(Past, ASourceThatFailsIsAskedAgain) {
  int asked = 0;
  PastBoards broken(*held_,
                    {.read = [&asked](const std::string&) -> Result<std::vector<Standing>> {
                       ++asked;
                       return Error{Errc::unavailable, "away", "away"};
                     },
                     .names = [](std::string_view) -> Result<std::vector<std::string>> {
                       return std::vector<std::string>{};
                     }},
                    clock_);
  ASSERT_TRUE(broken.rebuild([](ranking::Loader&) -> Result<void> { return {}; }));
  EXPECT_EQ(broken.size(kPastDay).error().code(), Errc::unavailable);
  EXPECT_EQ(broken.rank(kPastDay, user(1)).error().code(), Errc::unavailable);
  EXPECT_EQ(asked, 2);
}

TEST(PastBoard, AnswersAsABoardInMemory) {
  constexpr std::uint64_t kSeed = 20'261'123;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  testing::SeededRandom random(kSeed);
  for (const std::uint8_t members : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{40}}) {
    std::vector<Standing> standings;
    for (std::uint8_t i = 1; i <= members; ++i) {
      standings.push_back({user(i), static_cast<std::int64_t>(random.below(5)) + 1,
                           from_micros(static_cast<std::int64_t>(random.below(3)))});
    }
    const auto model = ranking::make_memory_ranking();
    ASSERT_TRUE(model->rebuild([&](ranking::Loader& loader) { return loader.put({"b", standings}); }));
    const PastBoard board(standings);
    EXPECT_EQ(board.size(), *model->size("b"));
    for (std::uint8_t i = 0; i <= 41; ++i) {
      EXPECT_EQ(board.rank(user(i)), *model->rank("b", user(i)));
      EXPECT_EQ(board.around(user(i), 3, 2), *model->around("b", user(i), 3, 2));
      EXPECT_EQ(board.range(i + 1, 7), *model->range("b", i + 1, 7));
      const Standing somewhere{user(i), static_cast<std::int64_t>(random.below(7)), from_micros(1)};
      EXPECT_EQ(board.range_after(somewhere, 5), *model->range_after("b", somewhere, 5));
    }
    for (const Standing& standing : standings)
      EXPECT_EQ(board.range_after(standing, 5), *model->range_after("b", standing, 5));
  }
}

TEST(SettledOn, IsNoLaterForABoardThanForOneWhoseNameItBeginsWith) {
  EXPECT_EQ(settled_on("distance:all:all"), std::nullopt);
  EXPECT_EQ(settled_on("b"), std::nullopt);
  EXPECT_EQ(settled_on("distance:all:2026-02"), sys_days{2026y / 2 / 28});
  EXPECT_EQ(settled_on("distance:all:2026-w53"), sys_days{2027y / 1 / 3});
  EXPECT_EQ(settled_on("distance:all:2026-11-22"), sys_days{2026y / 11 / 22});
  for (sys_days day{2019y / 12 / 1}; day < sys_days{2033y / 2 / 1}; day += days{1}) {
    std::map<std::string, sys_days> settled;
    for (const Period::Kind kind : kPeriodKinds) {
      const std::string key = BoardName{Metric::points, "run", Period::of(kind, day)}.to_key();
      if (const auto end = settled_on(key)) settled.emplace(key, *end);
    }
    ASSERT_EQ(settled.size(), 4U);
    for (const auto& [key, end] : settled) {
      ASSERT_GE(end, day) << key;
      for (const auto& [prefix, last] : settled) {
        if (key.starts_with(prefix)) ASSERT_LE(end, last) << key << " within " << prefix;
      }
    }
  }
}

}  // namespace
}  // namespace ekiden::gamification
