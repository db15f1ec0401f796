#pragma once

// Goal: while members join, leave and crash, every record is processed at least once, in order within an
// assignment, no partition has two owners, and no committed offset is ahead of what was processed.
// Method: four threads live as members for a random while each, beside a model of what was processed.

#include <atomic>
#include <thread>

#include "base/testing/seeded_random.hpp"
#include "ports/log/contract/log_harness.hpp"

namespace ekiden::log::contract {

/// What all members together have done.
class ChurnModel {
 public:
  void assigned(const void* member, const std::vector<TopicPartition>& partitions) {
    const MutexLock lock(mutex_);
    for (const auto& at : partitions) {
      EXPECT_TRUE(owners_.try_emplace(at, member).second) << at.partition << " has two owners";
    }
  }
  void given_up(const void* member, const std::vector<TopicPartition>& partitions) {
    const MutexLock lock(mutex_);
    for (const auto& at : partitions) {
      const auto found = owners_.find(at);
      if (found != owners_.end() && found->second == member) owners_.erase(found);
    }
  }
  void left(const void* member) {
    const MutexLock lock(mutex_);
    std::erase_if(owners_, [&](const auto& owner) { return owner.second == member; });
  }
  void processed(const Record& record) {
    const MutexLock lock(mutex_);
    processed_[record.at].insert(record.offset.value);
  }
  /// True where every offset before the partition's committed one was processed.
  bool covers(const PartitionState& state) const {
    if (!state.committed) return true;
    const MutexLock lock(mutex_);
    const auto found = processed_.find(state.at);
    for (std::int64_t offset = 0; offset < state.committed->value; ++offset) {
      if (found == processed_.end() || !found->second.contains(offset)) return false;
    }
    return true;
  }
  std::size_t distinct() const {
    const MutexLock lock(mutex_);
    std::size_t all = 0;
    for (const auto& [at, offsets] : processed_) all += offsets.size();
    return all;
  }

 private:
  mutable Mutex mutex_;
  std::map<TopicPartition, const void*> owners_ EKIDEN_GUARDED_BY(mutex_);
  std::map<TopicPartition, std::set<std::int64_t>> processed_ EKIDEN_GUARDED_BY(mutex_);
};

/// One life of a member: joins, processes, leaves; now and then without having stored what it did.
class ChurnMember {
 public:
  ChurnMember(Log& log, const ConsumerConfig& config, ChurnModel& model)
      : model_(model), member_(log, config) {
    member_.told.when_assigned = [this](const auto& partitions) {
      model_.assigned(this, partitions);
      for (const auto& at : partitions) last_[at] = -1;
    };
    member_.told.when_revoked = [this](const auto& partitions) {
      for (const auto& at : partitions) store(at);
      model_.given_up(this, partitions);
    };
  }

  void live(int polls, Duration turn, bool stores_at_end, ekiden::Random& random) {
    for (int i = 0; i < polls; ++i) {
      member_.seen.clear();
      member_.poll(turn, 1 + static_cast<std::size_t>(random.below(40)));
      EXPECT_THAT(member_.errors, ::testing::IsEmpty());
      for (const Record& record : member_.seen) process(record);
      if (random.below(3) == 0) store_all();
    }
    if (stores_at_end) store_all();
    // The model lets go first: a moment later the partitions are someone else's.
    model_.left(this);
    EXPECT_TRUE(member_.consumer->close());
  }

 private:
  void process(const Record& record) {
    EXPECT_LT(last_[record.at], record.offset.value) << "order within an assignment";
    last_[record.at] = record.offset.value;
    model_.processed(record);
  }
  void store(const TopicPartition& at) {
    if (last_[at] >= 0) EXPECT_TRUE(member_.consumer->store(at, after(Offset{last_[at]})));
  }
  void store_all() {
    for (const auto& at : member_.told.mine) store(at);
  }

  ChurnModel& model_;
  std::map<TopicPartition, std::int64_t> last_;
  Member member_;
};

TEST_P(LogContract, MembersComeAndGoAndNothingIsLost) {
  constexpr int kRecords = 2'000;
  constexpr std::uint64_t kSeed = 20'260'101;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  make_topic("t", 8);
  ChurnModel model;
  std::atomic<bool> all_done = false;
  std::vector<std::jthread> threads;
  for (std::uint64_t seat = 0; seat < 4; ++seat) {
    threads.emplace_back([&, seat] {
      ekiden::testing::SeededRandom random(kSeed + seat);
      while (!all_done) {
        const bool stores_at_end = random.below(3) != 0;
        ChurnMember member(log(), config(), model);
        member.live(3 + static_cast<int>(random.below(12)), harness_->churn_turn(), stores_at_end, random);
      }
    });
  }
  for (int sent = 0; sent < kRecords; sent += 100) {
    send_all(log(), numbered("t", 100, 37, sent));
    const auto states = log().state("g", "t");
    ASSERT_TRUE(states);
    for (const PartitionState& state : *states) EXPECT_TRUE(model.covers(state)) << "committed is ahead";
  }
  EXPECT_TRUE(eventually([&] { return model.distinct() == kRecords; },
                         [&] {
                           const auto states = log().state("g", "t");
                           ASSERT_TRUE(states);
                           for (const PartitionState& state : *states) EXPECT_TRUE(model.covers(state));
                         }));
  all_done = true;
  threads.clear();
  EXPECT_EQ(model.distinct(), static_cast<std::size_t>(kRecords));
}

}  // namespace ekiden::log::contract
