#include "ports/ranking/memory/board.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "ports/ranking/memory/event_window.hpp"

namespace ekiden::ranking {
namespace {

UserId user_of(std::uint64_t number) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return UserId{Uuid{bytes}};
}

struct Above {
  bool operator()(const Standing& a, const Standing& b) const { return precedes(a, b); }
};

/// A board beside std::set; enough members for three levels of nodes, few enough scores for long ties.
class BoardWalk {
 public:
  BoardWalk(std::uint64_t seed, std::uint64_t members, std::int64_t scores)
      : random_(seed), members_(members), scores_(scores) {}

  void put(std::uint64_t number, std::int64_t score) {
    const Standing standing{user_of(number), score, from_micros(static_cast<std::int64_t>(random_.below(5)))};
    board_.set(standing, hash_of(standing.member.uuid()), ++version_);
    if (const auto held = held_.find(number); held != held_.end()) {
      model_.erase(held->second);
      held_.erase(held);
    }
    if (score == 0) return;
    model_.insert(standing);
    held_.emplace(number, standing);
  }
  void step() {
    const std::uint64_t number = random_.below(members_);
    const auto range = static_cast<std::uint64_t>(2 * scores_ + 1);
    put(number, static_cast<std::int64_t>(random_.below(range)) - scores_);
  }
  void leave() { put(random_.below(members_), 0); }

  void expect_equal() {
    ASSERT_TRUE(board_.consistent());
    ASSERT_EQ(board_.size(), model_.size());
    const auto entries = board_.range(1, static_cast<std::int64_t>(model_.size()));
    ASSERT_EQ(entries.size(), model_.size());
    std::int64_t rank = 0;
    for (const Standing& standing : model_) {
      const Entry expected{++rank, standing.member, standing.score, standing.reached_at};
      ASSERT_EQ(entries[static_cast<std::size_t>(rank - 1)], expected);
      if (rank % 37 == 0) {
        ASSERT_EQ(board_.rank(standing.member), expected);
        ASSERT_EQ(board_.range(rank, 1), std::vector{expected});
      }
    }
  }
  MemoryBoard& board() { return board_; }
  const std::set<Standing, Above>& model() const { return model_; }

 private:
  ekiden::testing::SeededRandom random_;
  std::uint64_t members_;
  std::int64_t scores_;
  MemoryBoard board_;
  std::uint64_t version_ = 0;
  std::set<Standing, Above> model_;
  std::map<std::uint64_t, Standing> held_;
};

TEST(MemoryBoard, AgreesWithASetOverAHundredThousandChanges) {
  for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    // Score ranges of 3, 300 and 30,000: from long ties to hardly any.
    BoardWalk walk(seed, 6'000, seed == 1 ? 3 : seed == 2 ? 300 : 30'000);
    for (int i = 0; i < 33'400; ++i) {
      walk.step();
      if (i % 4'000 == 0) ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
    }
    for (int i = 0; i < 40'000; ++i) {
      walk.leave();
      if (i % 4'000 == 0) ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
    }
    ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
  }
}

TEST(MemoryBoard, GrowsAndShrinksFromEitherEnd) {
  BoardWalk walk(9, 1, 1);
  for (std::uint64_t i = 1; i <= 9'000; ++i) walk.put(i, static_cast<std::int64_t>(i));
  ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
  for (std::uint64_t i = 1; i <= 4'000; ++i) walk.put(i, 0);
  ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
  for (std::uint64_t i = 9'000; i > 4'000; --i) walk.put(i, 0);
  EXPECT_EQ(walk.board().size(), 0U);
  ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
  for (std::uint64_t i = 9'000; i > 0; --i) walk.put(i, static_cast<std::int64_t>(i));
  ASSERT_NO_FATAL_FAILURE(walk.expect_equal());
}

TEST(MemoryBoard, LoadsWhatAWalkHasMadeAndGoesOn) {
  for (const std::uint64_t members : {1ULL, 48ULL, 64ULL, 65ULL, 100ULL, 2'400ULL, 12'000ULL}) {
    BoardWalk walk(members, members, 50);
    for (std::uint64_t i = 0; i < members; ++i) walk.put(i, static_cast<std::int64_t>(i % 50) + 1);
    std::vector<Standing> standings(walk.model().rbegin(), walk.model().rend());
    MemoryBoard loaded;
    ASSERT_TRUE(loaded.load(standings, 1));
    EXPECT_TRUE(loaded.consistent()) << members;
    const auto count = static_cast<std::int64_t>(members);
    EXPECT_EQ(loaded.range(1, count), walk.board().range(1, count)) << members;
    for (const Standing& standing : standings) {
      loaded.set({standing.member, 0, {}}, hash_of(standing.member.uuid()), 2);
    }
    EXPECT_EQ(loaded.size(), 0U);
    EXPECT_TRUE(loaded.consistent()) << members;
  }
}

TEST(EventWindow, HoldsExactlyTheLastIds) {
  EventWindow window(1'000);
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    const EventId id{user_of(i).uuid()};
    ASSERT_FALSE(window.contains(id));
    window.add(id);
    ASSERT_TRUE(window.contains(id));
    if (i >= 1'000) ASSERT_FALSE(window.contains(EventId{user_of(i - 1'000).uuid()}));
    if (i >= 999) ASSERT_TRUE(window.contains(EventId{user_of(i - 999).uuid()}));
  }
  EXPECT_EQ(window.size(), 1'000U);
}

TEST(HashIndex, KeepsPairsOfOneHashApartThroughErasures) {
  HashIndex index;
  // All in the last home cell, so that runs wrap around the end of the table.
  for (std::uint32_t value = 0; value < 40; ++value) index.insert(0xFFFF'FFFF - value % 2, value);
  for (std::uint32_t value = 0; value < 40; value += 3) index.erase(0xFFFF'FFFF - value % 2, value);
  for (std::uint32_t value = 0; value < 40; ++value) {
    const auto found =
        index.find(0xFFFF'FFFF - value % 2, [&](std::uint32_t other) { return other == value; });
    EXPECT_EQ(found, value % 3 == 0 ? HashIndex::kNone : value);
  }
  EXPECT_THROW(index.erase(0xFFFF'FFFF, 0), std::logic_error);
}

}  // namespace
}  // namespace ekiden::ranking
