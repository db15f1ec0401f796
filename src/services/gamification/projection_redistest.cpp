// Goal: the boards in Redis equal the ledger's sums once the faults are over, whatever happened: Redis
// flushed, killed, started anew; a process ended between its commit and the ranking; two processes at once;
// people erased. Method: a seeded history over real SQLite and a real Redis, each step by one of two
// processes; then both are left to tend the ranking, and the audit compares.
#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "delivery/inbox.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"
#include "ports/redis_client/testing/redis_place.hpp"
#include "ports/sql/sqlite/testing/sqlite_place.hpp"
#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/users.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/keeper.hpp"
#include "services/gamification/service.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {
namespace {

using namespace std::chrono_literals;
using redis::Command;
using redis::testing::OwnClient;
using redis::testing::OwnServer;

/// What all processes share: tables, time, and a Redis.
struct World {
  World() : database(place.open({.clock = &clock})) {
    const auto steps = sql::migrate(*database, migrations());
    if (!steps) throw std::runtime_error(steps.error().text());
  }
  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{20'261'122};
  Ids ids{clock, random};
  ekiden::testing::KeptLines lines;
  sql::testing::SqlitePlace place;
  std::unique_ptr<sql::Database> database;
  OwnServer server;
};

/// One process of the service.
struct Process {
  explicit Process(World& in) : world(in) {
    if (const auto entered = keeper.enter(); !entered) throw std::runtime_error(entered.error().text());
  }

  /// As the consumer does it: inbox and effect in one transaction, then the ranking; `tells` false: the
  /// process ends in between.
  void deliver(const CountedWorkout& workout, bool tells = true) {
    const auto event = world.ids.make<EventId>();
    const auto outcome = world.database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(delivery::first_time(tx, kBoardsGroup, event, world.clock.now()));
      EKIDEN_TRY(auto changes, settle_workout(tx, event, workout, world.clock.now()));
      projection.note(event, std::move(changes));
      return {};
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
    if (tells) tell(event);
  }

  void erase(UserId person) {
    const auto event = world.ids.make<EventId>();
    const auto outcome = world.database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(delivery::first_time(tx, kPeopleGroup, event, world.clock.now()));
      EKIDEN_TRY(auto changes, erase_member(tx, person, world.clock.now()));
      projection.note(event, std::move(changes));
      return {};
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
    tell(event);
  }

  void tell(EventId event) {
    delivery::Envelope envelope;
    envelope.id = event;
    const auto told = projection.apply_noted({envelope});
    EXPECT_TRUE(told) << told.error().text();
  }

  bool comes_back() { return client->wait_until_up(client.clock().monotonic() + 20s); }

  World& world;
  OwnClient client{world.server.address()};
  std::unique_ptr<ranking::Ranking> ranking = ranking::make_redis_ranking(
      *client, {}, world.random, client.clock(), Logger(world.lines, world.clock));
  Projection projection{*world.database,
                        *ranking,
                        {std::string(kBoardsGroup), std::string(kPeopleGroup)},
                        world.clock,
                        Logger(world.lines, world.clock)};
  Keeper keeper{*world.database, *ranking,
                projection,      world.ids.next().to_string(),
                world.clock,     Logger(world.lines, world.clock)};
};

CountedWorkout draw_workout(World& world, UserId person) {
  const auto day =
      std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::days{world.random.below(20)};
  CountedWorkout workout{};
  workout.workout_id = world.ids.make<WorkoutId>();
  workout.user_id = person;
  workout.sport = world.random.below(2) == 0 ? "run" : "ride";
  workout.local_date = day;
  workout.ended_at = day + std::chrono::seconds{world.random.below(86'400)};
  workout.distance_m = static_cast<std::int64_t>(world.random.below(3)) * 1'000;
  workout.moving_s = static_cast<std::int64_t>(world.random.below(3)) * 600;
  workout.counts = true;
  return workout;
}

/// Lets the processes do what their threads would, until there is nothing left to do.
void settle(World& world, std::vector<std::unique_ptr<Process>>& processes) {
  world.clock.advance(31s);
  for (int round = 0; round < 100; ++round) {
    bool quiet = true;
    for (const auto& process : processes) {
      ASSERT_TRUE(process->comes_back());
      const bool tended = process->keeper.tend().has_value();
      quiet = quiet && tended && process->ranking->state() == ranking::State::ready &&
              process->projection.unsettled() == 0 && !process->projection.is_behind();
    }
    const auto lost = world.database->read([&](sql::Tx& tx) { return lost_writers(tx, world.clock.now()); });
    ASSERT_TRUE(lost);
    if (quiet && lost->empty()) return;
  }
  ADD_FAILURE() << "the ranking does not come to rest";
}

void expect_equal(World& world, Process& process) {
  const auto findings = ranking_equals_scores(*world.database, *process.ranking, process.projection, false);
  ASSERT_TRUE(findings) << findings.error().text();
  EXPECT_TRUE(findings->empty()) << findings->size() << " findings, the first: " << findings->front();
  const auto boards = world.database->read([](sql::Tx& tx) -> Result<std::int64_t> {
    EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT COUNT(DISTINCT board) FROM scores"));
    return rows.front().integer(0);
  });
  EXPECT_EQ(static_cast<std::int64_t>(process.ranking->boards("")->size()), *boards);
  for (const services::AuditCheck& check : audits(*world.database)) {
    EXPECT_TRUE(check.run(false)->empty()) << check.name;
  }
}

TEST(SharedRanking, EqualsTheLedgerAfterAnyFaults) {
  World world;
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 2; ++i) processes.push_back(std::make_unique<Process>(world));
  std::vector<UserId> people;
  for (int i = 0; i < 8; ++i) people.push_back(world.ids.make<UserId>());
  std::vector<CountedWorkout> told;
  for (int step = 0; step < 250; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    world.clock.advance(100ms);
    const std::size_t chosen = world.random.below(people.size());
    // One person's events stay with one process, as partitions have it.
    Process& process = *processes[chosen % 2];
    const std::uint64_t what = world.random.below(100);
    if (what < 3) {
      OwnClient other(world.server.address());
      ASSERT_TRUE(other->run(Command{"FLUSHALL"}));
    } else if (what < 5) {
      world.server.kill();
      process.deliver(draw_workout(world, people[chosen]));
      world.server.start();
      for (const auto& each : processes) ASSERT_TRUE(each->comes_back());
    } else if (what < 8) {
      process.deliver(draw_workout(world, people[chosen]), false);
      processes[chosen % 2].reset();
      processes[chosen % 2] = std::make_unique<Process>(world);
    } else if (what < 10) {
      process.erase(people[chosen]);
      std::erase_if(told, [&](const CountedWorkout& each) { return each.user_id == people[chosen]; });
      people[chosen] = world.ids.make<UserId>();
    } else if (what < 25) {
      static_cast<void>(process.keeper.tend());
    } else if (what < 40 && !told.empty()) {
      CountedWorkout edited = told[world.random.below(told.size())];
      edited.counts = world.random.below(2) == 0;
      const auto owner = std::ranges::find(people, edited.user_id) - people.begin();
      processes[static_cast<std::size_t>(owner) % 2]->deliver(edited);
    } else {
      told.push_back(draw_workout(world, people[chosen]));
      process.deliver(told.back());
    }
  }
  settle(world, processes);
  for (const auto& process : processes) expect_equal(world, *process);
}

TEST(SharedRanking, AnOrderlyEndAsksForNoRebuildAndACrashDoes) {
  World world;
  std::vector<std::unique_ptr<Process>> processes;
  processes.push_back(std::make_unique<Process>(world));
  EXPECT_EQ(world.lines.count("\"ranking_rebuilt\""), 1U);
  const UserId person = world.ids.make<UserId>();
  {
    Process orderly(world);
    orderly.deliver(draw_workout(world, person));
  }
  settle(world, processes);
  EXPECT_EQ(world.lines.count("\"ranking_rebuilt\""), 1U);
  {
    Process crashed(world);
    crashed.deliver(draw_workout(world, person), false);
  }
  settle(world, processes);
  EXPECT_EQ(world.lines.count("\"ranking_rebuilt\""), 2U);
  expect_equal(world, *processes.front());
}

TEST(SharedRanking, ChangesWaitWhileRedisIsAwayAndNotForEver) {
  World world;
  Process process(world);
  const UserId person = world.ids.make<UserId>();
  world.server.kill();
  process.deliver(draw_workout(world, person));
  process.deliver(draw_workout(world, person));
  EXPECT_EQ(process.projection.unsettled(), 2U);
  world.clock.advance(6min);
  EXPECT_FALSE(process.keeper.tend());
  EXPECT_EQ(process.projection.unsettled(), 0U);
  EXPECT_TRUE(process.projection.is_behind());
  world.server.start();
  ASSERT_TRUE(process.comes_back());
  ASSERT_TRUE(process.keeper.tend());
  EXPECT_FALSE(process.projection.is_behind());
  expect_equal(world, process);
}

TEST(SharedRanking, ACommitWhoseAnswerWasLostIsFoundInTheInbox) {
  World world;
  Process process(world);
  const UserId person = world.ids.make<UserId>();
  process.deliver(draw_workout(world, person), false);
  process.projection.note(world.ids.make<EventId>(), {});  // this one was rolled back
  world.clock.advance(2min);
  ASSERT_TRUE(process.projection.tend());
  EXPECT_EQ(process.projection.unsettled(), 1U);
  expect_equal(world, process);
  world.clock.advance(20min);
  ASSERT_TRUE(process.projection.tend());
  EXPECT_EQ(process.projection.unsettled(), 0U);
}

}  // namespace
}  // namespace ekiden::gamification
