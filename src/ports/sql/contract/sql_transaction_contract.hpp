#pragma once

// All or nothing, what is lost after an error, what runs after a commit, deadlines.

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/manual_clock.hpp"
#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

TEST_P(SqlContract, AWriteThatWasAcknowledgedIsReadAfterwards) {
  make_items();
  EXPECT_EQ(value_of(write(db(), kInsert, {1, "a", 5})), 1);
  EXPECT_EQ(number(db(), "SELECT amount FROM items WHERE id = $1", {1}), 5);
}

TEST_P(SqlContract, ATransactionSeesWhatItWrote) {
  make_items();
  const Result<std::int64_t> seen = db().write([](Tx& tx) -> Result<std::int64_t> {
    EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 5}));
    EKIDEN_TRY(const Rows rows, tx.query("SELECT amount FROM items"));
    return rows.at(0).integer(0);
  });
  ASSERT_TRUE(ok(seen));
  EXPECT_EQ(*seen, 5);
}

TEST_P(SqlContract, AnErrorOfTheBodyRollsBackAndIsTheOutcome) {
  make_items();
  const Result<void> outcome = db().write([](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 5}));
    return Error{Errc::forbidden, "not-yours", "it is not yours", "id"};
  });
  ASSERT_TRUE(fails(outcome, Errc::forbidden, "not-yours"));
  EXPECT_EQ(outcome.error().field(), "id");
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, ABodyThatThrowsRollsBackAndIsInternal) {
  make_items();
  const Result<void> thrown = db().write([](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 5}));
    throw std::runtime_error("a bug");
  });
  EXPECT_TRUE(fails(thrown, Errc::internal));
  const Result<void> thrown_reading = db().read([](Tx&) -> Result<void> { throw 7; });
  EXPECT_TRUE(fails(thrown_reading, Errc::internal));
  EXPECT_EQ(items(), 0);
  EXPECT_TRUE(ok(write(db(), kInsert, {1, "a", 5})));
}

TEST_P(SqlContract, AfterAnErrorTheTransactionIsLostEvenIfTheBodyGoesOn) {
  make_items();
  ASSERT_TRUE(ok(write(db(), kInsert, {1, "a", 5})));
  Result<std::int64_t> second = 0;
  Result<Rows> third = Rows{};
  const Result<void> outcome = db().write([&](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kInsert, {2, "b", 5}));
    EXPECT_TRUE(fails(tx.execute(kInsert, {3, "a", 5}), Errc::conflict, "unique"));
    second = tx.execute(kInsert, {4, "d", 5});
    third = tx.query("SELECT count(*) FROM items");
    return {};
  });
  EXPECT_TRUE(fails(outcome, Errc::conflict, "unique"));
  EXPECT_TRUE(fails(second, Errc::conflict, "unique"));
  EXPECT_TRUE(fails(third, Errc::conflict, "unique"));
  EXPECT_EQ(items(), 1);
}

struct Refusal {
  const char* statement;
  Params params;
  Errc code;
  const char* slug;
};

TEST_P(SqlContract, ErrorsSayWhichRuleRefuses) {
  make_items();
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE parts (item BIGINT NOT NULL REFERENCES items (id))")));
  ASSERT_TRUE(ok(write(db(), kInsert, {1, "a", 5})));
  ASSERT_TRUE(ok(write(db(), "INSERT INTO parts (item) VALUES (1)")));
  const Refusal refusals[] = {
      {kInsert.data(), {1, "b", 5}, Errc::conflict, "unique"},
      {kInsert.data(), {2, "a", 5}, Errc::conflict, "unique"},
      {kInsert.data(), {2, "b", -1}, Errc::conflict, "check"},
      {kInsert.data(), {2, "b", nullptr}, Errc::conflict, "not-null"},
      {"INSERT INTO parts (item) VALUES ($1)", {9}, Errc::conflict, "foreign-key"},
      {"DELETE FROM items WHERE id = $1", {1}, Errc::conflict, "foreign-key"},
      {"SELEKT 1", {}, Errc::internal, ""},
      {"SELECT nowhere FROM items", {}, Errc::internal, ""},
      {"SELECT \"nowhere\" FROM items", {}, Errc::internal, ""},
      {"", {}, Errc::internal, ""},
      {"DELETE FROM parts; DELETE FROM items", {}, Errc::internal, ""},
      {"SELECT amount FROM items WHERE id = $1", {}, Errc::internal, ""},
      {"COMMIT", {}, Errc::internal, ""},
      {"ROLLBACK", {}, Errc::internal, ""},
      {"BEGIN", {}, Errc::internal, ""},
      {"SAVEPOINT mine", {}, Errc::internal, ""},
  };
  for (const Refusal& refusal : refusals) {
    EXPECT_TRUE(fails(write(db(), refusal.statement, refusal.params), refusal.code, refusal.slug))
        << refusal.statement;
  }
  EXPECT_EQ(items(), 1);
}

TEST_P(SqlContract, ADeferredForeignKeyIsCheckedAtTheEndOfItsOwnTransaction) {
  make_items();
  ASSERT_TRUE(ok(write(db(),
                       "CREATE TABLE parts (item BIGINT NOT NULL REFERENCES items (id) "
                       "DEFERRABLE INITIALLY DEFERRED)")));
  const auto insert = [this](bool with_item) {
    return db().write([with_item](Tx& tx) -> Result<void> {
      EKIDEN_CHECK(tx.execute("INSERT INTO parts (item) VALUES (7)"));
      if (with_item) EKIDEN_CHECK(tx.execute(kInsert, {7, "g", 1}));
      return {};
    });
  };
  EXPECT_TRUE(fails(insert(false), Errc::conflict, "foreign-key"));
  EXPECT_TRUE(ok(insert(true)));
  EXPECT_EQ(number(db(), "SELECT count(*) FROM parts"), 1);
}

TEST_P(SqlContract, AReadTransactionChangesNothing) {
  make_items();
  const Result<std::int64_t> refused = db().read([](Tx& tx) { return tx.execute(kInsert, {1, "a", 5}); });
  EXPECT_TRUE(fails(refused, Errc::internal));
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, ABatchRunsOnceForEachSetOfParameters) {
  make_items();
  const auto batch = [this](std::vector<Params> sets) {
    return db().write([sets = std::move(sets)](Tx& tx) { return tx.execute_batch(kInsert, sets); });
  };
  EXPECT_EQ(value_of(batch({})), 0);
  EXPECT_EQ(value_of(batch({{1, "a", 1}, {2, nullptr, 2}, {3, "c", 3}})), 3);
  EXPECT_EQ(number(db(), "SELECT CAST(sum(amount) AS BIGINT) FROM items"), 6);
  const Result<std::int64_t> changed = db().write([](Tx& tx) {
    return tx.execute_batch("UPDATE items SET amount = amount + $1 WHERE id >= $2",
                            {{10, 2}, {100, 3}, {1, 9}});
  });
  EXPECT_EQ(value_of(changed), 3);
  EXPECT_EQ(number(db(), "SELECT CAST(sum(amount) AS BIGINT) FROM items"), 126);
}

TEST_P(SqlContract, ALargeBatchRunsInOrderToItsEnd) {
  make_items();
  constexpr int kSets = 1500;
  std::vector<Params> sets;
  for (int i = 0; i < kSets; ++i) sets.push_back({i});
  const Result<std::int64_t> inserted = db().write([&](Tx& tx) {
    return tx.execute_batch("INSERT INTO items (id, amount) SELECT CAST($1 AS BIGINT), count(*) FROM items",
                            sets);
  });
  EXPECT_EQ(value_of(inserted), kSets);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items WHERE id = amount"), kSets);
}

TEST_P(SqlContract, ABatchIsAllOrNothing) {
  make_items();
  const Result<void> outcome = db().write([](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(tx.execute(kInsert, {9, "z", 1}));
    EXPECT_TRUE(fails(tx.execute_batch(kInsert, {{1, "a", 1}, {2, "a", 2}, {3, "c", 3}}), Errc::conflict));
    return {};
  });
  EXPECT_TRUE(fails(outcome, Errc::conflict, "unique"));
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, ExecuteCountsTheRowsItChanged) {
  make_items();
  EXPECT_EQ(value_of(write(db(), "INSERT INTO items (id, amount) VALUES (1, 1), (2, 2), (3, 3)")), 3);
  EXPECT_EQ(value_of(write(db(), "UPDATE items SET amount = 0 WHERE id > 1")), 2);
  EXPECT_EQ(value_of(write(db(), "UPDATE items SET amount = 0 WHERE id > 9")), 0);
  EXPECT_EQ(value_of(write(db(), "INSERT INTO items (id, amount) VALUES (1, 1) ON CONFLICT DO NOTHING")), 0);
  EXPECT_EQ(value_of(write(db(), "CREATE INDEX items_amount ON items (amount)")), 0);
  EXPECT_EQ(value_of(write(db(), "DELETE FROM items")), 3);
}

TEST_P(SqlContract, AfterCommitRunsInOrderAndSeesADurableState) {
  make_items();
  const std::unique_ptr<Database> other = open();
  std::vector<std::string> told;
  std::int64_t seen = 0;
  Countdown answered(1);
  db().submit(
      {},
      [&](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 5}));
        tx.after_commit([&] { seen = number(*other, "SELECT count(*) FROM items"); });
        tx.after_commit([&] { told.emplace_back("first"); });
        tx.after_commit([&] { told.emplace_back("second"); });
        return {};
      },
      [&](Result<void> outcome) {
        told.emplace_back(outcome ? "done" : outcome.error().slug());
        answered.tell();
      });
  answered.wait();
  EXPECT_EQ(told, (std::vector<std::string>{"first", "second", "done"}));
  EXPECT_EQ(seen, 1);
}

TEST_P(SqlContract, AfterCommitNeverRunsWhereItIsRolledBack) {
  make_items();
  bool ran = false;
  const Result<void> outcome = db().write([&](Tx& tx) -> Result<void> {
    tx.after_commit([&] { ran = true; });
    EKIDEN_CHECK(tx.execute(kInsert, {1, "a", -5}));
    return {};
  });
  EXPECT_TRUE(fails(outcome, Errc::conflict, "check"));
  EXPECT_TRUE(ok(write(db(), kInsert, {1, "a", 5})));
  EXPECT_FALSE(ran);
}

TEST_P(SqlContract, ADeadlineThatHasPassedLetsNothingRun) {
  make_items();
  const Deadline passed{clock_.monotonic()};
  for (const Access access : {Access::read, Access::write}) {
    bool ran = false;
    const Result<void> outcome =
        db().transact({.access = access, .deadline = passed}, [&](Tx&) -> Result<void> {
          ran = true;
          return {};
        });
    EXPECT_TRUE(fails(outcome, Errc::timeout));
    EXPECT_FALSE(ran);
  }
}

TEST_P(SqlContract, ADeadlineThatPassesMeanwhileLosesTheTransaction) {
  make_items();
  ekiden::testing::ManualClock clock;
  const std::unique_ptr<Database> database = place_->open({.queue_max = 16, .clock = &clock});
  const Deadline soon = Deadline::after(clock, std::chrono::seconds{1});
  const Result<void> outcome = database->write(
      [&](Tx& tx) -> Result<void> {
        EKIDEN_CHECK(tx.execute(kInsert, {1, "a", 5}));
        clock.advance(std::chrono::seconds{1});
        EXPECT_TRUE(fails(tx.execute(kInsert, {2, "b", 5}), Errc::timeout));
        return {};
      },
      soon);
  EXPECT_TRUE(fails(outcome, Errc::timeout));
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, AnEndlessQuestionStopsAtItsDeadline) {
  for (const Access access : {Access::read, Access::write}) {
    const Deadline soon = Deadline::after(clock_, std::chrono::milliseconds{30});
    const Result<void> endless =
        db().transact({.access = access, .deadline = soon}, [](Tx& tx) -> Result<void> {
          EKIDEN_CHECK(tx.query(
              "WITH RECURSIVE steps(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM steps) "
              "SELECT count(*) FROM steps"));
          return {};
        });
    EXPECT_TRUE(fails(endless, Errc::timeout));
  }
  make_items();
  EXPECT_TRUE(ok(write(db(), kInsert, {1, "a", 5})));
  EXPECT_EQ(items(), 1);
}

}  // namespace ekiden::sql::contract
