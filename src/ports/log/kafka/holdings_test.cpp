// What a member keeps of its partitions: which stores count, and what waits while a partition is paused.
#include "ports/log/kafka/holdings.hpp"

#include <gmock/gmock.h>

namespace ekiden::log::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TopicPartition kA{"t", 0};
const TopicPartition kB{"t", 1};

Record record(const TopicPartition& at, std::int64_t offset, std::size_t bytes = 1) {
  return {.at = at,
          .offset = Offset{offset},
          .appended_at = {},
          .key = "k",
          .value = std::string(bytes, 'v'),
          .headers = {}};
}

std::vector<std::int64_t> offsets(const std::vector<Record>& records) {
  std::vector<std::int64_t> all;
  for (const Record& one : records) all.push_back(one.offset.value);
  return all;
}

class HoldingsTest : public ::testing::Test {
 protected:
  HoldingsTest() { holdings_.add({kA, kB}); }
  void deliver(const TopicPartition& at, std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) holdings_.take(record(at, i), true, out_);
  }

  Holdings holdings_;
  std::vector<Record> out_;
};

TEST_F(HoldingsTest, OnlyWhatWasDeliveredInThisTurnCanBeStored) {
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{5})) << "nothing was delivered yet";
  deliver(kA, 5, 8);
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{5})) << "where it began";
  EXPECT_TRUE(*holdings_.may_store(kA, CommittedOffset{7}));
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{6})) << "going back";
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{9})) << "not delivered";
  EXPECT_TRUE(*holdings_.may_store(kA, CommittedOffset{8}));
}

TEST_F(HoldingsTest, AStoreOfAnEarlierTurnCountsForNothing) {
  deliver(kA, 0, 10);
  holdings_.remove({kA});
  EXPECT_EQ(holdings_.may_store(kA, CommittedOffset{10}).error().code(), Errc::conflict);
  holdings_.add({kA});
  deliver(kA, 2, 4);
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{10})) << "it would undo a reset";
  EXPECT_TRUE(*holdings_.may_store(kA, CommittedOffset{4}));
}

TEST_F(HoldingsTest, WhileItIsMovedStoresCountForNothing) {
  deliver(kA, 0, 10);
  holdings_.begin_reset(kA);
  EXPECT_FALSE(*holdings_.may_store(kA, CommittedOffset{10}));
}

TEST_F(HoldingsTest, AFencedMemberStoresNothing) {
  deliver(kA, 0, 10);
  holdings_.fence();
  EXPECT_EQ(holdings_.may_store(kA, CommittedOffset{10}).error().code(), Errc::conflict);
}

TEST_F(HoldingsTest, RecordsOfAPausedPartitionWaitInOrder) {
  holdings_.set_paused(kA, true);
  deliver(kA, 0, 3);
  deliver(kB, 0, 1);
  EXPECT_THAT(offsets(out_), ElementsAre(0)) << "of the other";
  out_.clear();
  holdings_.release(10, out_);
  EXPECT_THAT(out_, IsEmpty());
  holdings_.set_paused(kA, false);
  deliver(kA, 3, 5);
  EXPECT_THAT(out_, IsEmpty()) << "none may overtake those that wait";
  holdings_.release(2, out_);
  EXPECT_THAT(offsets(out_), ElementsAre(0, 1));
  out_.clear();
  holdings_.release(10, out_);
  EXPECT_THAT(offsets(out_), ElementsAre(2, 3, 4));
  EXPECT_EQ(holdings_.position(kA), 5);
}

TEST_F(HoldingsTest, WhatIsKeptIsBounded) {
  holdings_.set_paused(kA, true);
  int pauses = 0;
  for (std::int64_t i = 0; i < 2 * static_cast<std::int64_t>(Holdings::kHeldMax); ++i) {
    if (holdings_.take(record(kA, i), true, out_) == Holdings::Tell::pause) ++pauses;
    if (pauses == 0) EXPECT_LT(i, static_cast<std::int64_t>(Holdings::kHeldMax));
  }
  EXPECT_EQ(pauses, 1) << "the client is told once";
  holdings_.set_paused(kA, false);
  EXPECT_THAT(holdings_.release(Holdings::kHeldMax, out_), IsEmpty()) << "not before all has gone";
  EXPECT_THAT(holdings_.release(2 * Holdings::kHeldMax, out_), ElementsAre(kA));
  EXPECT_THAT(holdings_.release(2 * Holdings::kHeldMax, out_), IsEmpty());
}

TEST_F(HoldingsTest, LargeRecordsFillItSooner) {
  holdings_.set_paused(kA, true);
  EXPECT_EQ(holdings_.take(record(kA, 0, Holdings::kHeldBytesMax), true, out_), Holdings::Tell::pause);
}

TEST_F(HoldingsTest, WhereThereIsNoRoomARecordWaits) {
  EXPECT_EQ(holdings_.take(record(kA, 0), false, out_), Holdings::Tell::nothing);
  EXPECT_THAT(out_, IsEmpty());
  holdings_.release(1, out_);
  EXPECT_THAT(offsets(out_), ElementsAre(0));
}

}  // namespace
}  // namespace ekiden::log::kafka
