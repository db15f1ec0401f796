// Goal: whatever the order of joins, polls, answers, leavings and expiries, no partition has two owners who
// were told of it, each assignment ends exactly once, and a group left in peace shares everything out fairly.
// Method: every interleaving of two members up to a depth, then long seeded walks, beside a model.
#include "ports/log/sqlite/group_coordinator.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "base/testing/seeded_random.hpp"

namespace ekiden::log::sqlite {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Group = GroupCoordinator;

constexpr Duration kSession = std::chrono::seconds{10};
const Instant kStart{std::chrono::hours{1}};

std::set<TopicPartition> partitions(const std::string& topic, std::int32_t count) {
  std::set<TopicPartition> all;
  for (std::int32_t number = 0; number < count; ++number) all.insert({topic, number});
  return all;
}

std::map<MemberId, int> counts(const Assignment& assignment) {
  std::map<MemberId, int> counted;
  for (const auto& [at, member] : assignment) ++counted[member];
  return counted;
}

TEST(StickyAssignment, SharesOutEvenlyAndLeavesOutWhatNobodyReads) {
  auto all = partitions("a", 8);
  all.merge(partitions("b", 8));
  const Subscriptions members{{MemberId{1}, {"a"}}, {MemberId{2}, {"a"}}, {MemberId{3}, {"a"}}};
  const Assignment shared = sticky_assignment(all, members, {});
  EXPECT_THAT(shared, SizeIs(8));
  for (const auto& [member, count] : counts(shared)) EXPECT_TRUE(count == 2 || count == 3) << count;
}

TEST(StickyAssignment, ANewcomerTakesOnlyItsShareAndSomeOfEveryTopic) {
  auto all = partitions("a", 8);
  all.merge(partitions("b", 8));
  const Subscriptions one{{MemberId{1}, {"a", "b"}}};
  const Assignment before = sticky_assignment(all, one, {});
  const Subscriptions two{{MemberId{1}, {"a", "b"}}, {MemberId{2}, {"a", "b"}}};
  const Assignment after = sticky_assignment(all, two, before);
  std::map<std::string, int> taken;
  for (const auto& [at, member] : after) {
    if (member == MemberId{2}) ++taken[at.topic];
  }
  EXPECT_EQ(taken["a"], 4);
  EXPECT_EQ(taken["b"], 4);
  EXPECT_EQ(sticky_assignment(all, two, after), after) << "a fair share is left alone";
}

TEST(StickyAssignment, WhoReadsLessGetsWhatItCan) {
  auto all = partitions("a", 2);
  all.merge(partitions("b", 6));
  const Subscriptions members{{MemberId{1}, {"a", "b"}}, {MemberId{2}, {"b"}}};
  const auto counted = counts(sticky_assignment(all, members, {}));
  EXPECT_EQ(counted.at(MemberId{1}), 4);
  EXPECT_EQ(counted.at(MemberId{2}), 4);
}

/// A group and what its members believe.
class Walk {
 public:
  explicit Walk(std::int32_t partitions) : partitions_(partitions) {
    group_.step(now_, Group::Topology{{{"t", partitions}}});
  }

  void join(std::size_t seat, std::string name) {
    if (seats_.size() <= seat) seats_.resize(seat + 1);
    if (seats_[seat].member) return;
    for (Seat& other : seats_) {
      if (other.member && !name.empty() && other.name == name) other.fenced = true;
    }
    const auto output = group_.step(now_, Group::Join{name, {"t"}, kSession});
    seats_[seat] = Seat{output.joined, std::move(name), {}, {}, now_, false};
    check();
  }

  void poll(std::size_t seat_number) {
    if (!has(seat_number)) return;
    Seat& seat = seats_[seat_number];
    if (!seat.draining.empty()) return;  // it is inside on_revoked
    const Directive directive = group_.step(now_, Group::PollBegin{*seat.member}).directive;
    ASSERT_EQ(directive.fenced, seat.fenced);
    for (const auto& at : directive.lost) ASSERT_EQ(seat.held.erase(at), 1U) << "lost what it did not have";
    for (const auto& at : directive.revoked) {
      ASSERT_EQ(seat.held.erase(at), 1U) << "revoked what it did not have";
      seat.draining.insert(at);
    }
    for (const auto& at : directive.assigned) {
      for (const Seat& other : seats_) {
        ASSERT_FALSE(other.member && !other.expired && !other.fenced && other.has(at)) << "two owners";
      }
      ASSERT_TRUE(seat.held.insert(at).second) << "assigned twice";
    }
    seat.expired = false;
    group_.step(now_, Group::PollEnd{*seat.member});
    seat.seen = now_;
    check();
  }

  void release(std::size_t seat_number) {
    if (!has(seat_number)) return;
    Seat& seat = seats_[seat_number];
    if (seat.draining.empty()) return;
    group_.step(now_, Group::Released{*seat.member, {seat.draining.begin(), seat.draining.end()}});
    seat.draining.clear();
    check();
  }

  void leave(std::size_t seat) {
    if (!has(seat)) return;
    group_.step(now_, Group::Leave{*seats_[seat].member});
    seats_[seat] = Seat{};
    check();
  }

  void restart(std::int32_t partition) {
    group_.step(now_, Group::Restart{{"t", partition}});
    check();
  }

  void grow() {
    if (partitions_ >= 12) return;
    group_.step(now_, Group::Topology{{{"t", ++partitions_}}});
    check();
  }

  /// Time passes; only who polled within it keeps its place.
  void pass(Duration time) {
    now_ += time;
    group_.step(now_, Group::Tick{});
    for (Seat& seat : seats_) {
      if (seat.member && now_ - seat.seen >= kSession) seat.expired = true;
    }
    check();
  }

  /// Everyone who is there answers until nobody has anything to do.
  void settle() {
    for (std::size_t seat = 0; seat < seats_.size(); ++seat) {
      if (has(seat) && seats_[seat].fenced) leave(seat);
    }
    now_ += kSession - Duration{1};
    for (std::size_t seat = 0; seat < seats_.size(); ++seat) poll_out(seat);
    pass(Duration{1});  // whoever closed under a name and did not come back loses its seat
    for (int round = 0; round < 8; ++round) {
      for (std::size_t seat = 0; seat < seats_.size(); ++seat) poll_out(seat);
    }
    std::size_t least = 1000;
    std::size_t most = 0;
    std::set<TopicPartition> all;
    for (const Seat& seat : seats_) {
      if (!seat.member) continue;
      ASSERT_FALSE(group_.has_work(*seat.member));
      least = std::min(least, seat.held.size());
      most = std::max(most, seat.held.size());
      all.insert(seat.held.begin(), seat.held.end());
    }
    if (most == 0) return;
    ASSERT_EQ(all, partitions("t", partitions_)) << "a partition is nobody's";
    ASSERT_LE(most - least, 1U);
  }

  Group group_;

 private:
  struct Seat {
    std::optional<MemberId> member;
    std::string name;
    std::set<TopicPartition> held;
    std::set<TopicPartition> draining;
    Instant seen{};
    bool expired = false;
    bool fenced = false;
    bool has(const TopicPartition& at) const { return held.contains(at) || draining.contains(at); }
  };

  bool has(std::size_t seat) const { return seat < seats_.size() && seats_[seat].member; }

  void poll_out(std::size_t seat) {
    release(seat);
    poll(seat);
    release(seat);
  }

  /// A member may store exactly what it holds, unless it is expired or fenced.
  void check() {
    for (const Seat& seat : seats_) {
      if (!seat.member) continue;
      for (std::int32_t number = 0; number < partitions_; ++number) {
        const TopicPartition at{"t", number};
        const bool may = seat.has(at) && !seat.expired && !seat.fenced;
        ASSERT_EQ(group_.owns(*seat.member, at), may) << "partition " << number;
      }
    }
  }

  std::int32_t partitions_;
  Instant now_ = kStart;
  std::vector<Seat> seats_;
};

constexpr int kActions = 12;

void act(Walk& walk, int action) {
  switch (action) {
    case 0:
      return walk.join(0, "");
    case 1:
      return walk.join(1, "b");
    case 2:
      return walk.join(2, "b");  // takes the seat of 1
    case 3:
      return walk.poll(0);
    case 4:
      return walk.poll(1);
    case 5:
      return walk.poll(2);
    case 6:
      return walk.release(0);
    case 7:
      return walk.release(1);
    case 8:
      return walk.leave(0);
    case 9:
      return walk.leave(1);
    case 10:
      return walk.pass(kSession / 2);
    default:
      return walk.restart(0);
  }
}

void explore(const Walk& walk, int depth, std::string path) {
  if (depth == 0) {
    Walk end = walk;
    end.settle();
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "after actions" << path;
    return;
  }
  for (int action = 0; action < kActions; ++action) {
    Walk next = walk;
    act(next, action);
    const std::string longer = path + " " + std::to_string(action);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "after actions" << longer;
    explore(next, depth - 1, longer);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

class EveryInterleaving : public ::testing::TestWithParam<std::vector<int>> {};

TEST_P(EveryInterleaving, KeepsTheRules) {
  Walk walk(2);
  for (const int action : GetParam()) act(walk, action);
  explore(walk, 4, "");
}

INSTANTIATE_TEST_SUITE_P(From, EveryInterleaving,
                         ::testing::Values(std::vector<int>{},                 // nothing
                                           std::vector<int>{0, 3},             // one owner of all
                                           std::vector<int>{0, 3, 1, 3},       // which drains for another
                                           std::vector<int>{0, 3, 1, 3, 10},   // half its session ago
                                           std::vector<int>{0, 1, 3, 4},       // two owners
                                           std::vector<int>{0, 1, 3, 4, 9}));  // one left, and may come back

TEST(GroupCoordinator, LongWalksKeepTheRules) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ekiden::testing::SeededRandom random(seed);
    Walk walk(1 + static_cast<std::int32_t>(random.below(7)));
    const std::vector<std::string> names{"", "a", "b", "a", ""};
    for (int i = 0; i < 200; ++i) {
      const auto seat = static_cast<std::size_t>(random.below(names.size()));
      switch (random.below(10)) {
        case 0:
          walk.join(seat, names[seat]);
          break;
        case 1:
          walk.leave(seat);
          break;
        case 2:
          walk.restart(static_cast<std::int32_t>(random.below(4)));
          break;
        case 3:
          walk.pass(kSession / static_cast<int>(2 + random.below(4)));
          break;
        case 4:
          random.below(4) == 0 ? walk.grow() : walk.settle();
          break;
        case 5:
        case 6:
          walk.release(seat);
          break;
        default:
          walk.poll(seat);
          break;
      }
      ASSERT_FALSE(HasFatalFailure()) << "step " << i;
    }
    walk.settle();
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(GroupCoordinator, APartitionMovesOnlyAfterItsOwnerReleasedIt) {
  Group group;
  group.step(kStart, Group::Topology{{{"t", 2}}});
  const MemberId a = group.step(kStart, Group::Join{"", {"t"}, kSession}).joined;
  EXPECT_THAT(group.step(kStart, Group::PollBegin{a}).directive.assigned, SizeIs(2));
  const auto joined = group.step(kStart, Group::Join{"", {"t"}, kSession});
  EXPECT_THAT(joined.awake, UnorderedElementsAre(a)) << "it waits in poll and must give one up";
  const MemberId b = joined.joined;
  EXPECT_THAT(group.step(kStart, Group::PollBegin{b}).directive.assigned, IsEmpty());
  const Directive directive = group.step(kStart, Group::PollBegin{a}).directive;
  ASSERT_THAT(directive.revoked, SizeIs(1));
  EXPECT_TRUE(group.owns(a, directive.revoked[0])) << "it may still store";
  const auto released = group.step(kStart, Group::Released{a, directive.revoked});
  EXPECT_FALSE(group.owns(a, directive.revoked[0]));
  EXPECT_THAT(released.awake, UnorderedElementsAre(b));
  EXPECT_EQ(group.step(kStart, Group::PollBegin{b}).directive.assigned, directive.revoked);
}

TEST(GroupCoordinator, ASessionEndsAtItsTimeoutAndNotBefore) {
  Group group;
  group.step(kStart, Group::Topology{{{"t", 1}}});
  const MemberId a = group.step(kStart, Group::Join{"", {"t"}, kSession}).joined;
  group.step(kStart, Group::PollBegin{a});
  group.step(kStart + kSession * 5, Group::Tick{});
  EXPECT_TRUE(group.owns(a, {"t", 0})) << "within poll nobody expires";
  group.step(kStart, Group::PollEnd{a});
  group.step(kStart + kSession - Duration{1}, Group::Tick{});
  EXPECT_TRUE(group.owns(a, {"t", 0}));
  group.step(kStart + kSession, Group::Tick{});
  EXPECT_FALSE(group.owns(a, {"t", 0}));
  const Directive back = group.step(kStart + kSession, Group::PollBegin{a}).directive;
  EXPECT_THAT(back.lost, SizeIs(1));
  EXPECT_THAT(back.assigned, SizeIs(1)) << "nobody else was there: it starts anew";
}

TEST(GroupCoordinator, ANameKeepsItsPartitionsOverARestart) {
  Group group;
  group.step(kStart, Group::Topology{{{"t", 4}}});
  const MemberId a = group.step(kStart, Group::Join{"a", {"t"}, kSession}).joined;
  const MemberId b = group.step(kStart, Group::Join{"b", {"t"}, kSession}).joined;
  const auto of_a = group.step(kStart, Group::PollBegin{a}).directive.assigned;
  group.step(kStart, Group::PollBegin{b});
  const std::int64_t generation = group.generation();
  group.step(kStart, Group::Leave{a});
  EXPECT_FALSE(group.has_work(b)) << "its partitions wait for it";
  const MemberId again = group.step(kStart, Group::Join{"a", {"t"}, kSession}).joined;
  EXPECT_EQ(group.step(kStart, Group::PollBegin{again}).directive.assigned, of_a);
  EXPECT_EQ(group.generation(), generation);
  const MemberId thief = group.step(kStart, Group::Join{"a", {"t"}, kSession}).joined;
  const Directive fenced = group.step(kStart, Group::PollBegin{again}).directive;
  EXPECT_TRUE(fenced.fenced);
  EXPECT_EQ(fenced.lost, of_a);
  EXPECT_EQ(group.step(kStart, Group::PollBegin{thief}).directive.assigned, of_a);
}

TEST(GroupCoordinator, ARestartedPartitionIsGivenUpAndTakenAnew) {
  Group group;
  group.step(kStart, Group::Topology{{{"t", 1}}});
  const MemberId a = group.step(kStart, Group::Join{"", {"t"}, kSession}).joined;
  const auto mine = group.step(kStart, Group::PollBegin{a}).directive.assigned;
  EXPECT_THAT(group.step(kStart, Group::Restart{mine[0]}).awake, UnorderedElementsAre(a));
  EXPECT_EQ(group.step(kStart, Group::PollBegin{a}).directive.revoked, mine);
  EXPECT_TRUE(group.step(kStart, Group::PollBegin{a}).directive.empty()) << "not before it has released it";
  group.step(kStart, Group::Released{a, mine});
  EXPECT_EQ(group.step(kStart, Group::PollBegin{a}).directive.assigned, mine);
}

}  // namespace
}  // namespace ekiden::log::sqlite
