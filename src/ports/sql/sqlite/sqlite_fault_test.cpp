// What is acknowledged survives: a killed process, a power cut, an fsync that fails, a disk that is full.
//
// The crash test forks before this process has any other thread; each round's child is the only one that
// opens the database until it is dead.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/sql/contract/sql_harness.hpp"
#include "ports/sql/sqlite/sqlite.hpp"
#include "ports/sql/sqlite/testing/fault_vfs.hpp"
#include "ports/sql/sqlite/testing/sqlite_place.hpp"

namespace ekiden::sql {
namespace {

using contract::Countdown;
using contract::fails;
using contract::Gate;
using contract::number;
using contract::ok;
using contract::read;
using contract::write;
using testing::DiskFaults;
using testing::FaultVfs;
using testing::SqlitePlace;

using Keys = std::set<std::int64_t>;

/// One transaction on two tables, so that a half of it can be told.
Result<void> insert_pair(Tx& tx, std::int64_t key) {
  EKIDEN_CHECK(tx.execute("INSERT INTO lefts (id) VALUES ($1)", {key}));
  EKIDEN_CHECK(tx.execute("INSERT INTO rights (id) VALUES ($1)", {key}));
  return {};
}

Keys keys_of(Database& database, std::string_view table) {
  const Result<Rows> rows = read(database, "SELECT id FROM " + std::string(table));
  EXPECT_TRUE(ok(rows));
  Keys keys;
  for (const Row& row : rows.value_or(Rows{})) keys.insert(row.integer(0));
  return keys;
}

/// Every acknowledged key is there, and no transaction is there by half.
void expect_kept(Database& database, const Keys& acknowledged) {
  const Keys lefts = keys_of(database, "lefts");
  EXPECT_EQ(lefts, keys_of(database, "rights"));
  for (const std::int64_t key : acknowledged) EXPECT_TRUE(lefts.contains(key)) << key;
}

void make_tables(Database& database) {
  ASSERT_TRUE(ok(write(database, "CREATE TABLE IF NOT EXISTS lefts (id BIGINT PRIMARY KEY)")));
  ASSERT_TRUE(ok(write(database, "CREATE TABLE IF NOT EXISTS rights (id BIGINT PRIMARY KEY)")));
}

/// Commits pairs from several threads and writes each key to `acknowledgements` once it is durable; until it
/// is killed.
[[noreturn]] void commit_until_killed(contract::Place& place, int acknowledgements, std::int64_t first_key) {
  static const SystemClock clock;
  const std::unique_ptr<Database> database = place.open({.queue_max = 64, .clock = &clock});
  std::atomic<std::int64_t> next{first_key};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const std::int64_t key = next++;
        if (!database->write([key](Tx& tx) { return insert_pair(tx, key); })) std::_Exit(1);
        if (::write(acknowledgements, &key, sizeof key) != sizeof key) std::_Exit(2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::_Exit(3);
}

/// @returns the keys that the child acknowledged before `enough` had come and it was killed.
Keys acknowledged_by_killed_child(contract::Place& place, std::uint64_t enough, std::int64_t first_key) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_until_killed(place, ends[1], first_key);
  }
  ::close(ends[1]);
  Keys keys;
  std::int64_t key = 0;
  while (keys.size() < enough && ::read(ends[0], &key, sizeof key) == sizeof key) keys.insert(key);
  ::kill(child, SIGKILL);
  while (::read(ends[0], &key, sizeof key) == sizeof key) keys.insert(key);
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
  return keys;
}

TEST(SqliteCrash, WhatAKilledProcessAcknowledgedIsThere) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  const SystemClock clock;
  SqlitePlace place([](SqliteConfig& config) { config.durable = true; });
  make_tables(*place.open({.queue_max = 16, .clock = &clock}));
  Keys acknowledged;
  for (int round = 0; round < 20; ++round) {
    acknowledged.merge(acknowledged_by_killed_child(place, random.below(150), 1'000'000 * round));
    expect_kept(*place.open({.queue_max = 16, .clock = &clock}), acknowledged);
  }
  EXPECT_GT(acknowledged.size(), 100U);
}

/// A durable database on a disk whose faults the test sets.
class SqliteFault : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = place_.open({.queue_max = 1024, .clock = &clock_});
    make_tables(db());
  }
  Database& db() { return *database_; }
  DiskFaults& faults() { return vfs_.faults(); }

  /// As if the process had been started again, on a disk that is well.
  void reopen() {
    database_.reset();
    faults().full = false;
    faults().log_syncs_left = faults().file_syncs_left = DiskFaults::kNever;
    database_ = place_.open({.queue_max = 1024, .clock = &clock_});
  }

  Result<void> insert(std::int64_t key) {
    return db().write([key](Tx& tx) { return insert_pair(tx, key); });
  }

  /// Queues keys `first`.. behind a body that holds the lane until `before` has run: they share a commit.
  template <class Before>
  std::vector<Result<void>> insert_together(std::int64_t first, std::size_t count, Before before) {
    Gate gate;
    Countdown answered(count + 1);
    std::vector<Result<void>> outcomes(count);
    db().submit(
        {},
        [&](Tx&) -> Result<void> {
          gate.pass();
          return {};
        },
        [&](const Result<void>&) { answered.tell(); });
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t key = first + static_cast<std::int64_t>(i);
      db().submit(
          {}, [key](Tx& tx) { return insert_pair(tx, key); },
          [&, i](Result<void> outcome) {
            outcomes[i] = std::move(outcome);
            answered.tell();
          });
    }
    before();
    gate.open();
    answered.wait();
    return outcomes;
  }

  const ekiden::testing::ManualClock clock_;
  FaultVfs vfs_{"ekiden-faults"};
  std::atomic<int> fatal_{0};
  std::size_t group_max_ = 256;
  SqlitePlace place_{[this](SqliteConfig& config) {
    config.durable = true;
    config.vfs = vfs_.name();
    config.on_fatal = [this] { ++fatal_; };
    config.group_max = group_max_;
  }};
  std::unique_ptr<Database> database_;
};

TEST_F(SqliteFault, AnFsyncThatFailsAcknowledgesNobodyOfItsGroup) {
  ASSERT_TRUE(ok(insert(1)));
  const auto outcomes = insert_together(10, 5, [this] {
    faults().syncs_failing = 1;
    faults().log_syncs_left = 0;
  });
  for (const Result<void>& outcome : outcomes)
    EXPECT_TRUE(fails(outcome, Errc::unavailable, "storage-fault"));
  EXPECT_EQ(faults().syncs_failed, 1);
  // The next write comes after the file has been opened anew and checked.
  EXPECT_TRUE(ok(insert(2)));
  EXPECT_EQ(place_.lines().count("sql_storage_verified"), 1U);
  EXPECT_EQ(fatal_, 0);
  reopen();
  expect_kept(db(), {1, 2});
}

TEST_F(SqliteFault, AtWhicheverFsyncItFailsNothingAcknowledgedIsLost) {
  Keys acknowledged;
  std::int64_t key = 0;
  for (int at = 0; at < 24; ++at) {
    SCOPED_TRACE("fsync " + std::to_string(at));
    faults().syncs_failing = 1;
    faults().log_syncs_left = at;
    int failed = 0;
    for (int i = 0; i < 30; ++i, ++key) {
      const Result<void> outcome = insert(key);
      if (outcome) {
        acknowledged.insert(key);
      } else {
        EXPECT_TRUE(fails(outcome, Errc::unavailable, "storage-fault"));
        ++failed;
      }
    }
    EXPECT_EQ(failed, 1);
    reopen();
    expect_kept(db(), acknowledged);
  }
}

TEST_F(SqliteFault, ACheckpointThatFailsIsNotSilent) {
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE large (bytes BYTEA)")));
  faults().syncs_failing = 1;
  faults().file_syncs_left = 0;
  ASSERT_TRUE(ok(write(db(), "INSERT INTO large (bytes) VALUES ($1)", {Blob{std::string(6 << 20, 'x')}})));
  ASSERT_TRUE(ok(insert(1)));
  EXPECT_EQ(faults().syncs_failed, 1);
  EXPECT_EQ(place_.lines().count("sql_storage_fault"), 1U);
  EXPECT_EQ(place_.lines().count("sql_storage_verified"), 1U);
  reopen();
  expect_kept(db(), {1});
  EXPECT_EQ(number(db(), "SELECT length(bytes) FROM large"), 6 << 20);
}

TEST_F(SqliteFault, ADiskThatKeepsFailingStopsWritesForGoodAndReadsGoOn) {
  ASSERT_TRUE(ok(insert(1)));
  faults().log_syncs_left = 0;
  for (std::int64_t key = 10; key < 20; ++key)
    EXPECT_TRUE(fails(insert(key), Errc::unavailable, "storage-fault"));
  EXPECT_EQ(fatal_, 1);
  EXPECT_EQ(place_.lines().count("sql_writes_stopped"), 1U);
  faults().log_syncs_left = DiskFaults::kNever;
  EXPECT_TRUE(fails(insert(20), Errc::unavailable, "storage-fault"));
  EXPECT_EQ(number(db(), "SELECT count(*) FROM lefts WHERE id = 1"), 1);
  reopen();
  expect_kept(db(), {1});
  EXPECT_TRUE(ok(insert(20)));
}

TEST_F(SqliteFault, AFullDiskKeepsNothingOfAGroupReadsOnAndWorksAgain) {
  ASSERT_TRUE(ok(insert(1)));
  const auto outcomes = insert_together(10, 3, [this] { faults().full = true; });
  for (const Result<void>& outcome : outcomes) EXPECT_TRUE(fails(outcome, Errc::storage_full));
  EXPECT_EQ(keys_of(db(), "lefts"), Keys{1});
  faults().full = false;
  EXPECT_TRUE(ok(insert(2)));
  EXPECT_EQ(fatal_, 0);
  EXPECT_EQ(place_.lines().count("sql_storage_fault"), 0U);
  reopen();
  EXPECT_EQ(keys_of(db(), "lefts"), (Keys{1, 2}));
}

/// Opens what a cut left, as the next start would.
void expect_kept_in(const std::filesystem::path& file, const Keys& acknowledged) {
  const ekiden::testing::ManualClock clock;
  ekiden::testing::KeptLines lines;
  const auto database = make_sqlite({.file = file}, clock, Logger(lines, clock));
  ASSERT_TRUE(ok(database));
  expect_kept(**database, acknowledged);
  EXPECT_EQ(lines.count("sql_"), 0U);
}

TEST_F(SqliteFault, ACommitReachesTheLogInOnePieceAndReadersSeeIt) {
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE large (id BIGINT, bytes BYTEA)")));
  ASSERT_TRUE(ok(insert(1)));
  int calls = 0;
  vfs_.watch([&](const testing::UnsyncedWrites&) { ++calls; });
  const auto written = db().write([](Tx& tx) -> Result<void> {
    for (int i = 0; i < 20; ++i)
      EKIDEN_CHECK(
          tx.execute("INSERT INTO large (id, bytes) VALUES ($1, $2)", {i, Blob{std::string(3'000, 'x')}}));
    return {};
  });
  ASSERT_TRUE(ok(written));
  vfs_.watch({});
  EXPECT_EQ(calls, 2);  // a write and an fsync
  EXPECT_EQ(number(db(), "SELECT COUNT(*) FROM large"), 20);
}

TEST_F(SqliteFault, WhatWasAcknowledgedBeforeAPowerCutIsThere) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  Keys acknowledged;  // Told on the writer's thread, which is also the one that writes to the disk.
  int cuts = 0;
  group_max_ = 4;
  reopen();
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE large (id BIGINT, bytes BYTEA)")));
  ASSERT_TRUE(ok(read(db(), "SELECT 1")));
  vfs_.watch([&](const testing::UnsyncedWrites& unsynced) {
    if (random.below(20) != 0) return;
    ++cuts;
    const testing::Folder folder;
    unsynced.cut(place_.file(), folder.path(), random);
    expect_kept_in(folder.path() / place_.file().filename(), acknowledged);
  });
  constexpr std::int64_t kKeys = 400;  // Enough for the log to be moved into the file and to start over.
  Countdown answered(kKeys);
  for (std::int64_t key = 0; key < kKeys; ++key) {
    db().submit(
        {},
        [key](Tx& tx) -> Result<void> {
          EKIDEN_CHECK(tx.execute("INSERT INTO large (id, bytes) VALUES ($1, $2)",
                                  {key, Blob{std::string(20'000, 'x')}}));
          return insert_pair(tx, key);
        },
        [&, key](const Result<void>& outcome) {
          EXPECT_TRUE(ok(outcome));
          acknowledged.insert(key);
          answered.tell();
        });
  }
  answered.wait();
  EXPECT_GT(cuts, 20);
  database_.reset();
  vfs_.watch({});
}

}  // namespace
}  // namespace ekiden::sql
