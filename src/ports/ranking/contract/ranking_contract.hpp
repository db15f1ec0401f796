#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "ports/ranking/contract/ranking_model.hpp"
#include "ports/ranking/ranking.hpp"

/// What every adapter of the ranking port promises. An adapter's test instantiates RankingContract with a
/// maker of empty stores that are ready.
namespace ekiden::ranking::testing {

struct RankingMaker {
  std::string name;
  std::function<std::unique_ptr<Ranking>()> make;
  int walk_steps = 2'000;  ///< of the random walk beside the model
};

class RankingContract : public ::testing::TestWithParam<RankingMaker> {
 protected:
  static Uuid uuid(std::uint64_t number) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return Uuid{bytes};
  }
  static UserId user(std::uint64_t number) { return UserId{uuid(number)}; }
  EventId next_event() { return EventId{uuid(++events_)}; }
  static Change change(std::uint64_t member, std::int64_t delta, std::int64_t at_us = 0,
                       std::string board = "b") {
    return {std::move(board), user(member), delta, from_micros(at_us)};
  }
  static Entry entry(std::int64_t rank, std::uint64_t member, std::int64_t score, std::int64_t at_us = 0) {
    return {rank, user(member), score, from_micros(at_us)};
  }
  /// Applies changes as one new event.
  Result<bool> apply(const std::vector<Change>& changes) { return store_->apply(next_event(), changes); }
  std::vector<Entry> all(const std::string& board = "b") {
    auto entries = store_->range(board, 1, kEntriesMax);
    EXPECT_TRUE(entries) << entries.error().text();
    return entries ? *entries : std::vector<Entry>{};
  }
  /// Members 1..count with score 10 * (count + 1 - number), so that each one's number is its rank.
  void fill(std::uint64_t count) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      ASSERT_TRUE(*apply({change(i, static_cast<std::int64_t>(10 * (count + 1 - i)))}));
    }
  }
  static Errc code(const auto& result) { return result ? Errc::internal : result.error().code(); }
  /// Puts these boards: what a rebuild reads.
  static std::move_only_function<Result<void>(Loader&)> source(std::vector<Board> boards) {
    return [boards = std::move(boards)](Loader& loader) -> Result<void> {
      for (const Board& board : boards) EKIDEN_CHECK(loader.put(board));
      return {};
    };
  }

  std::unique_ptr<Ranking> store_ = GetParam().make();
  std::uint64_t events_ = 0;
};

TEST_P(RankingContract, OrdersByScoreThenTimeThenMember) {
  ASSERT_TRUE(
      *apply({change(3, 10, 7), change(1, 10, 8), change(2, 10, 7), change(4, 11, 9), change(5, -1)}));
  EXPECT_EQ(all(), (std::vector{entry(1, 4, 11, 9), entry(2, 2, 10, 7), entry(3, 3, 10, 7),
                                entry(4, 1, 10, 8), entry(5, 5, -1)}));
  EXPECT_EQ(*store_->size("b"), 5);
}

TEST_P(RankingContract, TheSameEventIdAddsOnce) {
  const EventId event = next_event();
  EXPECT_TRUE(store_->apply(event, {change(1, 5)}).value_or(false));
  EXPECT_FALSE(store_->apply(event, {change(1, 5)}).value_or(true));
  EXPECT_FALSE(store_->apply(event, {change(2, 9)}).value_or(true));
  EXPECT_EQ(all(), std::vector{entry(1, 1, 5)});
}

TEST_P(RankingContract, AMemberAtZeroLeavesAndAnEmptyBoardGoes) {
  ASSERT_TRUE(*apply({change(1, 5), change(2, 6)}));
  ASSERT_TRUE(*apply({change(1, -5, 3)}));
  EXPECT_EQ(all(), std::vector{entry(1, 2, 6)});
  EXPECT_EQ(*store_->rank("b", user(1)), std::nullopt);
  ASSERT_TRUE(*apply({change(2, -6)}));
  EXPECT_EQ(*store_->boards(""), std::vector<std::string>{});
  ASSERT_TRUE(*apply({change(3, 0)}));
  EXPECT_EQ(*store_->boards(""), std::vector<std::string>{});
}

TEST_P(RankingContract, OneEventMayTouchAMemberOftenAndManyBoards) {
  ASSERT_TRUE(*apply({change(1, 5, 1, "a"), change(1, 7, 1, "b")}));
  ASSERT_TRUE(*apply({change(1, -5, 2, "a"), change(2, 1, 2, "b"), change(1, 9, 3, "a"), change(1, 2, 4, "a"),
                      change(1, 8, 2, "c")}));
  EXPECT_EQ(all("a"), std::vector{entry(1, 1, 11, 4)});
  EXPECT_EQ(all("b"), (std::vector{entry(1, 1, 7, 1), entry(2, 2, 1, 2)}));
  EXPECT_EQ(all("c"), std::vector{entry(1, 1, 8, 2)});
}

TEST_P(RankingContract, ARefusedEventChangesNothingAndMayComeAgain) {
  ASSERT_TRUE(*apply({change(1, kScoreEnd - 2), change(2, 2 - kScoreEnd)}));
  const auto before = all();
  const EventId event = next_event();
  EXPECT_EQ(code(store_->apply(event, {change(3, 1), change(1, 1), change(1, 1)})), Errc::invalid);
  EXPECT_EQ(code(store_->apply(event, {change(3, 1), change(2, -2)})), Errc::invalid);
  EXPECT_EQ(code(store_->apply(event, {change(3, 1), change(1, 1, 0, "Bad")})), Errc::invalid);
  EXPECT_EQ(code(store_->apply(event, {change(3, std::numeric_limits<std::int64_t>::max())})), Errc::invalid);
  const std::vector<Change> too_many(kChangesMax + 1, change(3, 1));
  EXPECT_EQ(code(store_->apply(event, too_many)), Errc::invalid);
  EXPECT_EQ(all(), before);
  EXPECT_EQ(*store_->boards(""), std::vector<std::string>{"b"});
  EXPECT_TRUE(store_->apply(event, {change(1, 1)}).value_or(false));
  EXPECT_EQ(all().front(), entry(1, 1, kScoreEnd - 1));
}

TEST_P(RankingContract, ABoardsNameIsChecked) {
  for (const std::string& name : {std::string(kBoardNameMax, 'a'), std::string("run:2026-w47_x")}) {
    EXPECT_TRUE(*apply({change(1, 1, 0, name)})) << name;
  }
  for (const std::string& name : {std::string(kBoardNameMax + 1, 'a'), std::string(), std::string("a b"),
                                  std::string("A"), std::string("a\0b", 3), std::string("ж")}) {
    EXPECT_EQ(code(apply({change(1, 1, 0, name)})), Errc::invalid) << name;
  }
}

TEST_P(RankingContract, ABatchAppliesInOrderAndStopsAtTheFirstRefusal) {
  const EventId known = next_event();
  ASSERT_TRUE(*store_->apply(known, {change(1, 1)}));
  const EventId twice = next_event();
  EXPECT_EQ(
      store_
          ->apply_batch(
              {{known, {change(1, 1)}}, {twice, {change(1, 2)}}, {twice, {change(1, 2)}}, {next_event(), {}}})
          .value_or(0),
      2U);
  EXPECT_EQ(all(), std::vector{entry(1, 1, 3)});
  EXPECT_EQ(code(store_->apply_batch({{next_event(), {change(1, 4)}},
                                      {next_event(), {change(1, kScoreEnd)}},
                                      {next_event(), {change(1, 8)}}})),
            Errc::invalid);
  EXPECT_EQ(all(), std::vector{entry(1, 1, 7)});
}

TEST_P(RankingContract, RangesAreCutAtTheEndsAndCheckTheirArguments) {
  fill(5);
  EXPECT_EQ(*store_->range("b", 4, 10), (std::vector{entry(4, 4, 20), entry(5, 5, 10)}));
  EXPECT_EQ(*store_->range("b", 2, 2), (std::vector{entry(2, 2, 40), entry(3, 3, 30)}));
  EXPECT_TRUE(store_->range("b", 6, 10)->empty());
  EXPECT_TRUE(store_->range("b", std::numeric_limits<std::int64_t>::max(), 10)->empty());
  EXPECT_TRUE(store_->range("b", 1, 0)->empty());
  EXPECT_TRUE(store_->range("nothing", 1, 10)->empty());
  EXPECT_EQ(*store_->size("nothing"), 0);
  EXPECT_EQ(code(store_->range("b", 0, 1)), Errc::invalid);
  EXPECT_EQ(code(store_->range("b", 1, -1)), Errc::invalid);
  EXPECT_EQ(code(store_->range("b", 1, kEntriesMax + 1)), Errc::invalid);
  EXPECT_EQ(code(store_->around("b", user(1), -1, 0)), Errc::invalid);
  EXPECT_EQ(code(store_->around("b", user(1), 0, kEntriesMax + 1)), Errc::invalid);
  EXPECT_EQ(code(store_->range_after("b", {user(1), 1, {}}, kEntriesMax + 1)), Errc::invalid);
}

TEST_P(RankingContract, AroundShowsNeighboursAndIsCutAtTheEnds) {
  fill(5);
  EXPECT_EQ(*store_->around("b", user(3), 1, 1),
            (std::vector{entry(2, 2, 40), entry(3, 3, 30), entry(4, 4, 20)}));
  EXPECT_EQ(*store_->around("b", user(1), 3, 1), (std::vector{entry(1, 1, 50), entry(2, 2, 40)}));
  EXPECT_EQ(*store_->around("b", user(5), 0, 9), std::vector{entry(5, 5, 10)});
  EXPECT_TRUE(store_->around("b", user(9), 1, 1)->empty());
  EXPECT_TRUE(store_->around("nothing", user(1), 1, 1)->empty());
}

TEST_P(RankingContract, PagesAfterAStandingPartitionTheBoard) {
  for (std::uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(*apply({change(i, static_cast<std::int64_t>(1 + i % 4), static_cast<std::int64_t>(i % 3))}));
  }
  const auto whole = all();
  std::vector<Entry> paged = *store_->range("b", 1, 7);
  while (true) {
    const Entry& last = paged.back();
    const auto page = store_->range_after("b", {last.member, last.score, last.reached_at}, 7);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    paged.insert(paged.end(), page->begin(), page->end());
  }
  EXPECT_EQ(paged, whole);
}

TEST_P(RankingContract, APageAfterAStandingThatMovedShowsNobodyTwice) {
  fill(4);
  const Entry second = store_->range("b", 2, 1)->front();
  ASSERT_TRUE(*apply({change(2, 100), change(1, -40)}));
  const auto page = store_->range_after("b", {second.member, second.score, second.reached_at}, 9);
  EXPECT_EQ(*page, (std::vector{entry(2, 3, 20), entry(3, 4, 10)}));
}

TEST_P(RankingContract, AVersionTellsWhetherItsBoardHasChanged) {
  if (store_->is_shared()) {
    EXPECT_EQ(store_->version("b"), std::nullopt);
    return;
  }
  EXPECT_EQ(store_->version("b"), 0U);
  std::set<std::optional<std::uint64_t>> seen{0};
  const auto expect_fresh = [&](const char* after) {
    EXPECT_TRUE(seen.insert(store_->version("b")).second) << after;
  };
  ASSERT_TRUE(*apply({change(1, 1), change(2, 1)}));
  expect_fresh("the first members");
  const auto of_b = store_->version("b");
  ASSERT_TRUE(*apply({change(1, 1, 0, "other")}));
  EXPECT_EQ(store_->version("b"), of_b);
  ASSERT_TRUE(*apply({change(1, 1)}));
  expect_fresh("a score");
  ASSERT_TRUE(*apply({change(2, -1)}));
  expect_fresh("a member that left");
  ASSERT_TRUE(*apply({change(1, -2)}));
  EXPECT_EQ(store_->version("b"), 0U);
  ASSERT_TRUE(*apply({change(1, 1), change(2, 1)}));
  expect_fresh("a board of that name that was made anew");
  ASSERT_TRUE(store_->rebuild(source({{"b", {{user(1), 1, {}}, {user(2), 1, {}}}}})));
  expect_fresh("a rebuild");
}

TEST_P(RankingContract, ABoardCanBeTakenAwayWhereNobodySharesIt) {
  ASSERT_TRUE(*apply({change(1, 1), change(1, 1, 0, "other")}));
  if (store_->is_shared()) {
    EXPECT_THROW(store_->forget("b"), std::logic_error);
    return;
  }
  store_->forget("b");
  store_->forget("nothing");
  EXPECT_EQ(*store_->boards(""), std::vector<std::string>{"other"});
  ASSERT_TRUE(*apply({change(1, 3)}));
  EXPECT_EQ(all(), std::vector{entry(1, 1, 3)});
}

TEST_P(RankingContract, BoardsAreListedSortedByPrefix) {
  for (const char* name : {"run:b", "run:a", "ride:a", "run"}) ASSERT_TRUE(*apply({change(1, 1, 0, name)}));
  EXPECT_EQ(*store_->boards("run:"), (std::vector<std::string>{"run:a", "run:b"}));
  EXPECT_EQ(*store_->boards(""), (std::vector<std::string>{"ride:a", "run", "run:a", "run:b"}));
  EXPECT_TRUE(store_->boards("swim")->empty());
}

TEST_P(RankingContract, ARebuildReplacesEverythingAndKeepsTheKnownEvents) {
  const EventId event = next_event();
  ASSERT_TRUE(*store_->apply(event, {change(1, 1, 0, "old"), change(1, 1)}));
  ASSERT_TRUE(store_->rebuild(source({{"b",
                                       {{user(3), 5, from_micros(2)},
                                        {user(2), 5, from_micros(2)},
                                        {user(4), 0, {}},
                                        {user(5), 9, from_micros(1)}}},
                                      {"empty", {}}})));
  EXPECT_EQ(store_->state(), State::ready);
  EXPECT_EQ(all(), (std::vector{entry(1, 5, 9, 1), entry(2, 2, 5, 2), entry(3, 3, 5, 2)}));
  EXPECT_EQ(*store_->boards(""), std::vector<std::string>{"b"});
  EXPECT_FALSE(store_->apply(event, {change(1, 1)}).value_or(true));
  ASSERT_TRUE(*apply({change(4, 7, 3)}));
  EXPECT_EQ(store_->rank("b", user(4))->value(), entry(2, 4, 7, 3));
}

TEST_P(RankingContract, DuringARebuildReadsGoOnAndEventsWait) {
  ASSERT_TRUE(*apply({change(1, 1)}));
  int calls = 0;
  const auto look = [&] {
    ++calls;
    EXPECT_EQ(store_->state(), State::rebuilding);
    EXPECT_EQ(*store_->check(), State::rebuilding);
    EXPECT_EQ(code(apply({change(1, 1)})), Errc::unavailable);
    EXPECT_EQ(code(store_->apply_batch({{next_event(), {change(1, 1)}}})), Errc::unavailable);
    EXPECT_EQ(code(store_->rebuild(source({}))), Errc::busy);
  };
  ASSERT_TRUE(store_->rebuild([&](Loader& loader) -> Result<void> {
    look();
    EXPECT_EQ(*store_->size("b"), 1);
    EKIDEN_CHECK(loader.put({"b", {{user(1), 1, {}}, {user(2), 1, {}}}}));
    look();
    EXPECT_GE(*store_->size("b"), 1);
    return {};
  }));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(store_->state(), State::ready);
  EXPECT_EQ(*store_->check(), State::ready);
  EXPECT_EQ(*store_->size("b"), 2);
}

TEST_P(RankingContract, WhatARebuildContainsIsNotAppliedAgain) {
  const EventId contained = next_event();
  const EventId later = next_event();
  ASSERT_TRUE(store_->rebuild([&](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(loader.put({"b", {{user(1), 5, {}}}}));
    EKIDEN_CHECK(loader.mark_applied({contained}));
    return loader.mark_applied({});
  }));
  EXPECT_EQ(*store_->apply_batch({{contained, {change(1, 5)}}, {later, {change(1, 2)}}}), 1U);
  EXPECT_FALSE(*store_->apply(contained, {change(1, 5)}));
  EXPECT_EQ(all(), std::vector{entry(1, 1, 7)});
}

TEST_P(RankingContract, ASourceThatIsReadAnewReplacesWhatItPut) {
  ASSERT_TRUE(*apply({change(9, 1, 0, "old")}));
  ASSERT_TRUE(store_->rebuild([&](Loader& loader) -> Result<void> {
    EKIDEN_CHECK(loader.put({"b", {{user(1), 5, {}}, {user(2), 6, {}}}}));
    EKIDEN_CHECK(loader.put({"c", {{user(1), 5, {}}}}));
    loader.restart();
    EKIDEN_CHECK(loader.put({"d", {{user(4), 1, {}}}}));
    EKIDEN_CHECK(loader.put({"b", {{user(8), 8, {}}}}));
    return loader.put({"b", {{user(1), 3, {}}}});
  }));
  EXPECT_EQ(*store_->boards(""), (std::vector<std::string>{"b", "d"}));
  EXPECT_EQ(all(), std::vector{entry(1, 1, 3)});
}

TEST_P(RankingContract, AFailedRebuildLeavesTheStoreForgottenUntilOneSucceeds) {
  ASSERT_TRUE(*apply({change(1, 1)}));
  const Error lost{Errc::unavailable, "lost", "the ledger does not answer", {}};
  EXPECT_EQ(code(store_->rebuild([&](Loader&) -> Result<void> { return lost; })), Errc::unavailable);
  EXPECT_EQ(store_->state(), State::forgotten);
  EXPECT_EQ(*store_->check(), State::forgotten);
  EXPECT_EQ(code(apply({change(1, 1)})), Errc::gone);
  EXPECT_EQ(code(store_->rebuild(source({{"b", {{user(1), 1, {}}, {user(1), 2, {}}}}}))), Errc::invalid);
  EXPECT_EQ(code(store_->rebuild(source({{"b", {{user(1), kScoreEnd, {}}}}}))), Errc::invalid);
  EXPECT_EQ(code(store_->rebuild(source({{"B", {{user(1), 1, {}}}}}))), Errc::invalid);
  ASSERT_TRUE(store_->rebuild(source({{"b", {{user(7), 3, {}}}}})));
  EXPECT_EQ(all(), std::vector{entry(1, 7, 3)});
  EXPECT_TRUE(*apply({change(7, 1)}));
}

/// A random walk over few members and scores, so that ties, departures and repeats are common.
TEST_P(RankingContract, AgreesWithTheModelOnARandomWalk) {
  constexpr std::uint64_t kSeed = 20'260'117;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  RankingModel model;
  const auto pick = [&](std::uint64_t bound) { return random.below(bound); };
  const auto number = [&](std::uint64_t bound) { return static_cast<std::int64_t>(random.below(bound)); };
  for (int step = 0; step < GetParam().walk_steps; ++step) {
    std::vector<Change> changes;
    for (std::uint64_t i = pick(4) + 1; i > 0; --i) {
      std::string board = pick(2) == 0 ? "a" : "b";
      const std::int64_t delta = pick(500) == 0 ? kScoreEnd - 5 : number(9) - 4;
      changes.push_back(change(pick(30), delta, number(4), std::move(board)));
    }
    const EventId event{uuid(1 + pick(static_cast<std::uint64_t>(step) + 20))};
    const auto applied = store_->apply(event, changes);
    ASSERT_EQ(applied.value_or(false), model.apply(event, changes)) << "step " << step;
    const std::string board = step % 2 == 0 ? "a" : "b";
    const auto expected = model.entries(board);
    ASSERT_EQ(all(board), expected) << "step " << step;
    if (expected.empty()) continue;
    const Entry& someone = expected[pick(expected.size())];
    ASSERT_EQ(store_->rank(board, someone.member)->value(), someone) << "step " << step;
    const auto after = store_->range_after(board, {someone.member, someone.score, someone.reached_at}, 3);
    const auto first = expected.begin() + someone.rank;
    ASSERT_EQ(*after, std::vector(first, first + std::min<std::int64_t>(3, expected.end() - first)));
  }
  EXPECT_EQ(*store_->boards(""), model.boards());
}

}  // namespace ekiden::ranking::testing
