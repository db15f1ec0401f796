#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/logger.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "delivery/outbox.hpp"
#include "ports/sql/testing/engine.hpp"

namespace ekiden::delivery::testing {

class NoLog final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

/// A database of one service, with the delivery tables and a table of effects, on the engine of the test
/// program.
class DatabaseFixture {
 public:
  DatabaseFixture() {
    const auto steps = sql::migrate(
        *database,
        {kDeliveryMigration,
         {.name = "0001_effects",
          .text = "CREATE TABLE effects (place BIGINT PRIMARY KEY, group_name TEXT NOT NULL, event_id BYTEA "
                  "NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL, sequence BIGINT NOT NULL);\n"}});
    EXPECT_TRUE(steps) << steps.error().text();
  }
  DatabaseFixture(const DatabaseFixture&) = delete;
  DatabaseFixture& operator=(const DatabaseFixture&) = delete;

  std::int64_t count(std::string_view statement, sql::Params params = {}) {
    const auto rows = database->read([&](sql::Tx& tx) { return tx.query(statement, params); });
    EXPECT_TRUE(rows) << rows.error().text();
    return rows ? rows->at(0).integer(0) : -1;
  }

  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{7};
  Ids ids{clock, random};
  NoLog sink;
  Logger logger{sink, clock};
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database = place->open({.clock = &clock});
};

inline Envelope event_of(std::string key, std::string subject, std::int64_t sequence = 0,
                         std::string type = "thing.happened") {
  return {.id = {},
          .source = {},
          .type = std::move(type),
          .subject = std::move(subject),
          .time = {},
          .partition_key = std::move(key),
          .traceparent = {},
          .schema = 1,
          .sequence = sequence,
          .data = R"({"n":1})"};
}

}  // namespace ekiden::delivery::testing
