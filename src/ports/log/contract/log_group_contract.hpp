#pragma once

// What every log promises to consumer groups: committed offsets, redelivery, rebalancing, fencing.

#include <thread>

#include "ports/log/contract/log_harness.hpp"

namespace ekiden::log::contract {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(LogContract, WhatWasNotStoredComesAgain) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  {
    Member first(log(), config());
    ASSERT_TRUE(first.read(10));
    EXPECT_TRUE(first.consumer->store({"t", 0}, after(first.seen[3].offset)));
    EXPECT_TRUE(first.consumer->close());
  }
  EXPECT_EQ(committed("g", {"t", 0}), 4);
  Member second(log(), config());
  ASSERT_TRUE(second.read(6));
  EXPECT_EQ(second.seen[0].value, "4");
}

TEST_P(LogContract, CommittedOffsetsOutliveARestart) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  {
    Member first(log(), config());
    ASSERT_TRUE(first.read(7));
    EXPECT_TRUE(first.consumer->store({"t", 0}, CommittedOffset{7}));
    ASSERT_TRUE(first.poll_until([&] { return committed("g", {"t", 0}) == 7; })) << "it is committed soon";
  }
  harness_->reopen();
  Member second(log(), config());
  ASSERT_TRUE(second.read(3));
  EXPECT_THAT(second.values(), ElementsAre("7", "8", "9"));
  EXPECT_THAT(*log().groups(), ElementsAre("g"));
}

TEST_P(LogContract, StoringBackwardsIsIgnored) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  {
    Member member(log(), config());
    ASSERT_TRUE(member.read(10));
    EXPECT_TRUE(member.consumer->store({"t", 0}, CommittedOffset{8}));
    EXPECT_TRUE(member.consumer->store({"t", 0}, CommittedOffset{2}));
    EXPECT_TRUE(member.consumer->close());
  }
  EXPECT_EQ(committed("g", {"t", 0}), 8);
}

TEST_P(LogContract, OnlyTheOwnerStores) {
  make_topic("t", 1);
  make_topic("other", 1);
  Member member(log(), config());
  ASSERT_TRUE(member.own(1));
  EXPECT_EQ(member.consumer->store({"other", 0}, CommittedOffset{0}).error().code(), Errc::conflict);
  EXPECT_EQ(member.consumer->store({"t", 9}, CommittedOffset{0}).error().code(), Errc::conflict);
  EXPECT_TRUE(member.consumer->close());
  EXPECT_EQ(member.consumer->store({"t", 0}, CommittedOffset{0}).error().code(), Errc::conflict);
  EXPECT_EQ(member.consumer->poll(1, kShort).error().code(), Errc::conflict);
}

TEST_P(LogContract, GroupsDoNotDisturbOneAnother) {
  make_topic("t", 2);
  send_all(log(), numbered("t", 20, 7));
  Member one(log(), config("t", "one"));
  Member two(log(), config("t", "two"));
  ASSERT_TRUE(one.read(20));
  one.store_all();
  EXPECT_TRUE(one.consumer->close());
  ASSERT_TRUE(two.read(20));
  EXPECT_EQ(committed("two", {"t", 0}), std::nullopt);
  EXPECT_THAT(*log().groups(), Contains("one"));
}

TEST_P(LogContract, ARevokedPartitionIsDrainedBeforeAnotherSeesIt) {
  make_topic("t", 4);
  send_all(log(), numbered("t", 100, 20));
  Member old_one(log(), config());
  ASSERT_TRUE(old_one.read(100));  // all of it is in work, nothing is stored
  std::set<TopicPartition> drained;
  old_one.told.when_revoked = [&](const std::vector<TopicPartition>& partitions) {
    for (const Record& record : old_one.seen) {
      if (std::ranges::find(partitions, record.at) == partitions.end()) continue;
      EXPECT_TRUE(old_one.consumer->store(record.at, after(record.offset))) << "while it drains it may store";
    }
    drained.insert(partitions.begin(), partitions.end());
  };
  Member new_one(log(), config());
  new_one.told.when_assigned = [&](const std::vector<TopicPartition>& partitions) {
    for (const auto& at : partitions) EXPECT_TRUE(drained.contains(at)) << at.partition << " was in work";
  };
  ASSERT_TRUE(eventually([&] { return new_one.told.mine.size() == 2 && old_one.told.mine.size() == 2; },
                         [&] {
                           new_one.poll();
                           old_one.poll();
                         }));
  for (const auto& at : new_one.told.mine) {
    EXPECT_EQ(old_one.consumer->store(at, CommittedOffset{0}).error().code(), Errc::conflict);
    EXPECT_FALSE(old_one.told.mine.contains(at)) << "two owners";
  }
  send_all(log(), numbered("t", 100, 20, 100));
  ASSERT_TRUE(eventually([&] { return new_one.seen.size() + old_one.seen.size() >= 200; },
                         [&] {
                           new_one.poll();
                           old_one.poll();
                         }));
  std::set<std::string> values;
  for (const Record& record : old_one.seen) EXPECT_TRUE(values.insert(record.value).second) << "twice";
  for (const Record& record : new_one.seen) EXPECT_TRUE(values.insert(record.value).second) << "twice";
  EXPECT_THAT(values, SizeIs(200));
}

TEST_P(LogContract, AMemberThatStaysAwayLosesItsPartitionsAndIsFenced) {
  make_topic("t", 2);
  send_all(log(), numbered("t", 40, 10));
  ConsumerConfig brief = config();
  brief.session_timeout = harness_->session_timeout();
  Member away(log(), brief);
  ASSERT_TRUE(away.read(40));
  Member heir(log(), brief);
  ASSERT_TRUE(heir.own(2)) << "it never polls again, so the other gets everything";
  EXPECT_THAT(away.told.lost, IsEmpty()) << "it is told from within poll";
  const auto late = away.consumer->store({"t", 0}, CommittedOffset{1});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::conflict);
  ASSERT_TRUE(heir.read(40)) << "nothing was stored, so everything comes again";
  ASSERT_TRUE(eventually([&] { return away.told.mine.size() == 1 && heir.told.mine.size() == 1; },
                         [&] {
                           away.poll();
                           heir.poll();
                         }));
  EXPECT_THAT(away.told.lost, SizeIs(2));
}

TEST_P(LogContract, WaitingInPollKeepsAMemberAliveAlsoWhenEverythingIsPaused) {
  make_topic("t", 1);
  ConsumerConfig brief = config();
  brief.session_timeout = harness_->session_timeout();
  Member member(log(), brief);
  ASSERT_TRUE(member.own(1));
  member.consumer->pause({{"t", 0}});
  send_all(log(), numbered("t", 5, 1));
  member.poll(2 * brief.session_timeout);  // one wait that is longer than the session
  EXPECT_THAT(member.seen, IsEmpty());
  EXPECT_THAT(member.told.lost, IsEmpty());
  member.consumer->resume({{"t", 0}});
  ASSERT_TRUE(member.read(5));
}

TEST_P(LogContract, PausedPartitionsAreLeftOut) {
  make_topic("t", 2);
  Member member(log(), config());
  ASSERT_TRUE(member.own(2));
  member.consumer->pause({{"t", 0}});
  const auto places = send_all(log(), numbered("t", 60, 20));
  const auto in_first = static_cast<std::size_t>(
      std::ranges::count_if(places, [](const auto& place) { return place.first.partition == 0; }));
  ASSERT_GT(in_first, 0U);
  ASSERT_LT(in_first, places.size());
  ASSERT_TRUE(member.read(places.size() - in_first));
  for (int i = 0; i < 3; ++i) member.poll();
  for (const Record& record : member.seen) EXPECT_EQ(record.at.partition, 1);
  member.consumer->resume({{"t", 0}});
  ASSERT_TRUE(member.read(places.size()));
}

TEST_P(LogContract, APollAnswersAtMostSoManyAsAskedFor) {
  make_topic("t", 4);
  Member member(log(), config());
  ASSERT_TRUE(member.own(4));
  send_all(log(), numbered("t", 400, 40));
  ASSERT_TRUE(eventually([&] { return member.seen.size() >= 400; },
                         [&] {
                           const std::size_t before = member.seen.size();
                           member.poll(kShort, 10);
                           EXPECT_LE(member.seen.size() - before, 10U);
                         }));
  EXPECT_THAT(member.seen, SizeIs(400));
}

TEST_P(LogContract, WakeEndsAWaitingPoll) {
  make_topic("t", 1);
  Member member(log(), config());
  ASSERT_TRUE(member.own(1));
  const SystemClock clock;
  const Instant start = clock.monotonic();
  {
    const std::jthread waker([&] { member.consumer->wake(); });
    member.poll(kPatience);
  }
  EXPECT_LT(clock.monotonic() - start, kPatience) << "it did not wait until the end";
  EXPECT_THAT(member.seen, IsEmpty());
}

TEST_P(LogContract, AppendingEndsAWaitingPoll) {
  make_topic("t", 1);
  Member member(log(), config());
  ASSERT_TRUE(member.own(1));
  const std::jthread sender([&] { send_all(log(), numbered("t", 1, 1)); });
  member.poll(kPatience);
  EXPECT_THAT(member.values(), ElementsAre("0"));
}

TEST_P(LogContract, ANewGroupStartsWhereItIsTold) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 3, 1));
  ConsumerConfig latest = config("t", "late");
  latest.start_at = StartAt::latest;
  Member late(log(), latest);
  ASSERT_TRUE(late.own(1));
  Member early(log(), config("t", "early"));
  ASSERT_TRUE(early.own(1));
  send_all(log(), numbered("t", 2, 1, 3));
  ASSERT_TRUE(early.read(5));
  ASSERT_TRUE(late.read(2));
  EXPECT_THAT(late.values(), ElementsAre("3", "4"));
}

TEST_P(LogContract, ResetMovesAGroupThatIsAway) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  {
    Member member(log(), config());
    ASSERT_TRUE(member.read(10));
    member.store_all();
    EXPECT_TRUE(member.consumer->close());
  }
  ASSERT_TRUE(log().reset("g", {"t", 0}, CommittedOffset{7}));
  EXPECT_EQ(committed("g", {"t", 0}), 7);
  Member again(log(), config());
  ASSERT_TRUE(again.read(3));
  EXPECT_THAT(again.values(), ElementsAre("7", "8", "9"));
  EXPECT_EQ(log().reset("g", {"t", 0}, CommittedOffset{11}).error().code(), Errc::invalid);
  EXPECT_EQ(log().reset("g", {"t", 1}, CommittedOffset{0}).error().code(), Errc::not_found);
}

TEST_P(LogContract, ResetMovesAMemberThatIsReading) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  Member member(log(), config());
  ASSERT_TRUE(member.read(10));
  member.store_all();
  member.told.when_revoked = [&](const auto&) { member.store_all(); };
  ASSERT_TRUE(log().reset("g", {"t", 0}, CommittedOffset{6}));
  ASSERT_TRUE(member.read(14));
  EXPECT_EQ(member.told.revocations, 1);
  EXPECT_EQ(member.seen[10].value, "6") << "what it stored while it drained did not undo the reset";
  ASSERT_TRUE(log().reset("g", {"t", 0}, CommittedOffset{10}));
  send_all(log(), numbered("t", 1, 1, 10));
  ASSERT_TRUE(member.read(15));
  EXPECT_EQ(member.seen[14].value, "10");
}

TEST_P(LogContract, ANamedMemberTakesItsPartitionsBack) {
  make_topic("t", 4);
  ConsumerConfig named_a = config();
  named_a.member = "a";
  ConsumerConfig named_b = config();
  named_b.member = "b";
  auto a = std::make_unique<Member>(log(), named_a);
  Member b(log(), named_b);
  ASSERT_TRUE(eventually([&] { return a->told.mine.size() == 2 && b.told.mine.size() == 2; },
                         [&] {
                           a->poll();
                           b.poll();
                         }));
  const auto of_a = a->told.mine;
  const auto of_b = b.told.mine;
  const int revoked_before = b.told.revocations;
  EXPECT_TRUE(a->consumer->close());
  b.poll();
  a = std::make_unique<Member>(log(), named_a);
  ASSERT_TRUE(eventually([&] { return a->told.mine.size() == 2; },
                         [&] {
                           a->poll();
                           b.poll();
                         }));
  EXPECT_EQ(a->told.mine, of_a);
  EXPECT_EQ(b.told.mine, of_b);
  EXPECT_EQ(b.told.revocations, revoked_before) << "the other has noticed nothing";
}

TEST_P(LogContract, ASecondMemberOfANameFencesTheFirst) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 3, 1));
  ConsumerConfig named = config();
  named.member = "a";
  Member first(log(), named);
  ASSERT_TRUE(first.read(3));
  Member second(log(), named);
  ASSERT_TRUE(second.read(3));
  EXPECT_EQ(first.consumer->store({"t", 0}, CommittedOffset{3}).error().code(), Errc::conflict);
  ASSERT_TRUE(first.poll_until([&] { return !first.errors.empty(); }));
  EXPECT_EQ(first.errors.front().code(), Errc::conflict);
  EXPECT_THAT(first.told.lost, SizeIs(1));
  EXPECT_TRUE(second.consumer->store({"t", 0}, CommittedOffset{3}));
}

TEST_P(LogContract, LagIsEndMinusCommitted) {
  make_topic("t", 2);
  const auto places = send_all(log(), numbered("t", 30, 9));
  const auto in_first = static_cast<std::int64_t>(
      std::ranges::count_if(places, [](const auto& place) { return place.first.partition == 0; }));
  auto states = log().state("g", "t");
  ASSERT_TRUE(states);
  ASSERT_THAT(*states, SizeIs(2));
  EXPECT_EQ((*states)[0].at, (TopicPartition{"t", 0}));
  EXPECT_EQ((*states)[0].lag_events, in_first) << "nothing is committed: all of it";
  EXPECT_EQ((*states)[1].lag_events, 30 - in_first);
  EXPECT_EQ((*states)[0].committed, std::nullopt);
  Member member(log(), config());
  ASSERT_TRUE(member.read(30));
  EXPECT_TRUE(member.consumer->store({"t", 0}, CommittedOffset{in_first - 1}));
  EXPECT_TRUE(member.consumer->close());
  states = log().state("g", "t");
  EXPECT_EQ((*states)[0].committed, CommittedOffset{in_first - 1});
  EXPECT_EQ((*states)[0].lag_events, 1);
  EXPECT_EQ((*states)[0].end, Offset{in_first});
}

}  // namespace ekiden::log::contract
