#include <set>

#include <gtest/gtest.h>

#include "base/bounded_queue.hpp"
#include "base/id.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "base/utf8.hpp"

namespace ekiden {
namespace {

using std::chrono::milliseconds;

Result<int> half(int value) {
  if (value % 2 != 0) return Error{Errc::invalid, "odd", "give an even number", "value"};
  return value / 2;
}

Result<int> quarter(int value) {
  EKIDEN_TRY(const int first, half(value));
  EKIDEN_TRY(const int second, half(first));
  return second;
}

TEST(Result, TryPassesTheFirstErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().field(), "value");
  EXPECT_EQ(failed.error().code(), Errc::invalid);
}

TEST(Ids, IncreaseWhenTheClockStandsStillAndWhenItGoesBack) {
  testing::ManualClock clock;
  testing::SeededRandom random(1);
  Ids ids(clock, random);
  Uuid last = ids.next();
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.set_wall(clock.now() - std::chrono::hours{1});
    const Uuid next = ids.next();
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Ids, CarryVersionVariantAndTheMillisecond) {
  testing::ManualClock clock(from_micros(1'645'557'742'000'000));  // RFC 9562, appendix A.6
  testing::SeededRandom random(7);
  const std::string text = Ids(clock, random).next().to_string();
  EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
  EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos);
  EXPECT_EQ(Uuid::parse(text)->to_string(), text);
}

TEST(Uuid, RefusesWhatIsNotCanonical) {
  EXPECT_FALSE(Uuid::parse(""));
  EXPECT_FALSE(Uuid::parse("017f22e279b07000800000000000000000000"));
  EXPECT_FALSE(Uuid::parse("017f22e2-79b0-7000-8000-00000000000g"));
  EXPECT_FALSE(Uuid::parse("{17f22e2-79b0-7000-8000-000000000000"));
}

TEST(Rfc3339, WritesAndReads) {
  const auto at = parse_rfc3339("2026-11-22T08:30:00.25+02:00");
  ASSERT_TRUE(at);
  EXPECT_EQ(to_rfc3339(*at), "2026-11-22T06:30:00.250Z");
  EXPECT_EQ(to_rfc3339(*parse_rfc3339("1969-12-31T23:59:59.000001Z")), "1969-12-31T23:59:59.000001Z");
  for (const char* bad : {"2026-02-29T00:00:00Z", "2026-11-22", "2026-11-22T24:00:00Z", "2026-11-22T00:00:00",
                          "2026-11-22T00:00:00.Z", "2026-11-22T00:00:00Zx", "0000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Deadline, PassesAtItsInstantAndNotBefore) {
  testing::ManualClock clock;
  const Deadline deadline = Deadline::after(clock, milliseconds{5});
  clock.advance(milliseconds{4});
  EXPECT_FALSE(deadline.passed(clock));
  EXPECT_EQ(deadline.left(clock), milliseconds{1});
  clock.advance(milliseconds{1});
  EXPECT_TRUE(deadline.passed(clock));
  EXPECT_EQ(deadline.left(clock), milliseconds{0});
  EXPECT_FALSE(Deadline::never().passed(clock));
}

TEST(BoundedQueue, RefusesBeyondItsBoundAndDrainsAfterClose) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  queue.close();
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_FALSE(queue.try_push(4));
}

struct CollectingSink final : LogSink {
  void write(LogLevel, std::string line) override { lines.push_back(std::move(line)); }
  std::vector<std::string> lines;
};

TEST(Logger, WritesOneEscapedObjectPerEvent) {
  CollectingSink sink;
  const testing::ManualClock clock(from_micros(0));
  const Logger logger = Logger(sink, clock).with("user");
  logger.info("login_failed", {{"email", "a\n\"b\xff"}, {"attempt", 3}, {"locked", true}, {"wait_s", 0.5}});
  logger.debug("not_wanted");
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0],
            R"({"at":"1970-01-01T00:00:00Z","level":"info","service":"user","event":"login_failed",)"
            R"("email":"a\u000a\"b\ufffd","attempt":3,"locked":true,"wait_s":0.5})");
}

TEST(Utf8, AcceptsWellFormedSequencesOnly) {
  EXPECT_TRUE(is_utf8("Жарко, 駅伝, \xF0\x9F\x8F\x83"));
  for (const char* bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Random, BelowReachesEveryValueAndNoOther) {
  testing::SeededRandom random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_EQ(*seen.rbegin(), 6U);
}

}  // namespace
}  // namespace ekiden
