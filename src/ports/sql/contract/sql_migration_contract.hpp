#pragma once

#include <atomic>
#include <vector>

#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

inline std::vector<Migration> three_steps() {
  return {{"0001_items",
           "-- What there is.\n"
           "CREATE TABLE items (\n  id BIGINT PRIMARY KEY,\n  amount BIGINT NOT NULL\n);\n"
           "CREATE INDEX items_amount ON items (amount);\n"},
          {"0002_first", "INSERT INTO items (id, amount)\nVALUES (1, 10);\n"},
          {"0003_double", "UPDATE items SET amount = amount * 2;"}};
}

TEST_P(SqlContract, MigrationsAreAppliedOnceInOrder) {
  const std::vector<Migration> steps = three_steps();
  EXPECT_EQ(value_of(migrate(db(), {})), 0);
  EXPECT_EQ(value_of(migrate(db(), {steps[0]})), 1);
  EXPECT_EQ(value_of(migrate(db(), steps)), 2);
  EXPECT_EQ(value_of(migrate(db(), steps)), 0);
  EXPECT_EQ(number(db(), "SELECT amount FROM items"), 20);
}

TEST_P(SqlContract, ProcessesThatMigrateTogetherApplyEachStepOnce) {
  std::vector<std::unique_ptr<Database>> databases;
  for (int i = 0; i < 4; ++i) databases.push_back(open());
  std::atomic<int> applied{0};
  on_threads(4, [&](int i) {
    const Result<int> steps = migrate(*databases[static_cast<std::size_t>(i)], three_steps());
    EXPECT_TRUE(ok(steps));
    applied += steps.value_or(0);
  });
  EXPECT_EQ(applied, 3);
  EXPECT_EQ(number(db(), "SELECT amount FROM items"), 20);
}

TEST_P(SqlContract, SchemaChangesOfManyProcessesRunOneAfterAnother) {
  make_items();
  std::vector<std::unique_ptr<Database>> databases;
  for (int i = 0; i < 4; ++i) databases.push_back(open());
  on_threads(4, [&](int i) {
    const Result<std::int64_t> changed =
        databases[static_cast<std::size_t>(i)]->change_schema([](Tx& tx) -> Result<std::int64_t> {
          EKIDEN_TRY(const Rows rows, tx.query("SELECT count(*) FROM items"));
          return tx.execute("INSERT INTO items (id, amount) VALUES ($1, 0)", {rows.at(0).integer(0)});
        });
    EXPECT_TRUE(ok(changed));
  });
  EXPECT_EQ(items(), 4);
  EXPECT_EQ(number(db(), "SELECT max(id) FROM items"), 3);
}

TEST_P(SqlContract, AChangedStepIsRefusedAndNothingIsApplied) {
  std::vector<Migration> steps = three_steps();
  ASSERT_TRUE(ok(migrate(db(), {steps[0], steps[1]})));
  steps[1].text = "INSERT INTO items (id, amount) VALUES (1, 11);\n";
  const Result<int> changed = migrate(db(), steps);
  ASSERT_TRUE(fails(changed, Errc::internal, "migration-changed"));
  EXPECT_EQ(changed.error().field(), "0002_first");
  steps = three_steps();
  steps[1].name = "0002_renamed";
  EXPECT_TRUE(fails(migrate(db(), steps), Errc::internal, "migration-changed"));
  EXPECT_EQ(number(db(), "SELECT amount FROM items"), 10);
}

TEST_P(SqlContract, ASchemaNewerThanTheProgramIsRefused) {
  std::vector<Migration> steps = three_steps();
  ASSERT_TRUE(ok(migrate(db(), steps)));
  steps.pop_back();
  const Result<int> refused = migrate(db(), steps);
  ASSERT_TRUE(fails(refused, Errc::internal, "schema-newer"));
  EXPECT_EQ(refused.error().field(), "0003_double");
}

TEST_P(SqlContract, AStepThatFailsLeavesNothingAndTheStepsBeforeIt) {
  std::vector<Migration> steps = three_steps();
  steps[1].text =
      "INSERT INTO items (id, amount) VALUES (1, 10);\nINSERT INTO items (id, amount) VALUES (1, 11);\n";
  EXPECT_TRUE(fails(migrate(db(), steps), Errc::conflict, "unique"));
  EXPECT_EQ(number(db(), "SELECT count(*) FROM items"), 0);
  EXPECT_EQ(number(db(), "SELECT count(*) FROM schema_migrations"), 1);
  EXPECT_EQ(value_of(migrate(db(), three_steps())), 2);
  EXPECT_EQ(number(db(), "SELECT amount FROM items"), 20);
}

}  // namespace ekiden::sql::contract
