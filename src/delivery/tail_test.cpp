// Goal: a tail hands over every event from its time on, in order of each partition, and what comes later.
#include "delivery/tail.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "delivery/testing/database_fixture.hpp"
#include "delivery/testing/memory_log.hpp"

namespace ekiden::delivery {
namespace {

using testing::event_of;
using testing::MemoryLog;

struct Fixture {
  void publish(std::int64_t number) {
    Envelope event = event_of("key" + std::to_string(number % 3), "thing", number);
    event.id = ids.make<EventId>();
    event.source = "/test";
    event.time = clock.now();
    log.producer()->send(encode(event, "things"), [](const auto& sent) { ASSERT_TRUE(sent); });
  }
  std::vector<std::int64_t> seen_sorted() const {
    std::vector<std::int64_t> sorted = seen;
    std::ranges::sort(sorted);
    return sorted;
  }

  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{3};
  Ids ids{clock, random};
  testing::NoLog sink;
  MemoryLog log{clock};
  std::vector<std::int64_t> seen;
  Tail tail{{.topic = "things", .since = std::chrono::seconds{60}, .read_max = 2},
            log,
            clock,
            [this](const Envelope& event) { seen.push_back(event.sequence); },
            Logger{sink, clock}};
};

TEST(Tail, BeginsWithWhatIsYoungEnoughAndGoesOn) {
  Fixture f;
  ASSERT_TRUE(f.log.ensure_topics({{.name = "things", .partitions = 2}}));
  for (int number = 1; number <= 20; ++number) {
    f.publish(number);
    f.clock.advance(std::chrono::seconds{10});
  }
  EXPECT_EQ(f.tail.look().value(), 6) << "of the last sixty seconds, the sixtieth included";
  EXPECT_EQ(f.seen_sorted(), (std::vector<std::int64_t>{15, 16, 17, 18, 19, 20}));
  EXPECT_EQ(f.tail.look().value(), 0);
  f.clock.advance(std::chrono::hours{1});
  f.publish(21);
  EXPECT_EQ(f.tail.look().value(), 1);
  EXPECT_EQ(f.seen.back(), 21);
}

TEST(Tail, PassesOverWhatCannotBeRead) {
  Fixture f;
  ASSERT_TRUE(f.log.ensure_topics({{.name = "things", .partitions = 1}}));
  f.log.producer()->send({.topic = "things", .key = "k", .value = "{", .headers = {}}, [](const auto&) {});
  f.publish(7);
  EXPECT_EQ(f.tail.look().value(), 1);
  EXPECT_EQ(f.seen, std::vector<std::int64_t>{7});
}

}  // namespace
}  // namespace ekiden::delivery
