// Goal: what is answered from kept pages is what would be written now. Method: the routes' fast handlers over
// a ranking and names in memory, changed between the answers.
#include "services/gamification/api/leaderboards.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"
#include "ports/sql/testing/engine.hpp"

namespace ekiden::gamification {
namespace {

class KeptBoard : public ::testing::Test {
 protected:
  KeptBoard() : database_(place_->open({.clock = &clock_})) {}

  void add(UserId member, std::int64_t delta) {
    const auto applied = ranking_->apply(ids_.make<EventId>(), {{"distance:all:all", member, delta, {}}});
    EXPECT_TRUE(applied && *applied);
  }
  /// The answer of a route's fast handler; empty where it leaves the request to a thread.
  std::string get(std::string_view pattern, std::string_view query, std::string_view user_id = "") {
    const http::Identity reader{.user_id = ids_.make<UserId>(), .session_id = {}, .scopes = {}};
    const std::vector<std::pair<std::string_view, std::string_view>> params = {
        {"metric", "distance"}, {"sport", "all"}, {"period", "all"}, {"user_id", user_id}};
    http::FastReply reply;
    for (const http::Route& route : LeaderboardsApi::routes(&api_)) {
      if (route.pattern != pattern || !route.fast) continue;
      if (route.fast({.params = params, .raw_query = query, .identity = reader}, reply)) return reply.body;
    }
    return {};
  }
  std::string top(std::string_view query = "limit=2") {
    return get("/api/v1/leaderboards/{metric}/{sport}/{period}", query);
  }
  /// What a server writes that has kept nothing yet.
  std::string anew() {
    LeaderboardsApi fresh(*database_, *ranking_, names_, cursors_, clock_);
    http::FastReply reply;
    const http::Identity reader{.user_id = {}, .session_id = {}, .scopes = {}};
    const std::vector<std::pair<std::string_view, std::string_view>> params = {
        {"metric", "distance"}, {"sport", "all"}, {"period", "all"}};
    const auto routes = LeaderboardsApi::routes(&fresh);
    EXPECT_TRUE(routes[1].fast({.params = params, .raw_query = "limit=2", .identity = reader}, reply));
    return reply.body;
  }
  /// Twice, as the second comes from what is kept.
  void expect_current(const char* after) {
    const std::string first = top();
    EXPECT_FALSE(first.empty()) << after;
    EXPECT_EQ(first, anew()) << after;
    EXPECT_EQ(top(), first) << after;
  }

  testing::ManualClock clock_;
  testing::SeededRandom random_{20261122};
  Ids ids_{clock_, random_};
  std::unique_ptr<sql::contract::Place> place_ = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<ranking::Ranking> ranking_ = ranking::make_memory_ranking({.ready_when_empty = true});
  NameDirectory names_;
  const http::CursorSealer cursors_{std::string(32, 'k')};
  LeaderboardsApi api_{*database_, *ranking_, names_, cursors_, clock_};
};

TEST_F(KeptBoard, ShowsEveryChangeOfScoresAndNames) {
  const auto eve = ids_.make<UserId>();
  const auto bob = ids_.make<UserId>();
  expect_current("nobody yet");
  add(eve, 5);
  expect_current("the first member");
  EXPECT_NE(top().find(R"("display_name":"")"), std::string::npos);
  names_.put(eve, "Eve");
  expect_current("a name that was not known");
  EXPECT_NE(top().find("Eve"), std::string::npos);
  names_.put(eve, "Eva");
  expect_current("a changed name");
  EXPECT_EQ(top().find("Eve"), std::string::npos);
  add(bob, 6);
  expect_current("a second member");
  add(eve, 2);
  expect_current("another first");
  add(ids_.make<UserId>(), 1);
  expect_current("somebody beyond the page: the number of members, and a next page");
  add(bob, -6);
  expect_current("somebody who left");
  names_.remove(bob);
  names_.remove(eve);
  expect_current("names that were erased");
  EXPECT_EQ(top().find("Eva"), std::string::npos);
  add(eve, -7);
  expect_current("an erased person");
}

TEST_F(KeptBoard, ShowsARebuildAndWhatItPuts) {
  const auto eve = ids_.make<UserId>();
  add(eve, 5);
  expect_current("before");
  const auto rebuilt = ranking_->rebuild([&](ranking::Loader& loader) -> Result<void> {
    EXPECT_NE(top().find(R"("state":"rebuilding")"), std::string::npos);
    expect_current("while it is rebuilt");
    EKIDEN_CHECK(loader.put({"distance:all:all", {{eve, 9, {}}}}));
    expect_current("once it is put");
    return {};
  });
  ASSERT_TRUE(rebuilt);
  expect_current("after");
  EXPECT_NE(top().find(R"("score":9)"), std::string::npos);
  EXPECT_NE(top().find(R"("state":"ready")"), std::string::npos);
}

TEST_F(KeptBoard, KeepsPagesOfDifferentLengthApartAndNothingOfAReader) {
  const auto eve = ids_.make<UserId>();
  add(eve, 5);
  add(ids_.make<UserId>(), 4);
  const std::string two = top("limit=2");
  const std::string one = top("limit=1");
  EXPECT_NE(one, two);
  EXPECT_EQ(top("limit=2"), two);
  EXPECT_EQ(top("limit=1"), one);
  // Readers who are not on the board: each asks as somebody else.
  EXPECT_NE(
      get("/api/v1/leaderboards/{metric}/{sport}/{period}/around/{user_id}", "", "me").find("\"items\":[]"),
      std::string::npos);
}

/// One writer counts up, readers ask all the time: whoever reads after a change was answered sees it.
TEST_F(KeptBoard, NeverShowsLessThanWhatWasAcknowledged) {
  const auto eve = ids_.make<UserId>();
  constexpr std::int64_t kChanges = 3'000;
  std::atomic<std::int64_t> acknowledged = 0;
  std::atomic<int> stale = 0;
  add(eve, 1);
  acknowledged = 1;
  const auto routes = LeaderboardsApi::routes(&api_);
  const std::vector<std::pair<std::string_view, std::string_view>> params = {
      {"metric", "distance"}, {"sport", "all"}, {"period", "all"}};
  const http::Identity reader{.user_id = {}, .session_id = {}, .scopes = {}};
  const auto read = [&] {
    http::FastReply reply;
    while (acknowledged < kChanges) {
      const std::int64_t least = acknowledged;
      reply.clear();
      if (!routes[1].fast({.params = params, .raw_query = "", .identity = reader}, reply)) ++stale;
      const std::size_t at = reply.body.find("\"score\":");
      if (at == std::string::npos || std::stoll(reply.body.substr(at + 8)) < least) ++stale;
    }
  };
  {
    const std::jthread first(read);
    const std::jthread second(read);
    while (acknowledged < kChanges) {
      add(eve, 1);
      ++acknowledged;
    }
  }
  EXPECT_EQ(stale, 0);
}

}  // namespace
}  // namespace ekiden::gamification
