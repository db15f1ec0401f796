// What only this adapter meets: connections that are cut at a commit, servers that end, races, slow
// statements, a pool without a free lane. Method: a gate between client and server that cuts where it is told
// to, and a server of the test's own.
#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "ports/sql/contract/sql_harness.hpp"
#include "ports/sql/postgres/testing/own_server.hpp"
#include "ports/sql/postgres/testing/postgres_place.hpp"
#include "ports/sql/postgres/testing/tcp_gate.hpp"

namespace ekiden::sql {
namespace {

using namespace std::chrono_literals;
using contract::Countdown;
using contract::fails;
using contract::Gate;
using contract::number;
using contract::ok;
using contract::read;
using contract::write;
using testing::Cut;
using testing::OwnServer;
using testing::PostgresPlace;
using testing::TcpGate;

constexpr std::string_view kInsert = "INSERT INTO items (id, amount) VALUES ($1, $2)";
/// As the statement is bound, not as it is prepared.
const std::string kCommitBytes("\0ekiden_commit\0", 15);

int port_of(const std::string& url) {
  return std::stoi(url.substr(url.find(':', url.find('@')) + 1));
}

/// The tests' server directly, with the table `items (id, amount)`, and the same place through a gate.
class PostgresCut : public ::testing::Test {
 protected:
  void SetUp() override {
    direct_ = place_.open({.clock = &clock_});
    ASSERT_TRUE(ok(write(*direct_, "CREATE TABLE items (id BIGINT NOT NULL, amount BIGINT NOT NULL)")));
    through_ = open_through();
  }
  std::unique_ptr<Database> open_through() {
    PostgresConfig config{
        .url = OwnServer::url_at(gate_.port()), .schema = place_.schema(), .connections = 1};
    config.connect_patience = 300ms;
    config.outcome_patience = patience_;
    auto made = make_postgres(std::move(config), clock_, random_, Logger(lines_, clock_));
    EXPECT_TRUE(ok(made));
    return std::move(*made);
  }
  /// Inserts one row through the gate.
  Result<void> insert() {
    runs_ = 0;
    told_ = 0;
    return through_->write([this](Tx& tx) -> Result<void> {
      ++runs_;
      tx.after_commit([this] { ++told_; });
      EKIDEN_CHECK(tx.execute(kInsert, {1, 1}));
      return {};
    });
  }
  std::int64_t rows() { return number(*direct_, "SELECT count(*) FROM items"); }

  const SystemClock clock_;
  SystemRandom random_;
  ekiden::testing::KeptLines lines_;
  std::chrono::milliseconds patience_{10'000};
  PostgresPlace place_;
  TcpGate gate_{port_of(testing::postgres_url()), kCommitBytes};
  std::unique_ptr<Database> direct_;
  std::unique_ptr<Database> through_;
  int runs_ = 0;
  int told_ = 0;
};

TEST_F(PostgresCut, ACommitWhoseAnswerIsLostIsFoundToBeKept) {
  gate_.cut_next(Cut::after);
  EXPECT_TRUE(ok(insert()));
  EXPECT_EQ(gate_.cuts(), 1);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(lines_.count("sql_lost_commit_found"), 1U);
  EXPECT_TRUE(ok(insert()));
  EXPECT_EQ(rows(), 2);
}

TEST_F(PostgresCut, ACommitThatDoesNotArriveRunsAgain) {
  gate_.cut_next(Cut::before);
  EXPECT_TRUE(ok(insert()));
  EXPECT_EQ(gate_.cuts(), 1);
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(through_->figures().retried, 1U);
}

TEST_F(PostgresCut, ATransactionThatTheServerStillHoldsIsEndedAndRunsAgain) {
  gate_.cut_next(Cut::keep_server);
  EXPECT_TRUE(ok(insert()));
  EXPECT_EQ(gate_.cuts(), 1);
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(rows(), 1);
}

TEST_F(PostgresCut, AnOutcomeThatNobodyTellsIsUnavailable) {
  patience_ = 200ms;
  through_.reset();
  through_ = open_through();
  gate_.refuse(true);
  gate_.cut_next(Cut::after);
  EXPECT_TRUE(fails(insert(), Errc::unavailable, "outcome-unknown"));
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(rows(), 1);
  EXPECT_TRUE(fails(insert(), Errc::unavailable, "database-unreachable"));
  gate_.refuse(false);
  while (!insert()) continue;
  EXPECT_EQ(rows(), 2);
}

TEST_F(PostgresCut, AServerThatFallsSilentIsLeftAtTheDeadline) {
  ASSERT_TRUE(ok(insert()));
  gate_.hold(true);
  const Deadline soon = Deadline::after(clock_, 50ms);
  const Result<void> silent = through_->read(
      [](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.query("SELECT count(*) FROM items"));
        return {};
      },
      soon);
  EXPECT_TRUE(fails(silent, Errc::timeout));
  gate_.hold(false);
  EXPECT_EQ(number(*through_, "SELECT count(*) FROM items"), 1);
}

TEST_F(PostgresCut, AConnectionThatBreaksBeforeTheCommitRunsTheBodyAgain) {
  int runs = 0;
  const Result<void> outcome = through_->write([&](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kInsert, {1, 1}));
    EKIDEN_TRY(const Rows backend, tx.query("SELECT pg_backend_pid()"));
    if (++runs == 1) {
      EXPECT_TRUE(
          ok(read(*direct_, "SELECT pg_terminate_backend(CAST($1 AS INTEGER))", {backend.at(0).integer(0)})));
    }
    EKIDEN_CHECK(tx.execute(kInsert, {2, 1}));
    return {};
  });
  EXPECT_TRUE(ok(outcome));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(rows(), 2);
}

class PostgresRace : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ok(write(*one_, "CREATE TABLE items (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL)")));
    ASSERT_TRUE(ok(write(*one_, kInsert, {1, 0})));
    ASSERT_TRUE(ok(write(*one_, kInsert, {2, 0})));
  }
  std::unique_ptr<Database> open() { return place_.open({.clock = &clock_}); }
  static Result<void> bump(Tx& tx, int id) {
    EKIDEN_CHECK(tx.execute("UPDATE items SET amount = amount + 1 WHERE id = $1", {id}));
    return {};
  }

  const SystemClock clock_;
  PostgresPlace place_{[](PostgresConfig& config) {
    config.connections = 2;
    config.race_attempts_max = 3;
  }};
  std::unique_ptr<Database> one_ = open();
  std::unique_ptr<Database> two_ = open();
};

TEST_F(PostgresRace, DeadlockedTransactionsBothSucceed) {
  Countdown both_hold_one(2);
  contract::on_threads(2, [&](int i) {
    bool is_first = true;
    const Result<void> outcome = one_->write([&, i](Tx& tx) -> Result<void> {
      EKIDEN_CHECK(tx.query("SELECT set_config('deadlock_timeout', '20ms', TRUE)"));
      EKIDEN_CHECK(bump(tx, 1 + i));
      if (std::exchange(is_first, false)) {
        both_hold_one.tell();
        both_hold_one.wait();
      }
      return bump(tx, 2 - i);
    });
    EXPECT_TRUE(ok(outcome));
  });
  EXPECT_EQ(number(*one_, "SELECT CAST(sum(amount) AS BIGINT) FROM items"), 4);
  EXPECT_GE(one_->figures().retried, 1U);
}

TEST_F(PostgresRace, WhoLosesEveryTimeIsToldToComeBack) {
  int runs = 0;
  const Result<void> outcome = one_->write([&](Tx& tx) -> Result<void> {
    ++runs;
    EKIDEN_CHECK(tx.query("SELECT amount FROM items WHERE id = 1"));
    EXPECT_TRUE(ok(two_->write([](Tx& other) { return bump(other, 1); })));
    return bump(tx, 1);
  });
  EXPECT_TRUE(fails(outcome, Errc::busy, "race-lost"));
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(one_->figures().retried, 2U);
  EXPECT_EQ(number(*one_, "SELECT amount FROM items WHERE id = 1"), 3);
}

TEST_F(PostgresRace, ALockThatAnotherHoldsForTooLongIsBusy) {
  PostgresPlace hasty([this](PostgresConfig& config) {
    config.schema = place_.schema();
    config.lock_timeout = 30ms;
  });
  const std::unique_ptr<Database> database = hasty.open({.clock = &clock_});
  const Result<void> outcome = one_->write([&](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(bump(tx, 1));
    EXPECT_TRUE(fails(database->write([](Tx& other) { return bump(other, 1); }), Errc::busy));
    return {};
  });
  EXPECT_TRUE(ok(outcome));
  EXPECT_EQ(number(*one_, "SELECT amount FROM items WHERE id = 1"), 1);
}

TEST_F(PostgresRace, WhoWaitsInVainForALaneIsToldAtTheDeadline) {
  Gate gate;
  Countdown ended(2);
  Countdown running(2);
  for (int i = 0; i < 2; ++i) {
    one_->submit(
        {.access = Access::read},
        [&](Tx&) -> Result<void> {
          running.tell();
          gate.pass();
          return {};
        },
        [&](const Result<void>& outcome) {
          EXPECT_TRUE(ok(outcome));
          ended.tell();
        });
  }
  running.wait();
  bool ran = false;
  const Result<void> late =
      one_->transact({.deadline = Deadline::after(clock_, 30ms)}, [&](Tx&) -> Result<void> {
        ran = true;
        return {};
      });
  EXPECT_TRUE(fails(late, Errc::timeout));
  EXPECT_EQ(one_->figures().lanes_busy, 2U);
  gate.open();
  ended.wait();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(ok(one_->write([](Tx& tx) { return bump(tx, 1); })));
}

TEST_F(PostgresRace, ASlowStatementEndsAtTheServerAndTheConnectionStays) {
  PostgresPlace single([](PostgresConfig& config) { config.connections = 1; });
  const std::unique_ptr<Database> database = single.open({.clock = &clock_});
  const std::int64_t backend = number(*database, "SELECT pg_backend_pid()");
  const Result<void> slow = database->read(
      [](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.query("SELECT 1 FROM pg_sleep(600)"));
        return {};
      },
      Deadline::after(clock_, 30ms));
  EXPECT_TRUE(fails(slow, Errc::timeout, "deadline"));
  EXPECT_EQ(number(*database, "SELECT pg_backend_pid()"), backend);
}

TEST_F(PostgresRace, PreparedStatementsAreBounded) {
  PostgresPlace single([](PostgresConfig& config) { config.connections = 1; });
  const std::unique_ptr<Database> database = single.open({.clock = &clock_});
  for (int i = 0; i < 600; ++i) EXPECT_EQ(number(*database, "SELECT " + std::to_string(i)), i);
  EXPECT_LE(number(*database, "SELECT count(*) FROM pg_prepared_statements"), 256 + 8);
}

TEST_F(PostgresRace, AColumnOfAnotherTypeIsRefusedAndNotGuessed) {
  EXPECT_TRUE(fails(read(*one_, "SELECT sum(amount) FROM items"), Errc::internal));
  EXPECT_EQ(number(*one_, "SELECT CAST(sum(amount) AS BIGINT) FROM items"), 0);
}

TEST(PostgresConfiguration, IsCheckedBeforeAnythingIsOpened) {
  const SystemClock clock;
  SystemRandom random;
  ekiden::testing::KeptLines lines;
  const auto field_of = [&](PostgresConfig config) {
    const auto made = make_postgres(std::move(config), clock, random, Logger(lines, clock));
    return made ? std::string("none") : made.error().field();
  };
  EXPECT_EQ(field_of({.schema = "a"}), "url");
  for (const char* schema : {"", "A", "1a", "a-b", "a b", "pg_a", "a\"b"})
    EXPECT_EQ(field_of({.url = "postgresql://x", .schema = schema}), "schema") << schema;
  EXPECT_EQ(field_of({.url = "postgresql://x", .schema = "a", .connections = 0}), "connections");
  const std::string nobody = OwnServer::url_at(ekiden::testing::free_port());
  const auto made = make_postgres({.url = nobody, .schema = "a"}, clock, random, Logger(lines, clock));
  EXPECT_TRUE(fails(made, Errc::unavailable, "database-unreachable"));
}

/// Writers that count what was acknowledged to them, on a server that is ended under them.
class Load {
 public:
  explicit Load(Database& database) : database_(database) {}

  void run(int writer) {
    for (std::int64_t i = 0; !is_over_; ++i) {
      const std::int64_t id = writer * 1'000'000 + i;
      const Result<void> kept = database_.write([id](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.execute(kInsert, {id, 1}));
        return {};
      });
      const MutexLock lock(mutex_);
      if (kept) acknowledged_.push_back(id);
      if (!kept) EXPECT_EQ(kept.error().code(), Errc::unavailable) << kept.error().slug();
      if (!kept) ++failed_;
      more_.notify_all();
    }
  }
  void wait_for_more(std::size_t more) {
    const MutexLock lock(mutex_);
    const std::size_t wanted = acknowledged_.size() + more;
    while (acknowledged_.size() < wanted) more_.wait(mutex_);
  }
  void end() { is_over_ = true; }
  std::vector<std::int64_t> acknowledged() const {
    const MutexLock lock(mutex_);
    return acknowledged_;
  }

 private:
  Database& database_;
  mutable Mutex mutex_;
  CondVar more_;
  std::vector<std::int64_t> acknowledged_ EKIDEN_GUARDED_BY(mutex_);
  int failed_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> is_over_{false};
};

TEST(PostgresServer, StoppedAndKilledUnderLoadKeepsWhatWasAcknowledgedOnce) {
  OwnServer server;
  const SystemClock clock;
  SystemRandom random;
  ekiden::testing::KeptLines lines;
  auto database =
      *make_postgres({.url = server.url(), .schema = "load"}, clock, random, Logger(lines, clock));
  // No key: a row that were written twice would be there twice.
  ASSERT_TRUE(ok(write(*database, "CREATE TABLE items (id BIGINT NOT NULL, amount BIGINT NOT NULL)")));
  Load load(*database);
  std::thread admin([&] {
    for (int i = 0; i < 4; ++i) {
      load.wait_for_more(200);
      if (i % 2 == 0) {
        server.kill();
      } else {
        server.stop();
      }
      server.start();
    }
    load.wait_for_more(200);
    load.end();
  });
  contract::on_threads(6, [&](int i) { load.run(i); });
  admin.join();
  EXPECT_EQ(
      number(*database, "SELECT count(*) FROM (SELECT id FROM items GROUP BY id HAVING count(*) > 1) twice"),
      0);
  for (const std::int64_t id : load.acknowledged())
    ASSERT_EQ(number(*database, "SELECT count(*) FROM items WHERE id = $1", {id}), 1) << id;
}

TEST(PostgresServer, ThatIsDownIsSaidSoAndIsUsedAgainWhenItIsBack) {
  OwnServer server;
  const SystemClock clock;
  SystemRandom random;
  ekiden::testing::KeptLines lines;
  PostgresConfig config{.url = server.url(), .schema = "down", .connections = 2};
  config.connect_patience = 100ms;
  auto database = *make_postgres(std::move(config), clock, random, Logger(lines, clock));
  ASSERT_TRUE(ok(write(*database, "CREATE TABLE items (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL)")));
  server.stop();
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(fails(write(*database, kInsert, {i, 1}), Errc::unavailable, "database-unreachable"));
  server.start();
  Result<std::int64_t> again = write(*database, kInsert, {9, 1});
  while (!again) again = write(*database, kInsert, {9, 1});
  EXPECT_EQ(number(*database, "SELECT count(*) FROM items"), 1);
}

}  // namespace
}  // namespace ekiden::sql
