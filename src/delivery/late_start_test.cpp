// Goal: a group that reads in sequence does not wait for ever for what the log had dropped before it came,
// and still waits for what is only late, or dead.
#include <gtest/gtest.h>

#include "delivery/group_store.hpp"
#include "delivery/testing/database_fixture.hpp"
#include "delivery/work_executor.hpp"

namespace ekiden::delivery {
namespace {

using testing::DatabaseFixture;
using testing::event_of;

class LateStart : public ::testing::Test {
 protected:
  ItemPtr item(const std::string& subject, std::int64_t sequence, std::chrono::seconds age,
               const std::string& type = "thing.happened") {
    Envelope event = event_of("key", subject, sequence, type);
    event.id = fix_.ids.make<EventId>();
    event.source = "/test";
    event.time = fix_.clock.now();
    log::Message message = encode(event, "things");
    auto made = std::make_shared<Item>();
    made->at = {"things", 0};
    made->key = message.key;
    made->arrived = arrive({.at = made->at,
                            .offset = {next_offset_++},
                            .appended_at = fix_.clock.now() - age,
                            .key = message.key,
                            .value = message.value,
                            .headers = message.headers},
                           "g");
    return made;
  }
  WorkResult run(Work::Kind kind, std::vector<ItemPtr> items) {
    return executor_.execute({.kind = kind, .items = std::move(items), .partitions = {{"things", 0}}});
  }
  Verdict take(const ItemPtr& one) { return run(Work::Kind::apply, {one}).items.at(0).verdict; }
  std::int64_t last(const std::string& subject) {
    return fix_.count("SELECT coalesce(max(last_sequence), -1) FROM sequences WHERE subject = $1", {subject});
  }

  static constexpr std::chrono::seconds kOld = GroupStore::kGapPatience;
  static constexpr std::chrono::seconds kFresh = GroupStore::kGapPatience - std::chrono::seconds{1};
  DatabaseFixture fix_;
  std::int64_t next_offset_ = 5000;
  bool refuses_ = false;
  Subscription subscription_{.group = "g",
                             .topic = "things",
                             .types = {"thing.happened", "thing.deleted"},
                             .apply = Batched{.apply = [this](sql::Tx&, const Envelope&) -> Result<void> {
                               if (refuses_) return Error{Errc::invalid, "no", "refused"};
                               return {};
                             }},
                             .in_sequence = true,
                             .last_types = {"thing.deleted"}};
  WorkExecutor executor_{subscription_, *fix_.database, fix_.clock, {}};
};

TEST_F(LateStart, TheFirstThatIsLeftIsTheBeginning) {
  const WorkResult result = run(Work::Kind::apply, {item("a", 4, kOld), item("a", 5, kFresh)});
  EXPECT_EQ(result.items.at(0).verdict, Verdict::applied);
  EXPECT_EQ(result.items.at(1).verdict, Verdict::applied);
  EXPECT_EQ(result.late_starts, 1);
  EXPECT_EQ(last("a"), 5);
}

TEST_F(LateStart, WhatIsYoungWaitsForWhatMayStillCome) {
  EXPECT_EQ(take(item("a", 2, kFresh)), Verdict::parked);
  EXPECT_EQ(take(item("a", 1, kFresh)), Verdict::applied);
  EXPECT_EQ(run(Work::Kind::sweep, {}).release.size(), 1U);
}

TEST_F(LateStart, WhatWaitedLongEnoughGoesOnInOrder) {
  EXPECT_EQ(take(item("a", 4, kFresh)), Verdict::parked);
  EXPECT_EQ(take(item("a", 3, kFresh)), Verdict::parked);
  EXPECT_TRUE(run(Work::Kind::sweep, {}).release.empty());
  fix_.clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(take(item("a", 5, kOld)), Verdict::parked) << "earlier ones wait, it is not the first";
  ASSERT_EQ(run(Work::Kind::sweep, {}).release.size(), 1U);
  auto look = std::make_shared<Item>();
  look->at = {"things", 0};
  look->key = "key";
  look->origin = Item::Origin::parked;
  for (const std::int64_t sequence : {3, 4, 5}) {
    const WorkResult released = run(Work::Kind::release, {look});
    ASSERT_EQ(released.items.at(0).verdict, Verdict::applied);
    EXPECT_EQ(released.items.at(0).arrived->event->sequence, sequence);
    EXPECT_EQ(released.late_starts, sequence == 3 ? 1 : 0);
  }
  EXPECT_EQ(last("a"), 5);
}

TEST_F(LateStart, ADeadOneIsWaitedForHoweverOldTheNextGrows) {
  refuses_ = true;
  const ItemPtr first = item("a", 1, kOld);
  EXPECT_EQ(run(Work::Kind::apply, {first}).outcome, WorkResult::Outcome::failed);
  first->death = Error{Errc::invalid, "no", "refused"};
  EXPECT_EQ(run(Work::Kind::kill, {first}).items.at(0).verdict, Verdict::dead);
  refuses_ = false;
  EXPECT_EQ(take(item("a", 2, kOld)), Verdict::parked);
  fix_.clock.advance(std::chrono::hours{24});
  EXPECT_TRUE(run(Work::Kind::sweep, {}).release.empty());
}

TEST_F(LateStart, NothingIsKeptOfTheOrderOfWhatHasEnded) {
  EXPECT_EQ(take(item("a", 1, kFresh)), Verdict::applied);
  EXPECT_EQ(last("a"), 1);
  const ItemPtr end = item("a", 2, kFresh, "thing.deleted");
  EXPECT_EQ(take(end), Verdict::applied);
  EXPECT_EQ(last("a"), -1);
  EXPECT_EQ(take(end), Verdict::duplicate) << "the inbox knows it";
}

}  // namespace
}  // namespace ekiden::delivery
