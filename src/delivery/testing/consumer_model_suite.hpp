#pragma once

// A consumer group against a model, with seeded schedules: members that join, crash and are fenced, a log
// that repeats, rewinds and reorders, a database that loses transactions and answers, handlers that fail,
// poison. Work stays in hand across all of it. Held at every step: no offset is committed before its event is
// in the inbox. Held at rest: every event had its effect once, in order; dead ones are in the dead-letter
// topic once; after their replay nothing waits any more.
#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "delivery/dead_letters.hpp"
#include "delivery/group_store.hpp"
#include "delivery/testing/database_fixture.hpp"
#include "delivery/testing/memory_log.hpp"
#include "delivery/testing/stepped_member.hpp"

namespace ekiden::delivery {
namespace {

using testing::DatabaseFixture;
using testing::event_of;
using testing::FlakyDatabase;
using testing::MemoryLog;
using testing::SteppedMember;

constexpr std::string_view kGroup = "readers";
constexpr std::string_view kTopic = "things";

struct Mode {
  std::string name;
  bool is_keyed = false;
  bool in_sequence = false;
  AfterDeath after_death = AfterDeath::go_on;
};

void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.name;
}

class Simulation {
 public:
  Simulation(const Mode& mode, std::uint64_t seed)
      : mode_(mode), random_(seed), flaky_(*fix_.database, random_) {
    subscription_ = {.group = kGroup,
                     .topic = kTopic,
                     .types = {"thing.happened"},
                     .apply = Batched{},
                     .after_death = mode.after_death,
                     .in_sequence = mode.in_sequence,
                     .retry = {.attempts_max = 1000}};
    if (mode.is_keyed) {
      subscription_.apply = Keyed{};
    } else {
      subscription_.apply =
          Batched{.apply = [this](sql::Tx& tx, const Envelope& event) { return apply(tx, event); }};
    }
    limits_ = {.is_keyed = mode.is_keyed,
               .batch_max = 5,
               .keys_max = 3,
               .prefetch = 8,
               .retry = subscription_.retry};
    EXPECT_TRUE(log_.ensure_topics(
        {{.name = std::string(kTopic), .partitions = 3}, {.name = "things.dlq", .partitions = 1}}));
  }

  void run_with_faults(int steps) {
    flaky_.is_failing = true;
    for (int i = 0; i < steps; ++i) {
      if (random_.below(4) == 0) produce();
      disturb();
      if (!members_.empty()) members_[random_.below(members_.size())]->do_something();
      if (random_.below(3) == 0) fix_.clock.advance(std::chrono::milliseconds{random_.below(400)});
    }
  }

  void heal_and_rest() {
    flaky_.is_failing = false;
    is_handler_flaky_ = false;
    if (members_.empty()) join();
    int quiet = 0;
    for (int i = 0; i < 5000 && quiet < 5; ++i) {
      bool any = false;
      for (auto& member : members_) any = member->do_all() || any;
      // Far enough for retries; a sweep comes with every thirtieth second.
      fix_.clock.advance(std::chrono::seconds{11});
      const auto states = log_.state(kGroup, kTopic);
      const bool is_level = std::ranges::all_of(*states, [](const auto& one) { return one.lag_events == 0; });
      quiet = is_level && !has_releasable() ? quiet + 1 : 0;
    }
    EXPECT_GE(quiet, 5) << "the group does not come to rest";
  }

  void expect_dead_once() {
    for (const EventId& id : poison_) {
      const std::int64_t dead =
          fix_.count("SELECT count(*) FROM inbox WHERE state = 'dead' AND event_id = $1", {id});
      const std::int64_t parked = fix_.count("SELECT count(*) FROM parked WHERE event_id = $1", {id});
      EXPECT_EQ(dead + parked, 1) << "poison is dead, or waits behind another of its key";
    }
    const std::int64_t dead = fix_.count("SELECT count(*) FROM inbox WHERE state = 'dead'");
    EXPECT_EQ(fix_.count("SELECT count(*) FROM outbox WHERE topic = 'things.dlq'"), dead);
    EXPECT_EQ(fix_.count("SELECT count(*) FROM effects") + dead + fix_.count("SELECT count(*) FROM parked"),
              static_cast<std::int64_t>(events_.size()) + unreadable_);
  }

  void mend_and_replay() {
    is_mended_ = true;
    DeadLetters letters(log_);
    for (int round = 0; round < 30; ++round) {
      relay();
      const auto listed = letters.list(kTopic, kGroup, 1000);
      ASSERT_TRUE(listed) << listed.error().text();
      for (const DeadLetter& letter : *listed)
        EXPECT_TRUE(letters.replay(letter, letter.type.empty() ? ReplayMode::discard : ReplayMode::apply));
      heal_and_rest();
      if (fix_.count("SELECT count(*) FROM inbox WHERE state = 'dead'") == 0) break;
    }
    EXPECT_EQ(fix_.count("SELECT count(*) FROM inbox WHERE state IN ('dead', 'parked')"), 0);
    EXPECT_EQ(fix_.count("SELECT count(*) FROM parked"), 0);
    EXPECT_EQ(fix_.count("SELECT count(*) FROM blocked_keys"), 0);
    EXPECT_EQ(fix_.count("SELECT count(*) FROM inbox WHERE state = 'discarded'"), unreadable_);
  }

  void expect_every_effect_once_in_order() {
    const auto rows = fix_.database->read([](sql::Tx& tx) {
      return tx.query("SELECT event_id, subject, sequence, key FROM effects ORDER BY place");
    });
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->size(), events_.size());
    std::set<EventId> seen;
    std::map<std::string, std::int64_t> last;
    std::map<std::string, std::size_t> last_of_key;
    for (const sql::Row& row : *rows) {
      EXPECT_TRUE(seen.insert(row.id<EventId>(0)).second) << "an effect twice";
      if (mode_.in_sequence) EXPECT_EQ(row.integer(2), ++last[row.text(1)]) << row.text(1);
      if (mode_.in_sequence || mode_.after_death == AfterDeath::go_on) continue;
      const std::size_t index = events_.at(row.id<EventId>(0));
      const auto [before, is_first] = last_of_key.try_emplace(row.text(3), index);
      EXPECT_TRUE(is_first || before->second < index) << "key " << row.text(3) << " out of order";
      before->second = index;
    }
  }

  std::size_t dead_handlers() const { return poison_.size(); }

 private:
  bool is_refused(const Envelope& event) { return !is_mended_ && poison_.contains(event.id); }

  Result<void> apply(sql::Tx& tx, const Envelope& event) {
    if (is_refused(event)) return Error{Errc::invalid, "poison", "the handler refuses it"};
    if (is_handler_flaky_ && random_.below(12) == 0) return Error{Errc::busy, "later", "not now"};
    EKIDEN_TRY(const sql::Rows place, tx.query("SELECT coalesce(max(place), 0) + 1 FROM effects"));
    EKIDEN_CHECK(tx.execute(
        "INSERT INTO effects (place, group_name, event_id, subject, key, sequence) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {place.at(0).integer(0), kGroup, event.id, event.subject, event.partition_key, event.sequence}));
    return {};
  }

  /// What a keyed handler does outside, under a claim of its own.
  Result<void> call(const Envelope& event) {
    return fix_.database->write([&](sql::Tx& tx) -> Result<void> {
      EKIDEN_TRY(const sql::Rows known, tx.query("SELECT 1 FROM effects WHERE event_id = $1", {event.id}));
      if (!known.empty()) return {};
      return apply(tx, event);
    });
  }

  void produce() {
    const std::string key = "k" + std::to_string(random_.below(5));
    if (random_.below(25) == 0) {
      produce_unreadable(key);
      return;
    }
    const std::string subject = key + "/" + std::to_string(random_.below(2));
    Envelope event = event_of(key, subject, mode_.in_sequence ? ++sequences_[subject] : 0);
    event.id = fix_.ids.make<EventId>();
    event.source = "/test";
    event.time = fix_.clock.now();
    events_.emplace(event.id, events_.size());
    if (random_.below(20) == 0) poison_.insert(event.id);
    if (random_.below(10) == 0) send(event_of_other_type(key));
    if (mode_.in_sequence && random_.below(4) == 0) {
      late_.push_back(event);
    } else {
      send(event);
    }
    // Where sequences stand in the events, the log may have them in any order.
    if (late_.size() > 3 || random_.below(5) == 0) flush_late();
  }
  Envelope event_of_other_type(const std::string& key) {
    Envelope other = event_of(key, key + "/other", 0, "thing.ignored");
    other.id = fix_.ids.make<EventId>();
    other.source = "/test";
    other.time = fix_.clock.now();
    return other;
  }
  void produce_unreadable(const std::string& key) {
    const std::string value = "{" + std::to_string(++unreadable_);
    log_.producer()->send({.topic = std::string(kTopic), .key = key, .value = value, .headers = {}},
                          [](auto) {});
  }
  void send(const Envelope& event) {
    log_.producer()->send(encode(event, kTopic), [](auto outcome) { EXPECT_TRUE(outcome); });
  }

 public:
  void flush_late() {
    while (!late_.empty()) {
      const auto which = late_.begin() + static_cast<std::ptrdiff_t>(random_.below(late_.size()));
      send(*which);
      late_.erase(which);
    }
  }

 private:
  void disturb() {
    switch (random_.below(60)) {
      case 0:
      case 1:
        if (members_.size() < 3) join();
        break;
      case 2:
        if (!members_.empty())
          members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(random_.below(members_.size())));
        break;
      case 3:
        log_.expire(kGroup);
        break;
      case 4:
        rewind();
        break;
      case 5:
        repeat();
        break;
      default:
        break;
    }
  }
  log::PartitionState any_partition() {
    const auto states = log_.state(kGroup, kTopic);
    return states->at(random_.below(states->size()));
  }
  void rewind() {
    const log::PartitionState state = any_partition();
    if (!state.committed || state.committed->value == 0) return;
    const auto back =
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(state.committed->value)));
    EXPECT_TRUE(log_.reset(kGroup, state.at, {back}));
  }
  void repeat() {
    const log::PartitionState state = any_partition();
    if (state.end.value == 0) return;
    const auto offset = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(state.end.value)));
    log_.repeat(state.at, {offset});
  }
  void join() {
    members_.push_back(std::make_unique<SteppedMember>(
        subscription_, limits_,
        SteppedMember::World{.log = log_,
                             .database = flaky_,
                             .clock = fix_.clock,
                             .random = random_,
                             .on_store = [this](const auto& at, auto next) { expect_settled(at, next); },
                             .call = [this](const Envelope& event) { return call(event); }}));
  }
  void expect_settled(const log::TopicPartition& at, log::CommittedOffset next) {
    const auto records = log_.read(at, {0}, static_cast<std::size_t>(next.value));
    std::vector<EventId> ids;
    for (const log::Record& record : *records) {
      const auto arrived = arrive(record, kGroup);
      if (is_handled(subscription_, *arrived)) ids.push_back(arrived->id);
    }
    const auto states = fix_.database->read(
        [&](sql::Tx& tx) { return GroupStore(tx, kGroup, fix_.clock.now()).states(ids); });
    ASSERT_TRUE(states);
    for (const EventId& id : ids) EXPECT_TRUE(states->contains(id)) << "committed beyond an unfinished event";
  }
  bool has_releasable() {
    const auto found = fix_.database->read([&](sql::Tx& tx) -> Result<bool> {
      GroupStore store(tx, kGroup, fix_.clock.now());
      for (std::int32_t partition = 0; partition < 3; ++partition) {
        EKIDEN_TRY(const auto keys, store.releasable({std::string(kTopic), partition}));
        if (!keys.empty()) return true;
      }
      return false;
    });
    return *found;
  }
  void relay() {
    const auto rows = fix_.database->read([](sql::Tx& tx) { return read_unpublished(tx, 1000, {}); });
    std::vector<EventId> ids;
    for (const OutboxRow& row : *rows) {
      log_.producer()->send(row.message, [](auto outcome) { EXPECT_TRUE(outcome); });
      ids.push_back(row.id);
    }
    EXPECT_TRUE(fix_.database->write([&](sql::Tx& tx) { return mark_published(tx, ids, fix_.clock.now()); }));
  }

  Mode mode_;
  DatabaseFixture fix_;
  ekiden::testing::SeededRandom random_;
  FlakyDatabase flaky_;
  MemoryLog log_{fix_.clock};
  Subscription subscription_;
  RunnerLimits limits_;
  std::map<EventId, std::size_t> events_;  ///< with their places in the order of production
  std::map<std::string, std::int64_t> sequences_;
  std::vector<Envelope> late_;
  std::set<EventId> poison_;
  std::int64_t unreadable_ = 0;
  bool is_mended_ = false;
  bool is_handler_flaky_ = true;
  std::vector<std::unique_ptr<SteppedMember>> members_;
};

class ConsumerModel : public ::testing::TestWithParam<Mode> {};

TEST_P(ConsumerModel, AppliesEveryEventOnceInOrderUnderAnySchedule) {
  std::size_t poisoned = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(GetParam(), seed);
    simulation.run_with_faults(600);
    simulation.flush_late();
    simulation.heal_and_rest();
    simulation.expect_dead_once();
    simulation.mend_and_replay();
    simulation.expect_every_effect_once_in_order();
    poisoned += simulation.dead_handlers();
    if (HasFailure()) return;
  }
  EXPECT_GT(poisoned, 0U) << "the schedules never met poison";
}

INSTANTIATE_TEST_SUITE_P(Modes, ConsumerModel,
                         ::testing::Values(Mode{"batched", false, false, AfterDeath::go_on},
                                           Mode{"batched_wait", false, false, AfterDeath::wait},
                                           Mode{"batched_in_sequence", false, true, AfterDeath::go_on},
                                           Mode{"batched_in_sequence_wait", false, true, AfterDeath::wait},
                                           Mode{"keyed", true, false, AfterDeath::go_on},
                                           Mode{"keyed_wait", true, false, AfterDeath::wait},
                                           Mode{"keyed_in_sequence_wait", true, true, AfterDeath::wait}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ekiden::delivery
