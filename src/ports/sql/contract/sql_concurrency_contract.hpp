#pragma once

// Many callers at once: serializable writes, snapshots, bounded queues, several databases on one place.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

/// Adds one by reading, then writing: exact only where writes are serializable.
inline Result<void> increment(Database& database) {
  return database.write([](Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Rows rows, tx.query("SELECT amount FROM items WHERE id = 1"));
    EKIDEN_CHECK(tx.execute("UPDATE items SET amount = $1 WHERE id = 1", {rows.at(0).integer(0) + 1}));
    return {};
  });
}

TEST_P(SqlContract, AHotCounterIsExact) {
  make_items();
  ASSERT_TRUE(ok(write(db(), kInsert, {1, "counter", 0})));
  constexpr int kThreads = 8;
  constexpr int kTimes = 50;
  on_threads(kThreads, [this](int) {
    for (int i = 0; i < kTimes; ++i) EXPECT_TRUE(ok(increment(db())));
  });
  EXPECT_EQ(number(db(), "SELECT amount FROM items"), kThreads * kTimes);
  EXPECT_GE(db().figures().committed, std::uint64_t{kThreads} * kTimes);
  EXPECT_LE(db().figures().commits, db().figures().committed);
}

TEST_P(SqlContract, TwoDatabasesOnOnePlaceAreSerializableTogether) {
  make_items();
  ASSERT_TRUE(ok(write(db(), kInsert, {1, "counter", 0})));
  const std::unique_ptr<Database> other = open();
  constexpr int kTimes = 40;
  on_threads(4, [&](int i) {
    for (int k = 0; k < kTimes; ++k) EXPECT_TRUE(ok(increment(i % 2 == 0 ? db() : *other)));
  });
  EXPECT_EQ(number(*other, "SELECT amount FROM items"), 4 * kTimes);
}

TEST_P(SqlContract, TwoDatabasesOnOnePlaceSeeOneAnother) {
  make_items();
  const std::unique_ptr<Database> other = open();
  for (int i = 0; i < 20; ++i) {
    Database& from = i % 2 == 0 ? db() : *other;
    Database& to = i % 2 == 0 ? *other : db();
    ASSERT_TRUE(ok(write(from, kInsert, {i, nullptr, i})));
    EXPECT_EQ(number(to, "SELECT amount FROM items WHERE id = $1", {i}), i);
  }
}

TEST_P(SqlContract, WritesThatReadOneAnothersRowsDoNotBothWin) {
  // Of four on duty each may leave only while another stays: two who leave at once would both see the other.
  make_items();
  constexpr int kPeople = 4;
  for (int round = 0; round < 8; ++round) {
    ASSERT_TRUE(ok(write(db(), "DELETE FROM items")));
    for (int i = 0; i < kPeople; ++i) ASSERT_TRUE(ok(write(db(), kInsert, {i, nullptr, 1})));
    on_threads(kPeople, [this](int i) {
      const Result<void> left = db().write([i](Tx& tx) -> Result<void> {
        EKIDEN_TRY(const Rows rows, tx.query("SELECT count(*) FROM items WHERE amount = 1"));
        if (rows.at(0).integer(0) < 2) return {};
        EKIDEN_CHECK(tx.execute("UPDATE items SET amount = 0 WHERE id = $1", {i}));
        return {};
      });
      EXPECT_TRUE(ok(left));
    });
    EXPECT_EQ(number(db(), "SELECT count(*) FROM items WHERE amount = 1"), 1);
  }
}

TEST_P(SqlContract, AReadKeepsItsSnapshot) {
  make_items();
  const std::unique_ptr<Database> other = open();
  const Result<void> outcome = db().read([&](Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Rows before, tx.query("SELECT count(*) FROM items"));
    EXPECT_TRUE(ok(write(*other, kInsert, {1, "a", 5})));
    EKIDEN_TRY(const Rows after, tx.query("SELECT count(*) FROM items"));
    EXPECT_EQ(before.at(0).integer(0), 0);
    EXPECT_EQ(after.at(0).integer(0), 0);
    return {};
  });
  EXPECT_TRUE(ok(outcome));
  EXPECT_EQ(items(), 1);
}

TEST_P(SqlContract, ReadsNeverSeeHalfATransaction) {
  make_items();
  ASSERT_TRUE(ok(write(db(), "INSERT INTO items (id, amount) VALUES (1, 50), (2, 50)")));
  std::atomic<bool> writing{true};
  std::thread reader([&] {
    while (writing) EXPECT_EQ(number(db(), "SELECT CAST(sum(amount) AS BIGINT) FROM items"), 100);
  });
  for (int i = 0; i < 50; ++i) {
    const Result<void> moved = db().write([i](Tx& tx) -> Result<void> {
      const int amount = i % 2 == 0 ? 10 : -10;
      EKIDEN_CHECK(tx.execute("UPDATE items SET amount = amount - $1 WHERE id = 1", {amount}));
      EKIDEN_CHECK(tx.execute("UPDATE items SET amount = amount + $1 WHERE id = 2", {amount}));
      return {};
    });
    EXPECT_TRUE(ok(moved));
  }
  writing = false;
  reader.join();
}

TEST_P(SqlContract, ManyCallersEachGetTheirOwnOutcome) {
  make_items();
  std::atomic<int> won{0};
  on_threads(16, [&](int i) {
    for (int k = 0; k < 10; ++k) {
      // Each name is wanted by four callers; one of them gets it.
      const Result<std::int64_t> taken =
          write(db(), kInsert, {i * 10 + k, std::to_string(i % 4 * 10 + k), 1});
      if (taken) {
        ++won;
      } else {
        EXPECT_TRUE(fails(taken, Errc::conflict, "unique"));
      }
    }
  });
  EXPECT_EQ(won, 40);
  EXPECT_EQ(items(), 40);
}

TEST_P(SqlContract, WritesThatFailBesideOthersLeaveNothing) {
  make_items();
  Gate gate;
  constexpr int kWrites = 40;
  Countdown answered(kWrites);
  std::atomic<int> told{0};
  for (int i = 0; i < kWrites; ++i) {
    const auto body = [&, i](Tx& tx) -> Result<void> {
      gate.pass();
      tx.after_commit([&] { ++told; });
      EKIDEN_CHECK(tx.execute(kInsert, {i, nullptr, 1}));
      if (i % 2 == 0) return {};
      return Error{Errc::gone, "given-up", "given up"};
    };
    db().submit({}, body, [&, i](const Result<void>& outcome) {
      EXPECT_EQ(outcome.has_value(), i % 2 == 0);
      answered.tell();
    });
  }
  gate.open();
  answered.wait();
  EXPECT_EQ(items(), kWrites / 2);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items WHERE id % 2 = 1"), 0);
  EXPECT_EQ(told, kWrites / 2);
}

TEST_P(SqlContract, AFullQueueRefusesAndRunsNothing) {
  for (const Access access : {Access::read, Access::write}) {
    const std::unique_ptr<Database> database = open(4);
    Gate gate;
    const std::size_t enough = database->figures().lanes + database->figures().queue_max + 1;
    Countdown answered(enough);
    std::atomic<std::size_t> ran{0};
    std::atomic<std::size_t> refused{0};
    for (std::size_t i = 0; i < enough; ++i) {
      database->submit(
          {.access = access},
          [&](Tx&) -> Result<void> {
            ++ran;
            gate.pass();
            return {};
          },
          [&](Result<void> outcome) {
            if (!outcome) {
              EXPECT_TRUE(fails(outcome, Errc::busy));
              ++refused;
            }
            answered.tell();
          });
    }
    EXPECT_GT(refused, 0U);
    gate.open();
    answered.wait();
    EXPECT_EQ(ran + refused, enough);
    EXPECT_TRUE(ok(database->read([](Tx&) -> Result<void> { return {}; })));
  }
}

TEST_P(SqlContract, ClosingFinishesWhatIsQueued) {
  make_items();
  std::atomic<int> kept{0};
  {
    const std::unique_ptr<Database> database = open();
    for (int i = 0; i < 50; ++i) {
      database->submit(
          {},
          [i](Tx& tx) -> Result<void> {
            EKIDEN_CHECK(tx.execute(kInsert, {i, nullptr, i}));
            return {};
          },
          [&](Result<void> outcome) { kept += outcome ? 1 : 0; });
    }
  }
  EXPECT_EQ(kept, 50);
  EXPECT_EQ(items(), 50);
}

TEST_P(SqlContract, ADoneCallbackMaySubmitAgain) {
  make_items();
  Countdown answered(1);
  db().submit(
      {},
      [](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 1}));
        return {};
      },
      [&](Result<void>) {
        db().submit(
            {},
            [](Tx& tx) -> Result<void> {
              EKIDEN_CHECK(tx.execute(kInsert, {2, "b", 1}));
              return {};
            },
            [&](Result<void> second) {
              EXPECT_TRUE(ok(second));
              answered.tell();
            });
      });
  answered.wait();
  EXPECT_EQ(items(), 2);
}

}  // namespace ekiden::sql::contract
