#pragma once

// The outbox's own promises: positions follow the commit order of a key, whatever the clock does,
// and a reader finds rows that a cursor would have passed.
#include <gtest/gtest.h>

#include "delivery/idempotency.hpp"
#include "delivery/inbox.hpp"
#include "delivery/outbox.hpp"
#include "delivery/testing/database_fixture.hpp"

namespace ekiden::delivery {
namespace {

using testing::DatabaseFixture;
using testing::event_of;

class OutboxTest : public ::testing::Test {
 protected:
  Outbox outbox() {
    return {"workout", "workouts", fix_.clock, fix_.ids, [this] { ++bells_; }};
  }
  Result<void> append(std::vector<Envelope> events) {
    const Outbox box = outbox();
    return fix_.database->write([&](sql::Tx& tx) { return box.append_all(tx, events); });
  }
  std::vector<OutboxRow> unpublished(std::size_t limit = 100, std::vector<std::string> skip = {}) {
    auto rows = fix_.database->read([&](sql::Tx& tx) { return read_unpublished(tx, limit, skip); });
    EXPECT_TRUE(rows) << rows.error().text();
    return *std::move(rows);
  }
  std::vector<std::string> subjects(const std::vector<OutboxRow>& rows) {
    std::vector<std::string> all;
    for (const OutboxRow& row : rows) all.push_back(row.subject);
    return all;
  }

  DatabaseFixture fix_;
  int bells_ = 0;
};

TEST_F(OutboxTest, KeepsTheOrderOfAKeyThoughTheClockStandsOrGoesBack) {
  ASSERT_TRUE(append({event_of("a", "1"), event_of("b", "x"), event_of("a", "2")}));
  ASSERT_TRUE(append({event_of("a", "3")}));
  fix_.clock.set_wall(fix_.clock.now() - std::chrono::hours{1});
  ASSERT_TRUE(append({event_of("a", "4"), event_of("c", "y"), event_of("a", "5")}));
  std::vector<std::string> of_a;
  std::int64_t last = 0;
  for (const OutboxRow& row : unpublished()) {
    if (row.message.key != "a") continue;
    of_a.push_back(row.subject);
    EXPECT_GT(row.position, last);
    last = row.position;
  }
  EXPECT_EQ(of_a, (std::vector<std::string>{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(bells_, 3);
}

TEST_F(OutboxTest, ARowReadsBackAsTheEventThatWasWritten) {
  Envelope event = event_of("a", "w7", 4, "workout.changed");
  event.traceparent = "00-trace";
  ASSERT_TRUE(append({event}));
  const auto rows = unpublished();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].message.topic, "workouts");
  EXPECT_EQ(rows[0].type, "workout.changed");
  EXPECT_EQ(rows[0].sequence, 4);
  const auto read = decode({.at = {"workouts", 0},
                            .offset = {},
                            .appended_at = {},
                            .key = rows[0].message.key,
                            .value = rows[0].message.value,
                            .headers = rows[0].message.headers});
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->id, rows[0].id);
  EXPECT_EQ(read->source, "/ekiden/workout");
  EXPECT_EQ(read->time, fix_.clock.now());
  EXPECT_EQ(read->traceparent, "00-trace");
}

TEST_F(OutboxTest, RefusesWhatNoConsumerCouldReadAndKeepsNothing) {
  Envelope broken = event_of("a", "2");
  broken.data = "{";
  EXPECT_FALSE(append({event_of("a", "1"), broken}));
  EXPECT_TRUE(unpublished().empty());
  EXPECT_EQ(bells_, 0);
}

TEST_F(OutboxTest, ALowPositionThatCommitsLateIsFoundWhereACursorLosesIt) {
  // Another transaction drew its position first and commits last: its row appears below one that was read.
  const auto insert = [&](const char* subject, std::int64_t position) {
    const auto done = fix_.database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(tx.execute(
          "INSERT INTO outbox (event_id, position, topic, key, type, subject, sequence, "
          "headers, data, created_at) VALUES ($1, $2, 't', $3, 'x', $4, 0, $6, $6, $5)",
          {fix_.ids.make<EventId>(), position, sql::Blob{subject}, subject, fix_.clock.now(), sql::Blob{}}));
      return {};
    });
    ASSERT_TRUE(done) << done.error().text();
  };
  std::vector<std::string> by_cursor;
  std::int64_t cursor = 0;
  const auto cursor_relay = [&] {
    const auto rows = fix_.database->read([&](sql::Tx& tx) {
      return tx.query("SELECT subject, position FROM outbox WHERE position > $1 ORDER BY position", {cursor});
    });
    for (const sql::Row& row : *rows) {
      by_cursor.push_back(row.text(0));
      cursor = row.integer(1);
    }
  };
  std::vector<std::string> by_scan;
  const auto scanning_relay = [&] {
    std::vector<EventId> ids;
    for (const OutboxRow& row : unpublished()) {
      by_scan.push_back(row.subject);
      ids.push_back(row.id);
    }
    EXPECT_TRUE(fix_.database->write([&](sql::Tx& tx) { return mark_published(tx, ids, fix_.clock.now()); }));
  };
  insert("high", 1002);
  cursor_relay();
  scanning_relay();
  insert("low", 1001);
  cursor_relay();
  scanning_relay();
  EXPECT_EQ(by_cursor, (std::vector<std::string>{"high"}));
  EXPECT_EQ(by_scan, (std::vector<std::string>{"high", "low"}));
}

TEST_F(OutboxTest, SkipsKeysAndRespectsTheLimit) {
  ASSERT_TRUE(append({event_of("a", "a1")}));
  fix_.clock.advance(std::chrono::seconds{1});
  ASSERT_TRUE(append({event_of("b", "b1")}));
  fix_.clock.advance(std::chrono::seconds{1});
  ASSERT_TRUE(append({event_of("c", "c1")}));
  EXPECT_EQ(subjects(unpublished(2)), (std::vector<std::string>{"a1", "b1"}));
  EXPECT_EQ(subjects(unpublished(2, {"a", "b"})), (std::vector<std::string>{"c1"}));
}

TEST_F(OutboxTest, PrunesOnlyWhatIsPublishedAndOldAndForgetsQuietKeys) {
  ASSERT_TRUE(append({event_of("a", "1"), event_of("b", "2")}));
  const auto rows = unpublished();
  const Timestamp at = fix_.clock.now();
  ASSERT_TRUE(fix_.database->write([&](sql::Tx& tx) { return mark_published(tx, {rows[0].id}, at); }));
  const auto prune = [&](Timestamp before) {
    return *fix_.database->write([&](sql::Tx& tx) { return prune_published(tx, before, 10); });
  };
  EXPECT_EQ(prune(at), 0);
  EXPECT_EQ(prune(at + std::chrono::microseconds{1}), 1);
  EXPECT_EQ(unpublished().size(), 1U);
  EXPECT_EQ(fix_.count("SELECT count(*) FROM outbox_keys"), 0);
  fix_.clock.advance(std::chrono::seconds{5});
  const auto depth = fix_.database->read([&](sql::Tx& tx) { return outbox_depth(tx, fix_.clock.now()); });
  ASSERT_TRUE(depth);
  EXPECT_EQ(depth->rows, 1);
  EXPECT_EQ(depth->oldest_age, std::chrono::seconds{5});
}

TEST_F(OutboxTest, AnInboxKnowsAnIdOnceForEachGroup) {
  const auto id = fix_.ids.make<EventId>();
  const auto first = [&](std::string_view group) {
    return *fix_.database->write([&](sql::Tx& tx) { return first_time(tx, group, id, fix_.clock.now()); });
  };
  EXPECT_TRUE(first("g"));
  EXPECT_FALSE(first("g"));
  EXPECT_TRUE(first("h"));
  fix_.clock.advance(std::chrono::hours{1});
  const auto gone = fix_.database->write([&](sql::Tx& tx) { return prune_inbox(tx, fix_.clock.now(), 1); });
  EXPECT_EQ(*gone, 1);
  EXPECT_EQ(fix_.count("SELECT count(*) FROM inbox"), 1);
}

TEST_F(OutboxTest, AnIdempotencyKeyHasOneAnswer) {
  using namespace idempotency;
  const Intent intent{.scope = "anna", .key = "k1", .route = "POST /gear", .request_hash = "\x01\xff"};
  const Answer answer{.status = 201, .headers = {{"location", "/gear/1"}}, .body = std::string("{\0}", 3)};
  const auto run = [&](const Intent& one) {
    return fix_.database->write([&](sql::Tx& tx) -> Result<Begun> {
      EKIDEN_TRY(Begun begun, begin(tx, one));
      if (std::holds_alternative<Fresh>(begun)) EKIDEN_CHECK(finish(tx, one, answer, fix_.clock.now()));
      return begun;
    });
  };
  EXPECT_TRUE(std::holds_alternative<Fresh>(*run(intent)));
  EXPECT_EQ(std::get<Answer>(*run(intent)), answer);
  Intent other_body = intent;
  other_body.request_hash = "\x02";
  EXPECT_EQ(run(other_body).error().slug(), "idempotency-key-reused");
  Intent other_route = intent;
  other_route.route = "POST /uploads";
  EXPECT_EQ(run(other_route).error().slug(), "idempotency-key-reused");
  Intent other_person = intent;
  other_person.scope = "berta";
  EXPECT_TRUE(std::holds_alternative<Fresh>(*run(other_person)));
  const auto lost =
      fix_.database->write([&](sql::Tx& tx) { return finish(tx, intent, answer, fix_.clock.now()); });
  EXPECT_EQ(lost.error().slug(), "idempotency-key-in-flight");
  fix_.clock.advance(std::chrono::hours{25});
  const Timestamp before = fix_.clock.now() - std::chrono::hours{24};
  EXPECT_EQ(*fix_.database->write([&](sql::Tx& tx) { return prune(tx, before, 10); }), 2);
  EXPECT_TRUE(std::holds_alternative<Fresh>(*run(intent)));
}

TEST(InFlightKeys, RefusesTheSecondAndTheOneTooMany) {
  idempotency::InFlightKeys keys(2);
  auto first = keys.enter("anna", "k");
  ASSERT_TRUE(first);
  EXPECT_EQ(keys.enter("anna", "k").error().slug(), "idempotency-key-in-flight");
  {
    const auto second = keys.enter("berta", "k");
    ASSERT_TRUE(second);
    EXPECT_EQ(keys.enter("carl", "k").error().code(), Errc::busy);
  }
  EXPECT_EQ(keys.size(), 1U);
  EXPECT_TRUE(keys.enter("carl", "k"));
}

}  // namespace
}  // namespace ekiden::delivery
