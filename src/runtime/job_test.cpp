#include <latch>
#include <set>

#include <gtest/gtest.h>

#include "base/testing/folder.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/sql/sqlite/sqlite.hpp"
#include "runtime/job_runner.hpp"
#include "runtime/job_store.hpp"
#include "runtime/sql_task.hpp"
#include "runtime/testing/fixture.hpp"

namespace ekiden::runtime {
namespace {

using namespace std::chrono_literals;
using job_store::End;

struct JobTest : ::testing::Test {
  void SetUp() override {
    open();
    ASSERT_TRUE(sql::migrate(*database, {kJobsMigration, kJobsOwnerMigration}));
    ASSERT_TRUE(database->write(
        [](sql::Tx& tx) { return tx.execute("CREATE TABLE effects (name TEXT PRIMARY KEY)"); }));
  }
  void open() {
    database.reset();
    auto opened =
        sql::make_sqlite({.file = folder / "jobs.db", .durable = false}, around.clock, around.logger);
    ASSERT_TRUE(opened) << opened.error().text();
    database = *std::move(opened);
  }

  bool add(NewJob job) {
    return database->write([&](sql::Tx& tx) { return queue.enqueue(tx, job); }).value();
  }
  job_store::Claim claim(std::int64_t limit = 10, int attempts_max = 3) {
    return database
        ->write([&](sql::Tx& tx) {
          return job_store::claim(tx, {{"work", attempts_max}}, clock.now(), {process, clock.now() + 60s},
                                  limit);
        })
        .value();
  }
  Result<void> complete(const Job& job, const std::string& effect) {
    return database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(tx.execute("INSERT INTO effects (name) VALUES ($1)", {effect}));
      return queue.complete(tx, job);
    });
  }
  void settle(const End& end) {
    ASSERT_TRUE(database->write([&](sql::Tx& tx) { return job_store::settle(tx, {end}, clock.now()); }));
  }
  JobStatus status(const std::string& key) {
    return database->read([&](sql::Tx& tx) { return queue.find(tx, "work", key); }).value().value();
  }
  std::int64_t effects() {
    return database->read([](sql::Tx& tx) { return tx.query("SELECT COUNT(*) FROM effects"); })
        .value()[0]
        .integer(0);
  }

  testing::Surroundings around;
  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{5};
  Ids ids{clock, random};
  JobQueue queue{clock, ids};
  const std::string process = "first";
  ekiden::testing::Folder folder;
  std::unique_ptr<sql::Database> database;
};

TEST_F(JobTest, AKeyMakesOneJobAndCanBeRunAgainAfterItsEnd) {
  EXPECT_TRUE(add({.kind = "work", .key = "a", .payload = "1"}));
  EXPECT_FALSE(add({.kind = "work", .key = "a", .payload = "2", .again_after = true}));
  EXPECT_TRUE(add({.kind = "work"}));
  EXPECT_TRUE(add({.kind = "work"}));
  EXPECT_TRUE(add({.kind = "other", .key = "a"}));
  const auto taken = claim();
  ASSERT_EQ(taken.jobs.size(), 3U);
  EXPECT_EQ(taken.jobs[0].payload, "1");
  ASSERT_TRUE(complete(taken.jobs[0], "first"));
  EXPECT_FALSE(add({.kind = "work", .key = "a"}));
  EXPECT_TRUE(add({.kind = "work", .key = "a", .payload = "3", .again_after = true}));
  EXPECT_EQ(claim().jobs.at(0).payload, "3");
}

TEST_F(JobTest, AJobWaitsForItsTimeAndTheNextIsKnown) {
  EXPECT_TRUE(add({.kind = "work", .key = "a", .run_at = clock.now() + 5s}));
  const auto early = claim();
  EXPECT_TRUE(early.jobs.empty());
  EXPECT_EQ(early.next, clock.now() + 5s);
  clock.advance(5s);
  EXPECT_EQ(claim().jobs.size(), 1U);
}

TEST_F(JobTest, EffectAndEndAreOneStepAndAnOlderHolderIsFencedOff) {
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  const Job slow = claim().jobs.at(0);
  EXPECT_TRUE(claim().jobs.empty());
  clock.advance(60s);  // Its lease has run out.
  const Job second = claim().jobs.at(0);
  EXPECT_EQ(second.attempt, 2);
  EXPECT_GT(second.epoch, slow.epoch);
  const auto late = complete(slow, "twice?");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().slug(), kJobTakenOver);
  EXPECT_EQ(effects(), 0);
  ASSERT_TRUE(complete(second, "once"));
  EXPECT_EQ(effects(), 1);
  EXPECT_EQ(complete(second, "again").error().slug(), kJobTakenOver);
  settle({.job = slow, .kind = End::Kind::dead, .error = "late"});
  EXPECT_EQ(status("a").state, "done");
}

TEST_F(JobTest, AJobThatKillsItsProcessIsGivenUp) {
  EXPECT_TRUE(add({.kind = "work", .key = "poison"}));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(claim().jobs.at(0).attempt, attempt);
    open();  // The process died and came back.
    const auto back =
        database->write([&](sql::Tx& tx) { return job_store::reclaim(tx, process, clock.now()); });
    EXPECT_EQ(back.value(), 1);
  }
  const auto last = claim();
  EXPECT_TRUE(last.jobs.empty());
  EXPECT_EQ(last.given_up.size(), 1U);
  EXPECT_EQ(status("poison").state, "dead");
  const auto dead = database->read([&](sql::Tx& tx) { return queue.dead(tx, 10); }).value();
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_TRUE(database->write([&](sql::Tx& tx) { return queue.revive(tx, dead[0].id); }).value());
  EXPECT_EQ(claim().jobs.at(0).attempt, 1);
}

TEST_F(JobTest, RetriesWaitReleasesDoNotCountAndStepsStartAnew) {
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  settle({.job = claim().jobs.at(0), .kind = End::Kind::release, .due_at = clock.now()});
  EXPECT_EQ(status("a").attempts, 0);
  settle({.job = claim().jobs.at(0),
          .kind = End::Kind::retry,
          .due_at = clock.now() + 1s,
          .error = "no answer"});
  EXPECT_EQ(status("a").error, "no answer");
  EXPECT_TRUE(claim().jobs.empty());
  clock.advance(1s);
  const Job job = claim().jobs.at(0);
  EXPECT_EQ(job.attempt, 2);
  ASSERT_TRUE(database->write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_CHECK(queue.set_progress(tx, job, 0.5));
    return queue.continue_later(tx, job, "page 2", clock.now());
  }));
  EXPECT_EQ(status("a").progress, 0.5);
  const Job next = claim().jobs.at(0);
  EXPECT_EQ(next.payload, "page 2");
  EXPECT_EQ(next.attempt, 1);
}

TEST_F(JobTest, RenewedLeasesHoldAndOldOnesArePurged) {
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  const Job job = claim().jobs.at(0);
  clock.advance(50s);
  ASSERT_TRUE(database->write([&](sql::Tx& tx) { return job_store::renew(tx, {job}, clock.now() + 60s); }));
  clock.advance(50s);
  EXPECT_TRUE(claim().jobs.empty());
  ASSERT_TRUE(complete(job, "done"));
  const auto purge = [&] {
    return database->write([&](sql::Tx& tx) { return job_store::purge(tx, clock.now()); });
  };
  EXPECT_EQ(purge().value(), 0);
  clock.advance(1s);
  EXPECT_EQ(purge().value(), 1);
}

TEST_F(JobTest, ANewJobGoesStraightToAFreePlace) {
  const auto& bell = queue.bell();
  const auto wake = [&] { return bell->wait_until(Instant{}); };
  EXPECT_TRUE(add({.kind = "work", .key = "before"}));
  EXPECT_TRUE(wake().is_table_news);
  bell->offer({.places = 1, .kinds = {"work"}, .lease = 60s});
  EXPECT_TRUE(add({.kind = "other", .key = "a"}));
  EXPECT_TRUE(add({.kind = "work", .key = "later", .run_at = clock.now() + 1s}));
  EXPECT_FALSE(add({.kind = "work", .key = "before"}));
  EXPECT_TRUE(wake().handed.empty());
  bell->offer({.places = 1, .kinds = {"work"}, .lease = 60s});
  EXPECT_TRUE(add({.kind = "work", .key = "a", .payload = "1"}));
  EXPECT_EQ(status("a").state, "running");
  EXPECT_EQ(status("a").due_at, clock.now() + 60s);
  EXPECT_TRUE(add({.kind = "work", .key = "b"}));
  EXPECT_EQ(status("b").state, "queued");
  EXPECT_EQ(bell->withdraw(), 1U);
  const auto waking = wake();
  ASSERT_EQ(waking.handed.size(), 1U);
  const Job& job = waking.handed[0];
  EXPECT_EQ(job.payload, "1");
  EXPECT_EQ(job.attempt, 1);
  EXPECT_EQ(bell->withdraw(), 0U);
  ASSERT_TRUE(complete(job, "a"));
  EXPECT_EQ(status("a").state, "done");
}

TEST_F(JobTest, APlaceGoesBackWhereTheTransactionDoes) {
  const auto& bell = queue.bell();
  bell->offer({.places = 1, .kinds = {"work"}, .lease = 60s});
  const auto undone = database->write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const bool fresh, queue.enqueue(tx, {.kind = "work", .key = "a"}));
    EXPECT_TRUE(fresh);
    EXPECT_EQ(bell->withdraw(), 1U);
    return Error{Errc::invalid, "changed-my-mind", ""};
  });
  EXPECT_FALSE(undone);
  EXPECT_EQ(bell->withdraw(), 0U);
  EXPECT_TRUE(bell->wait_until(Instant{}).handed.empty());
}

/// A process that dies with a job that was handed over leaves it to its lease, and to the next start.
TEST_F(JobTest, AHandedJobOfADeadProcessRunsAgain) {
  queue.bell()->offer({.places = 1, .kinds = {"work"}, .lease = 60s});
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  EXPECT_TRUE(claim().jobs.empty());
  clock.advance(60s);
  EXPECT_EQ(claim().jobs.at(0).attempt, 2);
}

TEST_F(JobTest, AProcessTakesBackItsOwnJobsAndNobodyElses) {
  EXPECT_TRUE(add({.kind = "work", .key = "claimed"}));
  EXPECT_EQ(claim().jobs.size(), 1U);
  queue.bell()->offer({.places = 1, .kinds = {"work"}, .lease = 60s, .owner = process});
  EXPECT_TRUE(add({.kind = "work", .key = "handed over"}));
  const auto reclaim = [&](const std::string& who) {
    return database->write([&](sql::Tx& tx) { return job_store::reclaim(tx, who, clock.now()); }).value();
  };
  EXPECT_EQ(reclaim("second"), 0);
  EXPECT_TRUE(claim().jobs.empty());
  EXPECT_EQ(reclaim(process), 2);
  EXPECT_EQ(claim().jobs.size(), 2U);
}

TEST(JobPolicy, BacksOffWithinItsBoundsAndGivesUp) {
  const Timestamp now = from_micros(0);
  const JobPolicy policy{.attempts_max = 5, .first_delay = 100ms, .delay_max = 300ms};
  const Error passing(Errc::unavailable, "x", "");
  const auto wait = [&](int attempt, std::uint64_t jitter) {
    return after_failure(passing, attempt, policy, now, jitter).due_at - now;
  };
  EXPECT_EQ(wait(1, 0), 50ms);
  EXPECT_LT(wait(1, 1023), 100ms);
  EXPECT_EQ(wait(2, 0), 100ms);
  EXPECT_EQ(wait(3, 0), 150ms);
  EXPECT_EQ(wait(4, 0), 150ms);
  EXPECT_EQ(after_failure(passing, 5, policy, now, 0).next, JobNext::dead);
  EXPECT_EQ(after_failure({Errc::invalid, "x", ""}, 1, policy, now, 0).next, JobNext::dead);
  EXPECT_EQ(after_failure({Errc::internal, "x", ""}, 1, policy, now, 0).next, JobNext::retry);
  EXPECT_EQ(after_failure({Errc::conflict, std::string(kJobTakenOver), ""}, 1, policy, now, 0).next,
            JobNext::drop);
  EXPECT_EQ(rest(now, now + 20ms, now + 10ms, 1s), 10ms);
  EXPECT_EQ(rest(now, now - 20ms, std::nullopt, 1s), 0ms);
  EXPECT_EQ(rest(now, std::nullopt, std::nullopt, 1s), 1s);
}

struct JobRunnerTest : JobTest {
  JobRunnerOptions options() const { return {.service = "test", .concurrent_max = 4, .poll = 20ms}; }
  void wait_until_done(int jobs) {
    while (finished < jobs) std::this_thread::yield();
  }
  std::atomic<int> finished = 0;
  CpuPool pool{{"test", "cpu"}, {.threads = 2, .queue_max = 2}, around.logger, around.figures};
  CoroutineExecutor loops{
      {"test", "io"}, {.threads = 1, .inflight_max = 3}, around.clock, around.logger, around.figures};
  SystemClock system;
};

TEST_F(JobRunnerTest, DoesEachJobOnceThroughPoolsThatAreTooSmall) {
  const JobQueue real(system, ids);
  BlockingJobHandler handler = [&](const Job& job) -> Result<void> {
    const auto written = database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(tx.execute("INSERT INTO effects (name) VALUES ($1)", {job.key}));
      return real.complete(tx, job);
    });
    ++finished;
    return written;
  };
  JobRunner runner(options(), real, *database, {.pool = &pool}, {{"work", handler}}, system, random,
                   around.logger, around.figures);
  runner.start();
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(database->write(
        [&](sql::Tx& tx) { return real.enqueue(tx, {.kind = "work", .key = std::to_string(i)}); }));
  }
  wait_until_done(kJobs);
  runner.stop();
  EXPECT_EQ(effects(), kJobs);
  EXPECT_EQ(finished, kJobs);
  EXPECT_EQ(runner.figures().completed, kJobs);
  EXPECT_EQ(runner.figures().running, 0);
}

Task<Result<void>> add_effect(sql::Database* database, std::atomic<int>* finished, Job job) {
  auto body = [key = job.key + "/" + std::to_string(job.attempt)](sql::Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute("INSERT INTO effects (name) VALUES ($1)", {key}));
    return {};
  };
  EKIDEN_CO_CHECK(co_await write(*database, body));
  ++*finished;
  if (job.attempt == 1) throw std::runtime_error("first attempts break");
  co_return Result<void>{};
}

TEST_F(JobRunnerTest, RetriesCoroutinesThatThrowAndWritesTheirEnd) {
  const JobQueue real(system, ids);
  CoroutineJobHandler handler = [this](Job job) {
    return add_effect(database.get(), &finished, std::move(job));
  };
  const JobPolicy quick{.attempts_max = 3, .first_delay = 1ms, .delay_max = 2ms};
  JobRunner runner(options(), real, *database, {.loops = &loops}, {{"work", handler, quick}}, system, random,
                   around.logger, around.figures);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(database->write(
        [&](sql::Tx& tx) { return real.enqueue(tx, {.kind = "work", .key = std::to_string(i)}); }));
  }
  runner.start();
  wait_until_done(12);
  runner.stop();
  EXPECT_EQ(effects(), 12);
  EXPECT_EQ(runner.figures().retried, 6);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status(std::to_string(i)).state, "done");
}

TEST_F(JobRunnerTest, TakesBackWhatAPreviousRunHeld) {
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  ASSERT_EQ(claim().jobs.size(), 1U);
  clock.set_wall(system.now());
  BlockingJobHandler handler = [&](const Job& job) -> Result<void> {
    EXPECT_EQ(job.attempt, 2);
    ++finished;
    return {};
  };
  JobRunner runner(options(), queue, *database, {.pool = &pool}, {{"work", handler}}, clock, random,
                   around.logger, around.figures);
  runner.start();
  wait_until_done(1);
  runner.stop();
  EXPECT_EQ(status("a").state, "done");
}

TEST_F(JobRunnerTest, TellsRunningJobsToStopAndGivesUnbegunOnesBack) {
  std::latch began(2);
  BlockingJobHandler handler = [&](const Job& job) -> Result<void> {
    began.count_down();
    while (!job.stop_requested()) std::this_thread::yield();
    return database->write([&](sql::Tx& tx) { return queue.continue_later(tx, job, "rest", clock.now()); });
  };
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(add({.kind = "work", .key = std::to_string(i)}));
  JobRunner runner(options(), queue, *database, {.pool = &pool}, {{"work", handler}}, clock, random,
                   around.logger, around.figures);
  runner.start();
  began.wait();
  runner.stop();
  int continued = 0;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(status(std::to_string(i)).state, "queued");
    EXPECT_EQ(status(std::to_string(i)).attempts, 0);
  }
  for (const Job& job : claim().jobs) continued += job.payload == "rest" ? 1 : 0;
  EXPECT_EQ(continued, 2);
}

TEST_F(JobRunnerTest, GivesUpWhatCannotPassAndKeepsTheError) {
  EXPECT_TRUE(add({.kind = "work", .key = "a"}));
  BlockingJobHandler handler = [&](const Job&) -> Result<void> {
    ++finished;
    return Error{Errc::invalid, "bad", "The payload is damaged."};
  };
  JobRunner runner(options(), queue, *database, {.pool = &pool}, {{"work", handler}}, clock, random,
                   around.logger, around.figures);
  runner.start();
  wait_until_done(1);
  runner.stop();
  EXPECT_EQ(status("a").state, "dead");
  EXPECT_EQ(status("a").error, "The payload is damaged.");
  EXPECT_EQ(runner.figures().given_up, 1);
}

TEST_F(JobRunnerTest, RefusesKindsItCannotRun) {
  const BlockingJobHandler handler = [](const Job&) -> Result<void> { return {}; };
  const auto make = [&](std::vector<JobKind> kinds, JobExecutors executors) {
    JobRunner(options(), queue, *database, executors, std::move(kinds), clock, random, around.logger,
              around.figures);
  };
  EXPECT_THROW(make({{"work", handler}}, {.loops = &loops}), std::logic_error);
  EXPECT_THROW(make({{"work", handler}, {"work", handler}}, {.pool = &pool}), std::logic_error);
}

}  // namespace
}  // namespace ekiden::runtime
