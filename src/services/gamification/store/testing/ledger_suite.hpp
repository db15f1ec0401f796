#pragma once

// Goal: the boards are the sum of what the live workouts are worth, whatever order of versions, edits,
// deletions, redeliveries and rebuilds. Method: a seeded random history against a real engine, compared with
// a computation from the workouts alone.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/testing/kept_lines.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "delivery/inbox.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"
#include "ports/sql/testing/engine.hpp"
#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/past_boards.hpp"
#include "services/gamification/projection.hpp"
#include "services/gamification/service.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::SeededRandom;

struct Fixture {
  Fixture() : database(place->open({.clock = &clock})) {
    const auto steps = sql::migrate(*database, migrations());
    EXPECT_TRUE(steps) << steps.error().text();
    EXPECT_TRUE(projection.rebuild());
  }

  /// As the consumer does it: inbox and effect in one transaction, then the ranking.
  void deliver(EventId event, const CountedWorkout& workout) {
    delivery::Envelope envelope;
    envelope.id = event;
    bool fresh = false;
    const auto outcome = database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_TRY(fresh, delivery::first_time(tx, kBoardsGroup, event, clock.now()));
      if (!fresh) return {};
      EKIDEN_TRY(auto changes, settle_workout(tx, event, workout, clock.now()));
      projection.note(event, std::move(changes));
      return {};
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
    if (fresh) ASSERT_TRUE(projection.apply_noted({envelope}));
  }

  ManualClock clock{Timestamp{std::chrono::sys_days{2026y / 12 / 5}}};
  SeededRandom random{20261122};
  Ids ids{clock, random};
  testing::KeptLines lines;
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<ranking::Ranking> held = ranking::make_memory_ranking();
  /// As the service has it; of the workouts' days some are past, and more become so.
  std::unique_ptr<ranking::Ranking> ranking = std::make_unique<PastBoards>(
      *held,
      PastSource{.read =
                     [this](const std::string& board) {
                       return database->read([&](sql::Tx& tx) { return read_board(tx, board); });
                     },
                 .names =
                     [this](std::string_view prefix) {
                       return database->read([&](sql::Tx& tx) { return board_names(tx, prefix); });
                     }},
      clock);
  Projection projection{*database, *ranking, {std::string(kBoardsGroup)}, clock, Logger(lines, clock)};
};

struct Wanted {
  std::int64_t score = 0;
  Timestamp reached_at;
};

/// Board -> person -> standing, from the workouts alone.
std::map<std::string, std::map<UserId, Wanted>> recompute(
    const std::map<WorkoutId, CountedWorkout>& workouts) {
  std::map<std::string, std::map<UserId, Wanted>> boards;
  for (const auto& [id, workout] : workouts) {
    for (const Contribution& contribution : contributions_of(workout)) {
      Wanted& wanted = boards[contribution.board][workout.user_id];
      wanted.score += contribution.amount;
      wanted.reached_at = std::max(wanted.reached_at, workout.ended_at);
    }
  }
  return boards;
}

void expect_equal(Fixture& fixture, const std::map<WorkoutId, CountedWorkout>& workouts) {
  const auto wanted = recompute(workouts);
  const auto names = fixture.ranking->boards("");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->size(), wanted.size());
  for (const auto& [board, people] : wanted) {
    EXPECT_EQ(*fixture.ranking->size(board), static_cast<std::int64_t>(people.size())) << board;
    for (const auto& [person, standing] : people) {
      const auto entry = fixture.ranking->rank(board, person);
      ASSERT_TRUE(entry && *entry) << board;
      EXPECT_EQ((*entry)->score, standing.score) << board;
      EXPECT_EQ((*entry)->reached_at, standing.reached_at) << board;
    }
  }
  for (const services::AuditCheck& check : audits(*fixture.database)) {
    const auto findings = check.run(false);
    ASSERT_TRUE(findings) << findings.error().text();
    EXPECT_TRUE(findings->empty()) << check.name << ": " << findings->front();
  }
}

CountedWorkout draw_workout(Fixture& fixture, const std::vector<UserId>& people) {
  constexpr std::array<const char*, 4> kSports = {"run", "ride", "yoga", "trail_run"};
  CountedWorkout workout{};
  workout.workout_id = fixture.ids.make<WorkoutId>();
  workout.user_id = people[fixture.random.below(people.size())];
  workout.sport = kSports[fixture.random.below(kSports.size())];
  const auto day = std::chrono::sys_days{2026y / 11 / 1} + std::chrono::days{fixture.random.below(40)};
  workout.local_date = day;
  workout.ended_at = day + std::chrono::seconds{fixture.random.below(86'400)};
  workout.distance_m = static_cast<std::int64_t>(fixture.random.below(20'000));
  workout.moving_s = static_cast<std::int64_t>(fixture.random.below(7'200));
  workout.elevation_gain_m = static_cast<std::int64_t>(fixture.random.below(3)) * 100;
  workout.counts = fixture.random.below(10) != 0;
  return workout;
}

/// One step of a history: a new workout, an edit, a deletion or a redelivery.
void random_step(Fixture& fixture, const std::vector<UserId>& people,
                 std::map<WorkoutId, CountedWorkout>& live,
                 std::vector<std::pair<EventId, CountedWorkout>>& told) {
  const std::uint64_t what = fixture.random.below(10);
  if (what < 2 && !told.empty()) {
    const auto [event, workout] = told[fixture.random.below(told.size())];
    fixture.deliver(event, workout);
    return;
  }
  CountedWorkout workout = draw_workout(fixture, people);
  if (what < 6 && !live.empty()) {
    auto chosen = live.begin();
    std::advance(chosen, fixture.random.below(live.size()));
    workout.workout_id = chosen->first;
    workout.user_id = chosen->second.user_id;
    if (what < 4) workout = chosen->second, workout.counts = false;
  }
  const auto event = fixture.ids.make<EventId>();
  told.emplace_back(event, workout);
  fixture.deliver(event, workout);
  live[workout.workout_id] = workout;
}

TEST(Ledger, EqualsWhatTheWorkoutsAreWorthAfterAnyHistory) {
  Fixture fixture;
  std::vector<UserId> people;
  for (int i = 0; i < 5; ++i) people.push_back(fixture.ids.make<UserId>());
  std::map<WorkoutId, CountedWorkout> live;
  std::vector<std::pair<EventId, CountedWorkout>> told;
  for (int step = 0; step < 150; ++step) {
    fixture.clock.advance(4h);
    random_step(fixture, people, live, told);
    // Somebody looks at boards, so that what is read of the past has to follow what changes later.
    for (const Contribution& contribution : contributions_of(draw_workout(fixture, people)))
      ASSERT_TRUE(fixture.ranking->size(contribution.board));
  }
  expect_equal(fixture, live);
  ASSERT_TRUE(fixture.projection.rebuild());
  expect_equal(fixture, live);
}

TEST(Ledger, ARebuildDoesNotCountTwiceWhatIsOnItsWay) {
  Fixture fixture;
  const std::vector<UserId> people = {fixture.ids.make<UserId>()};
  CountedWorkout run = draw_workout(fixture, people);
  run.counts = true;
  const auto event = fixture.ids.make<EventId>();
  const auto durable = fixture.database->write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_CHECK(delivery::first_time(tx, kBoardsGroup, event, fixture.clock.now()));
    EKIDEN_TRY(auto changes, settle_workout(tx, event, run, fixture.clock.now()));
    fixture.projection.note(event, std::move(changes));
    return {};
  });
  ASSERT_TRUE(durable);
  ASSERT_TRUE(fixture.projection.rebuild());
  delivery::Envelope envelope;
  envelope.id = event;
  ASSERT_TRUE(fixture.projection.apply_noted({envelope}));
  expect_equal(fixture, {{run.workout_id, run}});
}

TEST(Ledger, AnErasedPersonLeavesNothingBehind) {
  Fixture fixture;
  const std::vector<UserId> people = {fixture.ids.make<UserId>()};
  CountedWorkout run = draw_workout(fixture, people);
  run.counts = true;
  fixture.deliver(fixture.ids.make<EventId>(), run);
  delivery::Envelope envelope;
  envelope.id = fixture.ids.make<EventId>();
  const auto erased = fixture.database->write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(auto changes, erase_member(tx, run.user_id, fixture.clock.now()));
    fixture.projection.note(envelope.id, std::move(changes));
    return {};
  });
  ASSERT_TRUE(erased);
  ASSERT_TRUE(fixture.projection.apply_noted({envelope}));
  expect_equal(fixture, {});
  EXPECT_TRUE(*fixture.database->read([&](sql::Tx& tx) { return is_erased(tx, run.user_id); }));
}

TEST(Audit, FindsAScoreThatIsNotTheSumAndPutsItRight) {
  Fixture fixture;
  const std::vector<UserId> people = {fixture.ids.make<UserId>()};
  CountedWorkout run = draw_workout(fixture, people);
  run.counts = true;
  fixture.deliver(fixture.ids.make<EventId>(), run);
  ASSERT_TRUE(fixture.database->write([](sql::Tx& tx) {
    return tx.execute("UPDATE scores SET score = score + 1 WHERE board = 'workouts:all:all'");
  }));
  const services::AuditCheck check = audits(*fixture.database).front();
  EXPECT_EQ(check.run(false)->size(), 1U);
  EXPECT_EQ(check.run(true)->size(), 1U);
  EXPECT_TRUE(check.run(false)->empty());
}

}  // namespace
}  // namespace ekiden::gamification
