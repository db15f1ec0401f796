// The relay's decisions against a model of outbox and log, with seeded schedules: rows that commit late,
// sends that fail or succeed without saying so, marks that fail, two relays at once, and a relay that dies.
#include "delivery/relay_machine.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"

namespace ekiden::delivery {
namespace {

using namespace std::chrono_literals;
using ekiden::testing::SeededRandom;

struct ModelRow {
  OutboxRow row;
  bool is_committed = false;
  bool is_published = false;
};

struct World {
  explicit World(std::uint64_t seed) : random(seed) {}

  /// Positions of a key are drawn in commit order; those of different keys are not.
  void write(int key, bool commit_late) {
    OutboxRow row;
    row.id =
        EventId{Uuid{{static_cast<std::uint8_t>(rows.size() >> 8U), static_cast<std::uint8_t>(rows.size())}}};
    row.message.key = "k" + std::to_string(key);
    row.position = ++last_position;
    row.sequence = static_cast<std::int64_t>(rows.size());
    rows.push_back({row, !commit_late, false});
    if (commit_late) open_keys.insert(key);
  }
  void commit_all() {
    for (ModelRow& row : rows) row.is_committed = true;
    open_keys.clear();
  }
  std::vector<OutboxRow> scan(const RelayActions::Scan& scan) const {
    std::vector<OutboxRow> found;
    for (const ModelRow& row : rows) {
      if (found.size() == scan.limit) break;
      const bool is_skipped = std::ranges::find(scan.skip_keys, row.row.message.key) != scan.skip_keys.end();
      if (row.is_committed && !row.is_published && !is_skipped) found.push_back(row.row);
    }
    return found;
  }
  void mark(const std::vector<EventId>& ids) {
    for (ModelRow& row : rows) {
      if (std::ranges::find(ids, row.row.id) != ids.end()) row.is_published = true;
    }
  }

  SeededRandom random;
  std::vector<ModelRow> rows;
  std::set<int> open_keys;  ///< a transaction holds the key: nobody else can draw a position of it
  std::vector<OutboxRow> log;
  std::int64_t last_position = 0;
};

/// One relay with its database and producer, answered when the schedule says so.
class Relayed {
 public:
  Relayed(World& world, RelayLimits limits)
      : world_(world), limits_(limits), machine_(limits, world.random) {}

  void feed(RelayInput input) { absorb(machine_.step(now, std::move(input))); }

  void do_something(bool with_faults) {
    const bool fault = with_faults && world_.random.below(4) == 0;
    switch (world_.random.below(4)) {
      case 0:
        answer_send(fault);
        break;
      case 1:
        answer_database(fault);
        break;
      case 2:
        feed(relay_input::BellRang{});
        break;
      default:
        now += std::chrono::milliseconds{world_.random.below(40)};
        feed(relay_input::Tick{});
    }
  }

  void settle() {
    for (int i = 0; i < 20'000; ++i) {
      if (!sends_.empty()) {
        answer_send(false);
      } else if (scan_ || !mark_.empty()) {
        answer_database(false);
      } else {
        now = std::max(now, machine_.next_wake());
        feed(relay_input::Tick{});
        if (machine_.is_drained() && machine_.held() == 0 && ++quiet_ > 3) return;
      }
    }
    FAIL() << "the relay does not come to rest";
  }

  bool is_idle() const { return sends_.empty() && machine_.is_drained(); }
  std::size_t sends() const { return sends_.size(); }
  const RelayMachine& machine() const { return machine_; }
  Instant now{1h};

 private:
  void absorb(RelayActions actions) {
    for (OutboxRow& row : actions.send) {
      for (const OutboxRow& other : sends_) EXPECT_NE(other.message.key, row.message.key);
      sends_.push_back(std::move(row));
    }
    EXPECT_LE(sends_.size(), limits_.in_flight_max);
    EXPECT_LE(machine_.held(), limits_.held_max);
    EXPECT_FALSE(actions.scan && !actions.mark.empty());
    if (actions.scan) {
      EXPECT_FALSE(scan_ || !mark_.empty());
      // The database answers with what it saw when it was asked.
      scan_ = world_.scan(*actions.scan);
    }
    if (!actions.mark.empty()) mark_ = std::move(actions.mark);
  }
  void answer_send(bool fault) {
    if (sends_.empty()) return;
    const auto which = static_cast<std::ptrdiff_t>(world_.random.below(sends_.size()));
    const OutboxRow row = sends_[static_cast<std::size_t>(which)];
    sends_.erase(sends_.begin() + which);
    const bool is_appended = !fault || world_.random.below(2) == 0;
    if (is_appended) world_.log.push_back(row);
    if (fault) {
      feed(relay_input::SendFailed{row.id});
    } else {
      feed(relay_input::Sent{row.id});
    }
  }
  void answer_database(bool fault) {
    if (scan_) {
      auto rows = *std::exchange(scan_, std::nullopt);
      if (fault) {
        feed(relay_input::ScanFailed{});
      } else {
        feed(relay_input::Scanned{std::move(rows)});
      }
    } else if (!mark_.empty()) {
      const auto ids = std::exchange(mark_, {});
      if (!fault || world_.random.below(2) == 0) world_.mark(ids);
      if (fault) {
        feed(relay_input::MarkFailed{});
      } else {
        feed(relay_input::Marked{});
      }
    }
  }

  World& world_;
  RelayLimits limits_;
  RelayMachine machine_;
  std::vector<OutboxRow> sends_;
  std::optional<std::vector<OutboxRow>> scan_;
  std::vector<EventId> mark_;
  int quiet_ = 0;
};

RelayLimits small_limits() {
  return {.scan_max = 4, .held_max = 12, .in_flight_max = 3, .mark_max = 3, .skip_keys_max = 2};
}

void expect_all_published_in_order(const World& world) {
  std::set<EventId> seen;
  std::map<std::string, std::int64_t> last;
  for (const OutboxRow& row : world.log) {
    if (!seen.insert(row.id).second) continue;
    auto& before = last.try_emplace(row.message.key, -1).first->second;
    EXPECT_LT(before, row.sequence) << "first copies of " << row.message.key << " out of order";
    before = row.sequence;
  }
  EXPECT_EQ(seen.size(), world.rows.size()) << "lost";
  for (const ModelRow& row : world.rows) EXPECT_TRUE(row.is_published);
}

TEST(RelayMachine, LosesAndReordersNothingUnderAnySchedule) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    Relayed relay(world, small_limits());
    auto other = std::make_unique<Relayed>(world, small_limits());
    relay.feed(relay_input::Tick{});
    for (int step = 0; step < 300; ++step) {
      const int key = static_cast<int>(world.random.below(6));
      if (world.random.below(3) == 0 && !world.open_keys.contains(key))
        world.write(key, world.random.below(5) == 0);
      if (world.random.below(40) == 0) world.commit_all();
      if (world.random.below(2) == 0) relay.do_something(true);
      if (world.random.below(3) == 0) other->do_something(true);
      // A relay dies with all that it held, and another takes its place.
      if (world.random.below(60) == 0) other = std::make_unique<Relayed>(world, small_limits());
    }
    world.commit_all();
    relay.settle();
    expect_all_published_in_order(world);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RelayMachine, AFailingKeyHoldsBackNoOther) {
  World world(3);
  for (int i = 0; i < 20; ++i) world.write(0, false);
  for (int i = 1; i < 6; ++i) world.write(i, false);
  SeededRandom random(1);
  RelayMachine machine(small_limits(), random);
  Instant now{1h};
  std::set<std::string> through;
  std::vector<RelayInput> inputs{relay_input::Tick{}};
  for (int step = 0; step < 500 && through.size() < 5; ++step) {
    RelayActions actions = machine.step(now, std::move(inputs.back()));
    inputs.pop_back();
    for (const OutboxRow& row : actions.send) {
      if (row.message.key == "k0") {
        EXPECT_EQ(row.sequence, 0) << "only the head of a failing key is sent";
        inputs.emplace_back(relay_input::SendFailed{row.id});
      } else {
        through.insert(row.message.key);
        inputs.emplace_back(relay_input::Sent{row.id});
      }
    }
    if (!actions.mark.empty()) {
      world.mark(actions.mark);
      inputs.emplace_back(relay_input::Marked{});
    }
    if (actions.scan) inputs.emplace_back(relay_input::Scanned{world.scan(*actions.scan)});
    if (inputs.empty()) {
      now = machine.next_wake();
      inputs.emplace_back(relay_input::Tick{});
    }
  }
  EXPECT_EQ(through.size(), 5U);
}

TEST(RelayMachine, MarksOnlyWhatWasAcknowledgedAndDrainsWhenStopped) {
  World world(5);
  world.write(1, false);
  world.write(2, false);
  SeededRandom random(1);
  RelayMachine machine({}, random);
  const Instant now{1h};
  auto actions = machine.step(now, relay_input::Tick{});
  ASSERT_TRUE(actions.scan);
  actions = machine.step(now, relay_input::Scanned{world.scan(*actions.scan)});
  ASSERT_EQ(actions.send.size(), 2U);
  EXPECT_TRUE(actions.mark.empty());
  actions = machine.step(now, relay_input::Sent{world.rows[1].row.id});
  EXPECT_TRUE(actions.mark.empty()) << "acknowledgements are gathered for a moment";
  EXPECT_EQ(machine.next_wake(), now + RelayLimits{}.mark_delay);
  actions = machine.step(now, relay_input::Stop{});
  EXPECT_EQ(actions.mark, (std::vector<EventId>{world.rows[1].row.id}));
  EXPECT_FALSE(machine.is_drained());
  actions = machine.step(now, relay_input::Marked{});
  EXPECT_FALSE(machine.is_drained());
  actions = machine.step(now, relay_input::Sent{world.rows[0].row.id});
  EXPECT_EQ(actions.mark, (std::vector<EventId>{world.rows[0].row.id}));
  machine.step(now, relay_input::Marked{});
  EXPECT_TRUE(machine.is_drained());
}

TEST(RelayMachine, LooksForRowsThatNoBellToldOf) {
  SeededRandom random(1);
  RelayMachine machine({}, random);
  const Instant now{1h};
  ASSERT_TRUE(machine.step(now, relay_input::Tick{}).scan);
  EXPECT_FALSE(machine.step(now, relay_input::Scanned{}).scan);
  EXPECT_EQ(machine.next_wake(), now + 1s);
  EXPECT_FALSE(machine.step(now + 999ms, relay_input::Tick{}).scan);
  EXPECT_TRUE(machine.step(now + 1s, relay_input::Tick{}).scan);
}

}  // namespace
}  // namespace ekiden::delivery
