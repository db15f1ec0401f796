#pragma once

// The loops around the machines, on real threads: outbox to relay to log to runner to effects, a dead letter
// on its way out and back, a handler that is slower than the session, and a keyed handler on an executor.
#include <atomic>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/testing/kept_spans.hpp"
#include "delivery/dead_letters.hpp"
#include "delivery/relay.hpp"
#include "delivery/runner.hpp"
#include "delivery/testing/database_fixture.hpp"
#include "delivery/testing/memory_log.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"
#include "ports/sql/sqlite/testing/sqlite_place.hpp"

namespace ekiden::delivery {
namespace {

using testing::DatabaseFixture;
using testing::event_of;
using testing::MemoryLog;

/// In memory, and as a program without servers keeps it.
enum class LogKind : std::uint8_t { memory, sqlite };

class RunnerTest : public ::testing::TestWithParam<LogKind> {
 protected:
  RunnerTest() {
    EXPECT_TRUE(log_.ensure_topics({{.name = "things", .partitions = 2}}));
    relay_thread_ = std::jthread([this](const std::stop_token& stop) { relay_.run(stop); });
  }

  /// A runner with its two threads; stopped and joined by its destructor.
  struct Running {
    Running(const Subscription& subscription, const RunnerConfig& config, RunnerPorts ports,
            const Logger& logger)
        : runner(subscription, config, std::move(ports), logger),
          work([this] { runner.work(); }),
          poll([this](const std::stop_token& stop) { runner.run(stop); }) {}
    Runner runner;
    std::jthread work;
    std::jthread poll;
  };
  std::unique_ptr<Running> start(const Subscription& subscription,
                                 boost::asio::any_io_executor executor = {}) {
    return std::make_unique<Running>(subscription, RunnerConfig{.member = "m"},
                                     RunnerPorts{.database = *fix_.database,
                                                 .log = log_,
                                                 .clock = clock_,
                                                 .random = fix_.random,
                                                 .wake_relay = relay_.bell(),
                                                 .executor = std::move(executor),
                                                 .spans = &spans_},
                                     fix_.logger);
  }
  void publish(const Envelope& event) {
    const Outbox outbox("test", "things", clock_, fix_.ids, relay_.bell());
    const auto done = fix_.database->write([&](sql::Tx& tx) { return outbox.append(tx, event); });
    ASSERT_TRUE(done) << done.error().text();
  }
  /// Waits for what other threads will bring about; a test that never sees it fails at its own deadline.
  template <class Condition>
  void eventually(Condition condition) {
    const Deadline deadline = Deadline::after(clock_, std::chrono::seconds{60});
    while (!condition()) {
      ASSERT_FALSE(deadline.passed(clock_));
      std::this_thread::yield();
    }
  }
  std::unique_ptr<log::Log> make_log(LogKind kind) {
    if (kind == LogKind::memory) return std::make_unique<MemoryLog>(clock_);
    auto made = log::make_sqlite_log(log_place_.open({.clock = &clock_}), {}, clock_, fix_.logger);
    EXPECT_TRUE(made) << made.error().text();
    return *std::move(made);
  }
  std::int64_t lag(std::string_view group) {
    std::int64_t total = 0;
    const auto states = log_.state(group, "things");
    for (const log::PartitionState& one : *states) total += one.lag_events;
    return total;
  }
  std::int64_t unpublished() { return fix_.count("SELECT count(*) FROM outbox WHERE published_at IS NULL"); }
  Result<void> apply(sql::Tx& tx, const Envelope& event) {
    EKIDEN_TRY(const sql::Rows place, tx.query("SELECT coalesce(max(place), 0) + 1 FROM effects"));
    EKIDEN_CHECK(
        tx.execute("INSERT INTO effects (place, group_name, event_id, subject, key, sequence) "
                   "VALUES ($1, 'g', $2, $3, $4, $5)",
                   {place.at(0).integer(0), event.id, event.subject, event.partition_key, event.sequence}));
    return {};
  }
  Subscription subscription() {
    return {
        .group = "g",
        .topic = "things",
        .types = {"thing.happened"},
        .apply = Batched{.apply = [this](sql::Tx& tx, const Envelope& event) { return apply(tx, event); }},
        .retry = {.attempts_max = 3, .first_delay = std::chrono::milliseconds{1}}};
  }

  DatabaseFixture fix_;
  SystemClock clock_;
  ekiden::testing::KeptSpans spans_;
  sql::testing::SqlitePlace log_place_;
  std::unique_ptr<log::Log> made_log_ = make_log(GetParam());
  log::Log& log_ = *made_log_;
  Relay relay_{{}, *fix_.database, log_, clock_, fix_.random, fix_.logger};
  std::jthread relay_thread_;
};

TEST_P(RunnerTest, AnAppliedEventIsAStepOfTheTraceThatCausedIt) {
  const Subscription subscribed = subscription();
  const auto running = start(subscribed);
  Envelope unseen = event_of("a", "s", 0);
  unseen.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  publish(unseen);
  Envelope seen = event_of("a", "s", 0);
  seen.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01";
  publish(seen);
  eventually([&] { return !spans_.spans().empty(); });
  const std::vector<Span> spans = spans_.spans();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(spans[0].context.parent_span_id, "00f067aa0ba902b8");
  EXPECT_EQ(spans[0].name, "process thing.happened");
  EXPECT_EQ(spans[0].service, "g");
  EXPECT_GE(spans[0].end, spans[0].start);
}

TEST_P(RunnerTest, CarriesEventsFromOutboxToEffectAndTellsAfterTheCommit) {
  std::atomic<std::int64_t> told = 0;
  Subscription subscribed = subscription();
  subscribed.after_commit = [&](const std::vector<Envelope>& events) -> Result<void> {
    for (const Envelope& event : events)
      EXPECT_EQ(fix_.count("SELECT count(*) FROM effects WHERE event_id = $1", {event.id}), 1);
    told += static_cast<std::int64_t>(events.size());
    return {};
  };
  const auto running = start(subscribed);
  for (int i = 0; i < 60; ++i) publish(event_of("k" + std::to_string(i % 7), "s", 0));
  eventually([&] { return told == 60; });
  eventually([&] { return unpublished() == 0 && lag("g") == 0; });
  EXPECT_EQ(fix_.count("SELECT count(*) FROM effects"), 60);
  EXPECT_GE(relay_.figures().published, 60);
}

TEST_P(RunnerTest, ADeadLetterGoesOutHoldsItsKeyAndComesBack) {
  std::atomic<bool> is_mended = false;
  Subscription subscribed = subscription();
  subscribed.after_death = AfterDeath::wait;
  subscribed.apply = Batched{.apply = [&](sql::Tx& tx, const Envelope& event) -> Result<void> {
    if (event.subject == "poison" && !is_mended) throw std::runtime_error("cannot digest it");
    return apply(tx, event);
  }};
  const auto running = start(subscribed);
  publish(event_of("a", "poison"));
  publish(event_of("a", "behind"));
  publish(event_of("b", "other"));
  DeadLetters letters(log_);
  eventually([&] { return letters.list("things", "g", 10)->size() == 1; });
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 1 && lag("g") == 0; });
  EXPECT_EQ(fix_.count("SELECT count(*) FROM effects WHERE subject = 'other'"), 1);
  EXPECT_EQ(fix_.count("SELECT count(*) FROM parked"), 1);
  const DeadLetter letter = letters.list("things", "", 10)->front();
  EXPECT_EQ(letter.error_text, "the handler threw: cannot digest it");
  EXPECT_EQ(letter.subject, "poison");
  EXPECT_EQ(letter.attempts, 1);
  EXPECT_EQ(letters.show("things", "g", letter.event_id)->offset, letter.offset);
  EXPECT_EQ(letters.show("things", "other-group", letter.event_id).error().code(), Errc::not_found);
  is_mended = true;
  DeadLetter of_another = letter;
  of_another.group = "other-group";
  EXPECT_TRUE(letters.replay(of_another, ReplayMode::apply));
  EXPECT_TRUE(letters.replay(letter, ReplayMode::apply));
  EXPECT_TRUE(letters.replay(letter, ReplayMode::apply));
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 3; });
  const auto rows =
      fix_.database->read([](sql::Tx& tx) { return tx.query("SELECT subject FROM effects ORDER BY place"); });
  EXPECT_EQ(rows->at(1).text(0), "poison");
  EXPECT_EQ(rows->at(2).text(0), "behind");
  eventually([&] { return fix_.count("SELECT count(*) FROM blocked_keys") == 0 && lag("g") == 0; });
}

/// Loses what it is told to.
struct Nobody : log::RebalanceListener {
  void on_assigned(const std::vector<log::TopicPartition>&) override {}
  void on_revoked(const std::vector<log::TopicPartition>&) override {}
  void on_lost(const std::vector<log::TopicPartition>&) override {}
};

/// What only a log with named members can show.
class NamedMemberTest : public RunnerTest {};

TEST_P(NamedMemberTest, ComesBackWhenAnotherHasTakenItsName) {
  const Subscription subscribed = subscription();
  const auto running = start(subscribed);
  publish(event_of("a", "before"));
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 1; });
  Nobody nobody;
  auto other = log_.join({.group = "g", .topics = {"things"}, .member = "m"}, nobody);
  ASSERT_TRUE(other) << other.error().text();
  eventually([&] { return running->runner.figures().poll_errors > 0; });
  other->reset();
  publish(event_of("a", "after"));
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 2; });
}

TEST_P(RunnerTest, WhatComesTogetherIsWrittenTogetherAndAFaultTakesNobodyWithIt) {
  std::atomic<std::int64_t> largest = 0;
  Subscription subscribed = subscription();
  subscribed.apply =
      Batched{.apply = [](sql::Tx&, const Envelope&) { return Result<void>{}; },
              .together = [&](sql::Tx& tx, const std::vector<const Envelope*>& events) -> Result<void> {
                for (const Envelope* event : events) {
                  if (event->subject == "poison") return Error{Errc::invalid, "bad", "cannot digest it"};
                  EKIDEN_CHECK(apply(tx, *event));
                }
                largest = std::max<std::int64_t>(largest, static_cast<std::int64_t>(events.size()));
                return {};
              }};
  for (int i = 0; i < 20; ++i) publish(event_of("a", i == 7 ? "poison" : "sound"));
  eventually([&] { return unpublished() == 0; });
  const auto running = start(subscribed);
  DeadLetters letters(log_);
  eventually([&] { return letters.list("things", "g", 10)->size() == 1 && lag("g") == 0; });
  EXPECT_EQ(fix_.count("SELECT count(*) FROM effects"), 19);
  EXPECT_EQ(letters.list("things", "g", 10)->front().subject, "poison");
  for (int i = 0; i < 20; ++i) publish(event_of("b", "later"));
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 39; });
  EXPECT_GT(largest, 0);
}

TEST_P(RunnerTest, PollsGoOnWhileAHandlerIsSlow) {
  std::atomic<bool> may_end = false;
  std::atomic<bool> has_begun = false;
  Subscription subscribed = subscription();
  subscribed.prefetch = 4;
  subscribed.apply = Batched{.apply = [&](sql::Tx& tx, const Envelope& event) -> Result<void> {
                               has_begun = true;
                               has_begun.notify_all();
                               may_end.wait(false);
                               return apply(tx, event);
                             },
                             .batch_max = 1};
  const auto running = start(subscribed);
  // Straight to the log: the handler holds the database's one writer.
  for (int i = 0; i < 40; ++i) {
    Envelope event = event_of("k" + std::to_string(i), "s");
    event.id = fix_.ids.make<EventId>();
    event.source = "/test";
    event.time = clock_.now();
    log_.producer()->send(encode(event, "things"), [](auto sent) { EXPECT_TRUE(sent); });
  }
  has_begun.wait(false);
  // The polling thread has paused the partitions: it works beside the handler.
  eventually([&] {
    const auto partitions = running->runner.figures().partitions;
    return !partitions.empty() &&
           std::ranges::all_of(partitions, [](const auto& one) { return one.is_paused; });
  });
  may_end = true;
  may_end.notify_all();
  eventually([&] { return lag("g") == 0; });
  EXPECT_EQ(fix_.count("SELECT count(*) FROM effects"), 40);
}

runtime::Task<Result<void>> count_call(std::atomic<int>* calls, Envelope event) {
  ++*calls;
  // The first event of this subject is refused twice, as a busy provider does.
  if (event.subject == "busy" && *calls <= 2) co_return Error{Errc::unavailable, "busy", "later"};
  co_return Result<void>{};
}

/// What only the log in memory lets a test do.
class ForgetfulLogTest : public RunnerTest {};

TEST_P(ForgetfulLogTest, SaysLoudlyThatUnreadEventsAreGone) {
  MemoryLog& memory = static_cast<MemoryLog&>(log_);
  ASSERT_TRUE(log_.ensure_topics({{.name = "short", .partitions = 1}}));
  for (int i = 0; i < 5; ++i) {
    Envelope event = event_of("k", "s" + std::to_string(i));
    event.id = fix_.ids.make<EventId>();
    event.source = "/test";
    event.time = clock_.now();
    log_.producer()->send(encode(event, "short"), [](auto sent) { EXPECT_TRUE(sent); });
  }
  ASSERT_TRUE(log_.reset("g", {"short", 0}, {1}));
  memory.truncate({"short", 0}, {3});
  Subscription subscribed = subscription();
  subscribed.topic = "short";
  const auto running = start(subscribed);
  eventually([&] { return fix_.count("SELECT count(*) FROM effects") == 2; });
  EXPECT_EQ(running->runner.figures().gaps, 1);
}

TEST_P(RunnerTest, RunsKeyedHandlersOnTheirExecutor) {
  boost::asio::io_context context;
  auto guard = boost::asio::make_work_guard(context);
  std::jthread loop([&] { context.run(); });
  std::atomic<int> calls = 0;
  Subscription subscribed = subscription();
  subscribed.retry.attempts_max = 10;
  subscribed.apply = Keyed{.apply = [&](Envelope event) { return count_call(&calls, std::move(event)); }};
  {
    const auto running = start(subscribed, context.get_executor());
    publish(event_of("a", "busy"));
    publish(event_of("b", "calm"));
    eventually([&] { return fix_.count("SELECT count(*) FROM inbox WHERE state = 'applied'") == 2; });
    eventually([&] { return lag("g") == 0; });
    EXPECT_GE(calls, 3);
  }
  guard.reset();
}

INSTANTIATE_TEST_SUITE_P(Logs, RunnerTest, ::testing::Values(LogKind::memory, LogKind::sqlite),
                         [](const auto& info) {
                           return info.param == LogKind::memory ? "memory" : "sqlite";
                         });

INSTANTIATE_TEST_SUITE_P(Logs, NamedMemberTest, ::testing::Values(LogKind::sqlite));
INSTANTIATE_TEST_SUITE_P(Logs, ForgetfulLogTest, ::testing::Values(LogKind::memory));

}  // namespace
}  // namespace ekiden::delivery
