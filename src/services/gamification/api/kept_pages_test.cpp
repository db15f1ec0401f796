#include "services/gamification/api/kept_pages.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace ekiden::gamification {
namespace {

KeptPages::Page page(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

TEST(KeptPages, FindsAPageOnlyWhileNothingOfItsStampHasChanged) {
  KeptPages pages;
  const PageStamp stamp{.board = 7, .names = 3};
  pages.keep("distance:all:all", 10, stamp, page("ten"));
  ASSERT_NE(pages.find("distance:all:all", 10, stamp), nullptr);
  EXPECT_EQ(*pages.find("distance:all:all", 10, stamp), "ten");
  EXPECT_EQ(pages.find("distance:all:all", 11, stamp), nullptr);
  EXPECT_EQ(pages.find("distance:run:all", 10, stamp), nullptr);
  EXPECT_EQ(pages.find("distance:all:all", 10, {.board = 8, .names = 3}), nullptr);
  EXPECT_EQ(pages.find("distance:all:all", 10, {.board = 7, .names = 4}), nullptr);
  EXPECT_EQ(pages.find("distance:all:all", 10, {.board = 7, .names = 3, .state = ranking::State::rebuilding}),
            nullptr);
}

TEST(KeptPages, APageReplacesTheOneBeforeIt) {
  KeptPages pages;
  pages.keep("b", 1, {.board = 1}, page(std::string(100, 'a')));
  const std::size_t bytes = pages.bytes();
  pages.keep("b", 1, {.board = 2}, page(std::string(100, 'b')));
  EXPECT_EQ(pages.bytes(), bytes);
  EXPECT_EQ(pages.find("b", 1, {.board = 1}), nullptr);
  EXPECT_EQ(*pages.find("b", 1, {.board = 2}), std::string(100, 'b'));
}

TEST(KeptPages, StaysWithinItsRoomAndKeepsWhatIsAskedFor) {
  constexpr std::size_t kRoom = 64 * 1024;
  KeptPages pages(kRoom);
  pages.keep("wanted", 1, {}, page("wanted"));
  for (std::int64_t i = 0; i < 1'000; ++i) {
    pages.keep("scanned", i, {}, page(std::string(1'000, 'x')));
    ASSERT_LE(pages.bytes(), kRoom);
    ASSERT_NE(pages.find("wanted", 1, {}), nullptr) << i;
  }
  EXPECT_EQ(pages.find("scanned", 0, {}), nullptr);
  EXPECT_NE(pages.find("scanned", 999, {}), nullptr);
  pages.keep("large", 1, {}, page(std::string(kRoom / 2, 'x')));
  EXPECT_EQ(pages.find("large", 1, {}), nullptr);
}

/// Whoever finds a page with a stamp finds what was kept with it, while others keep and find.
TEST(KeptPages, ManyThreadsNeverFindAPageOfAnotherStamp) {
  KeptPages pages(4 * 1024);
  std::atomic<int> wrong = 0;
  const auto work = [&](std::uint64_t first) {
    for (std::uint64_t i = first; i < 20'000; i += 4) {
      const PageStamp stamp{.board = i % 5, .names = i % 3};
      const std::string text = std::to_string(stamp.board) + "/" + std::to_string(stamp.names);
      const auto board = std::to_string(i % 7);
      if (const auto found = pages.find(board, 1, stamp); found != nullptr && *found != text) ++wrong;
      pages.keep(board, 1, stamp, page(text));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back(work, i);
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(pages.bytes(), 4U * 1024);
}

}  // namespace
}  // namespace ekiden::gamification
