// The relay beside writers whose transactions really overlap. Positions are drawn when a row is written, and
// rows appear when their transaction commits: a relay that remembers how far it has come loses rows, ours
// must not. Then many writers, two relays, and the log afterwards.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "delivery/relay.hpp"
#include "delivery/testing/database_fixture.hpp"
#include "delivery/testing/memory_log.hpp"

namespace ekiden::delivery {
namespace {

using sql::contract::Countdown;
using sql::contract::Gate;
using testing::DatabaseFixture;
using testing::event_of;
using testing::MemoryLog;

/// Remembers the highest position that it has seen, as a relay must not.
class CursorRelay {
 public:
  explicit CursorRelay(sql::Database& database) : database_(database) {}
  void look() {
    const auto rows = database_.read([&](sql::Tx& tx) {
      return tx.query("SELECT subject, position FROM outbox WHERE position > $1 ORDER BY position",
                      {cursor_});
    });
    ASSERT_TRUE(rows) << rows.error().text();
    for (const sql::Row& row : *rows) {
      seen.push_back(row.text(0));
      cursor_ = row.integer(1);
    }
  }
  std::vector<std::string> seen;

 private:
  sql::Database& database_;
  std::int64_t cursor_ = 0;
};

class RelayOnServer : public ::testing::Test {
 protected:
  /// Relays until nothing is unpublished.
  void drain(int relays) {
    std::vector<std::unique_ptr<Relay>> made;
    std::vector<std::jthread> threads;
    for (int i = 0; i < relays; ++i) {
      made.push_back(
          std::make_unique<Relay>(RelayConfig{}, *fix_.database, log_, clock_, fix_.random, fix_.logger));
      threads.emplace_back([&relay = *made.back()](const std::stop_token& stop) { relay.run(stop); });
    }
    while (!is_over_ || fix_.count("SELECT count(*) FROM outbox WHERE published_at IS NULL") > 0)
      std::this_thread::yield();
  }
  std::vector<std::string> subjects() {
    std::vector<std::string> all;
    const auto records = log_.read({"things", 0}, {0}, 1'000'000);
    for (const log::Record& record : *records) all.push_back(decode(record)->subject);
    return all;
  }

  SystemClock clock_;
  DatabaseFixture fix_;
  MemoryLog log_{clock_};
  Outbox outbox_{"test", "things", clock_, fix_.ids, [] {}};
  std::atomic<bool> is_over_{false};
};

TEST_F(RelayOnServer, FindsTheRowOfATransactionThatWasOpenWhenLaterOnesWerePublished) {
  ASSERT_TRUE(log_.ensure_topics({{.name = "things", .partitions = 1}}));
  Gate gate;
  Countdown has_drawn(1);
  Countdown ended(1);
  fix_.database->submit(
      {},
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_CHECK(outbox_.append(tx, event_of("a", "low")));
        has_drawn.tell();
        gate.pass();
        return {};
      },
      [&](const Result<void>& outcome) {
        EXPECT_TRUE(outcome);
        ended.tell();
      });
  has_drawn.wait();
  ASSERT_TRUE(fix_.database->write([&](sql::Tx& tx) { return outbox_.append(tx, event_of("b", "high")); }));
  CursorRelay naive(*fix_.database);
  naive.look();
  is_over_ = true;
  drain(1);
  gate.open();
  ended.wait();
  naive.look();
  drain(1);
  EXPECT_EQ(naive.seen, (std::vector<std::string>{"high"})) << "the adversary does not do its work any more";
  EXPECT_EQ(subjects(), (std::vector<std::string>{"high", "low"}));
}

TEST_F(RelayOnServer, PublishesAllOfManyWritersInTheOrderOfTheirCommits) {
  ASSERT_TRUE(log_.ensure_topics({{.name = "things", .partitions = 1}}));
  constexpr int kWriters = 6;
  constexpr int kEvents = 40;
  constexpr int kKeys = 4;
  std::jthread writers([&] {
    sql::contract::on_threads(kWriters, [&](int writer) {
      for (int i = 0; i < kEvents; ++i) {
        const int key = (writer + i) % kKeys;
        const auto done = fix_.database->write([&](sql::Tx& tx) -> Result<void> {
          // The aggregate's own count is the order in which its transactions commit.
          EKIDEN_TRY(const sql::Rows rows,
                     tx.query("INSERT INTO effects (place, group_name, event_id, subject, key, sequence) "
                              "VALUES ($1, 'g', $2, '', '', 1) ON CONFLICT (place) DO UPDATE "
                              "SET sequence = effects.sequence + 1 RETURNING sequence",
                              {key, fix_.ids.make<EventId>()}));
          const std::string name = "k" + std::to_string(key);
          return outbox_.append(tx, event_of(name, name, rows.at(0).integer(0)));
        });
        EXPECT_TRUE(done) << done.error().text();
      }
    });
    is_over_ = true;
  });
  drain(2);
  const auto records = log_.read({"things", 0}, {0}, 1'000'000);
  ASSERT_TRUE(records);
  std::map<std::string, std::int64_t> last;
  std::set<EventId> seen;
  for (const log::Record& record : *records) {
    const auto event = decode(record);
    ASSERT_TRUE(event);
    if (!seen.insert(event->id).second) continue;  // Two relays may publish a row twice.
    EXPECT_EQ(event->sequence, last[record.key] + 1) << record.key;
    last[record.key] = event->sequence;
  }
  EXPECT_EQ(seen.size(), std::size_t{kWriters} * kEvents);
}

}  // namespace
}  // namespace ekiden::delivery
