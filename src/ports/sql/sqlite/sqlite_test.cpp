// The contract on SQLite, and what only this adapter promises: shared commits, another process's lock, what a
// body may not do, and how it closes.
#include "ports/sql/sqlite/sqlite.hpp"

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/testing/manual_clock.hpp"
#include "ports/sql/contract/sql_contract.hpp"
#include "ports/sql/sqlite/testing/sqlite_place.hpp"

namespace ekiden::sql::contract {

std::unique_ptr<Place> make_place() {
  return std::make_unique<sql::testing::SqlitePlace>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SqlContract, ::testing::Values(Maker{"file", make_place}), name_of);

}  // namespace ekiden::sql::contract

namespace ekiden::sql {
namespace {

using contract::Countdown;
using contract::fails;
using contract::Gate;
using contract::number;
using contract::ok;
using contract::read;
using contract::write;
using testing::SqlitePlace;

constexpr std::string_view kInsert = "INSERT INTO items (id, bytes) VALUES ($1, $2)";

/// A database with the table `items (id, bytes)`, on a clock that stands still.
class Sqlite : public ::testing::Test {
 protected:
  void start(SqlitePlace::Adjust adjust = {}) {
    place_ = std::make_unique<SqlitePlace>(std::move(adjust));
    database_ = place_->open({.queue_max = 1024, .clock = &clock_});
    ASSERT_TRUE(ok(write(db(), "CREATE TABLE items (id BIGINT PRIMARY KEY, bytes BYTEA)")));
    ASSERT_TRUE(ok(write(db(), "CREATE TABLE log (id BIGINT)")));
  }
  Database& db() { return *database_; }

  /// Holds the writer until `gate` opens, with `sizes.size()` inserts queued behind it: they share its
  /// commit.
  std::vector<Result<void>> insert_together(const std::vector<std::size_t>& sizes) {
    Gate gate;
    Countdown answered(sizes.size() + 1);
    std::vector<Result<void>> outcomes(sizes.size());
    after_commits_.assign(sizes.size(), 0);
    db().submit(
        {},
        [&](Tx&) -> Result<void> {
          gate.pass();
          return {};
        },
        [&](const Result<void>&) { answered.tell(); });
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      db().submit(
          {},
          [this, i, size = sizes[i]](Tx& tx) -> Result<void> {
            tx.after_commit([this, i] { ++after_commits_[i]; });
            EKIDEN_CHECK(tx.execute("INSERT INTO log (id) VALUES ($1)", {i}));
            EKIDEN_CHECK(tx.execute(kInsert, {i, Blob{std::string(size, 'x')}}));
            return {};
          },
          [&, i](Result<void> outcome) {
            outcomes[i] = std::move(outcome);
            answered.tell();
          });
    }
    gate.open();
    answered.wait();
    return outcomes;
  }

  ekiden::testing::ManualClock clock_;
  std::vector<int>
      after_commits_;  ///< how often each of the inserts that went together was told of its commit
  std::unique_ptr<SqlitePlace> place_;
  std::unique_ptr<Database> database_;
};

TEST_F(Sqlite, AReaderThatHasNothingToDoKeepsNoPages) {
  start();
  constexpr std::int64_t kBytes = 8 << 20;
  for (const Result<void>& outcome : insert_together(std::vector<std::size_t>(8, kBytes / 8)))
    ASSERT_TRUE(ok(outcome));
  std::int64_t reading = 0;
  ASSERT_TRUE(ok(db().read([&](Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Rows rows, tx.query("SELECT bytes FROM items"));
    EXPECT_EQ(rows.size(), 8U);
    reading = sqlite3_memory_used();
    return {};
  })));
  // On the test's clock a lane's patience is over at once: it has given them back before one of these.
  std::int64_t idle = reading;
  for (int i = 0; i < 10'000 && idle > reading - kBytes; ++i) {
    ASSERT_TRUE(ok(db().read([&](Tx& tx) -> Result<void> {
      idle = sqlite3_memory_used();
      return tx.query("SELECT 1") ? Result<void>{} : Error{Errc::internal, "one", "one"};
    })));
  }
  EXPECT_LE(idle, reading - kBytes);
}

TEST_F(Sqlite, TransactionsThatWaitShareACommit) {
  start();
  const DatabaseFigures before = db().figures();
  for (const Result<void>& outcome : insert_together(std::vector<std::size_t>(64, 1)))
    EXPECT_TRUE(ok(outcome));
  const DatabaseFigures after = db().figures();
  EXPECT_EQ(after.commits - before.commits, 1U);
  EXPECT_EQ(after.committed - before.committed, 65U);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 64);
}

TEST_F(Sqlite, AGroupHasABound) {
  start([](SqliteConfig& config) { config.group_max = 16; });
  const DatabaseFigures before = db().figures();
  insert_together(std::vector<std::size_t>(64, 1));
  EXPECT_EQ(db().figures().commits - before.commits, 5U);
}

TEST_F(Sqlite, AGroupEndsWhereItHasWrittenMuch) {
  start();
  const DatabaseFigures before = db().figures();
  insert_together(std::vector<std::size_t>(9, std::size_t{2} << 20));
  EXPECT_EQ(db().figures().commits - before.commits, 3U);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 9);
}

TEST_F(Sqlite, OneFailureInAGroupLeavesTheOthersAlone) {
  start();
  ASSERT_TRUE(ok(write(db(), kInsert, {2, nullptr})));
  const DatabaseFigures before = db().figures();
  const std::vector<Result<void>> outcomes = insert_together({1, 1, 1, 1});
  EXPECT_TRUE(ok(outcomes[0]));
  EXPECT_TRUE(ok(outcomes[1]));
  EXPECT_TRUE(fails(outcomes[2], Errc::conflict, "unique"));
  EXPECT_TRUE(ok(outcomes[3]));
  const DatabaseFigures after = db().figures();
  EXPECT_EQ(after.rolled_back - before.rolled_back, 1U);
  EXPECT_EQ(after.commits - before.commits, 1U);
  EXPECT_EQ(after.retried - before.retried, 3U) << "those before it, and who held the writer";
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 4);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM log"), 3);
  EXPECT_EQ(after_commits_, (std::vector<int>{1, 1, 0, 1}));
}

TEST_F(Sqlite, WhatFailsWithoutAChangeDisturbsNobody) {
  start();
  Gate gate;
  Countdown answered(3);
  const DatabaseFigures before = db().figures();
  const auto tell = [&](const Result<void>&) { answered.tell(); };
  const auto insert = [&](Tx& tx) -> Result<void> {
    gate.pass();
    EKIDEN_CHECK(tx.execute(kInsert, {1, nullptr}));
    return {};
  };
  const auto refuse = [](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.query("SELECT bytes FROM items WHERE id = 1"));
    return Error{Errc::conflict, "taken", "somebody else was faster"};
  };
  db().submit({}, insert, tell);
  for (int i = 0; i < 2; ++i) db().submit({}, refuse, tell);
  gate.open();
  answered.wait();
  const DatabaseFigures after = db().figures();
  EXPECT_EQ(after.rolled_back - before.rolled_back, 2U);
  EXPECT_EQ(after.retried, before.retried);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 1);
}

TEST_F(Sqlite, WhatFindsNoRoomFailsAloneAndTheOthersRunAgain) {
  start([](SqliteConfig& config) { config.pages_max = 64; });
  const std::vector<Result<void>> outcomes = insert_together({100, 100, 1 << 20, 100});
  EXPECT_TRUE(ok(outcomes[0]));
  EXPECT_TRUE(ok(outcomes[1]));
  EXPECT_TRUE(fails(outcomes[2], Errc::storage_full));
  EXPECT_TRUE(ok(outcomes[3]));
  EXPECT_EQ(db().figures().retried, 3U);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 3);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM log"), 3);
  EXPECT_EQ(after_commits_, (std::vector<int>{1, 1, 0, 1}));
}

TEST_F(Sqlite, AFullFileRefusesWritesReadsOnAndWorksAgainOnceThereIsRoom) {
  start([](SqliteConfig& config) { config.pages_max = 64; });
  std::int64_t kept = 0;
  Result<std::int64_t> outcome = 0;
  while ((outcome = write(db(), kInsert, {kept, Blob{std::string(8000, 'x')}}))) ++kept;
  EXPECT_TRUE(fails(outcome, Errc::storage_full));
  EXPECT_GT(kept, 0);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), kept);
  EXPECT_TRUE(fails(write(db(), kInsert, {-1, Blob{std::string(80000, 'x')}}), Errc::storage_full));
  ASSERT_TRUE(ok(write(db(), "DELETE FROM items WHERE id < 20")));
  EXPECT_TRUE(ok(write(db(), kInsert, {-1, Blob{std::string(80000, 'x')}})));
  EXPECT_EQ(place_->lines().count("sql_storage_fault"), 0U);
}

/// Another process, as far as SQLite can tell: a connection of its own.
class Stranger {
 public:
  explicit Stranger(const std::filesystem::path& file) { sqlite3_open(file.c_str(), &database_); }
  ~Stranger() { sqlite3_close(database_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  int run(const char* statement) { return sqlite3_exec(database_, statement, nullptr, nullptr, nullptr); }

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(Sqlite, AnotherProcessThatHoldsTheFileMakesWritesBusyAndNotReads) {
  start([](SqliteConfig& config) { config.busy_timeout = std::chrono::milliseconds{0}; });
  Stranger stranger(place_->file());
  ASSERT_EQ(stranger.run("BEGIN IMMEDIATE; INSERT INTO items (id) VALUES (1)"), SQLITE_OK);
  EXPECT_TRUE(fails(write(db(), kInsert, {2, nullptr}), Errc::busy, "database-locked"));
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 0);
  ASSERT_EQ(stranger.run("COMMIT"), SQLITE_OK);
  EXPECT_TRUE(ok(write(db(), kInsert, {2, nullptr})));
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 2);
}

TEST_F(Sqlite, AWriteHoldsTheFileFromItsStart) {
  // Otherwise it could read what another process then changes, and would have to run again.
  start();
  Stranger stranger(place_->file());
  const Result<void> outcome = db().write([&](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.query("SELECT count(*) FROM items"));
    EXPECT_EQ(stranger.run("BEGIN IMMEDIATE"), SQLITE_BUSY);
    return {};
  });
  EXPECT_TRUE(ok(outcome));
  EXPECT_EQ(stranger.run("BEGIN IMMEDIATE; ROLLBACK"), SQLITE_OK);
}

TEST_F(Sqlite, AWriteWaitsForAnotherProcess) {
  start();
  Stranger stranger(place_->file());
  ASSERT_EQ(stranger.run("BEGIN IMMEDIATE; INSERT INTO items (id) VALUES (1)"), SQLITE_OK);
  Countdown answered(1);
  db().submit(
      {},
      [](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.execute(kInsert, {2, nullptr}));
        return {};
      },
      [&](const Result<void>& outcome) {
        EXPECT_TRUE(ok(outcome));
        answered.tell();
      });
  ASSERT_EQ(stranger.run("COMMIT"), SQLITE_OK);
  answered.wait();
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 2);
}

TEST_F(Sqlite, ABodyCannotTouchTheLanesSettings) {
  start();
  for (const char* statement :
       {"PRAGMA synchronous=OFF", "PRAGMA foreign_keys=OFF", "ATTACH '/tmp/x' AS x"}) {
    EXPECT_TRUE(fails(write(db(), statement), Errc::internal)) << statement;
    EXPECT_TRUE(fails(read(db(), statement), Errc::internal)) << statement;
  }
}

TEST_F(Sqlite, MoreStatementsThanTheCacheHolds) {
  start();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 600; ++i) {
      EXPECT_EQ(number(db(), "SELECT CAST($1 AS BIGINT) + " + std::to_string(i), {1}), i + 1);
    }
  }
}

TEST_F(Sqlite, StatementsOutliveAChangeOfTheSchema) {
  start();
  ASSERT_TRUE(ok(write(db(), kInsert, {1, nullptr})));
  const std::string_view all = "SELECT * FROM items";
  EXPECT_EQ(read(db(), all)->at(0).size(), 2U);
  ASSERT_TRUE(ok(write(db(), "ALTER TABLE items ADD COLUMN note TEXT")));
  EXPECT_EQ(read(db(), all)->at(0).size(), 3U);
  EXPECT_TRUE(ok(write(db(), kInsert, {2, nullptr})));
}

TEST_F(Sqlite, TheFileIsTheOwnersAlone) {
  start();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found{};
    ASSERT_EQ(::stat((place_->file().string() + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(Sqlite, ClosingEmptiesTheLog) {
  start();
  ASSERT_TRUE(ok(write(db(), kInsert, {1, nullptr})));
  database_.reset();
  EXPECT_FALSE(std::filesystem::exists(place_->file().string() + "-wal"));
  database_ = place_->open({.queue_max = 16, .clock = &clock_});
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 1);
}

TEST_F(Sqlite, TheLogStaysBounded) {
  start();
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(ok(write(db(), kInsert, {i, Blob{std::string(std::size_t{1} << 20, 'x')}})));
  }
  EXPECT_LT(std::filesystem::file_size(place_->file().string() + "-wal"), std::size_t{16} << 20);
}

TEST_F(Sqlite, WhatIsSubmittedWhileItClosesIsRefused) {
  start();
  std::atomic<int> accepted{0};
  std::atomic<int> finished{0};
  Database* const database = database_.get();
  Gate closing;
  // Holds the lane, which the destructor waits for, until a probe is refused.
  database->submit(
      {},
      [&](Tx&) -> Result<void> {
        closing.pass();
        for (bool refused = false; !refused; std::this_thread::yield()) {
          auto outcome = std::make_shared<std::atomic<int>>(-1);
          database->submit(
              {.access = Access::read}, [](Tx&) -> Result<void> { return {}; },
              [outcome, &finished](const Result<void>& result) {
                if (result) ++finished;
                *outcome = result ? 0 : static_cast<int>(result.error().code());
              });
          refused = *outcome == static_cast<int>(Errc::unavailable);
          if (!refused && *outcome != static_cast<int>(Errc::busy)) ++accepted;
        }
        return {};
      },
      [](const Result<void>& outcome) { EXPECT_TRUE(ok(outcome)); });
  closing.open();
  database_.reset();
  EXPECT_EQ(finished, accepted);
}

TEST(SqliteOpening, RefusesWhatCannotWork) {
  const ekiden::testing::ManualClock clock;
  ekiden::testing::KeptLines lines;
  const Logger logger(lines, clock);
  const testing::Folder folder;
  const auto file = folder.path() / "test.db";
  EXPECT_TRUE(fails(make_sqlite({}, clock, logger), Errc::invalid, "bad-configuration"));
  EXPECT_TRUE(fails(make_sqlite({.file = file, .queue_max = 0}, clock, logger), Errc::invalid));
  EXPECT_TRUE(fails(make_sqlite({.file = file, .readers = 0}, clock, logger), Errc::invalid));
  EXPECT_TRUE(fails(make_sqlite({.file = file, .group_max = 0}, clock, logger), Errc::invalid));
  EXPECT_TRUE(
      fails(make_sqlite({.file = folder.path() / "none" / "test.db"}, clock, logger), Errc::unavailable));
  std::ofstream(file)
      << "This is a text of more than a hundred bytes, and not a database, which its first line "
         "would have to say in sixteen bytes.";
  EXPECT_TRUE(fails(make_sqlite({.file = file}, clock, logger), Errc::unavailable));
}

}  // namespace
}  // namespace ekiden::sql
