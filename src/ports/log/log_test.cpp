#include "ports/log/log.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "ports/log/checks.hpp"

namespace ekiden::log {
namespace {

constexpr std::int32_t kEvery = std::numeric_limits<std::int32_t>::max();

// Kafka's own vectors (UtilsTest.testMurmur2) with the sign bit dropped, as its partitioner does.
TEST(PartitionOf, AgreesWithKafka) {
  EXPECT_EQ(partition_of("21", kEvery), 1173551340);
  EXPECT_EQ(partition_of("foobar", kEvery), 1357151166);
  EXPECT_EQ(partition_of("a-little-bit-long-string", kEvery), 1161502112);
  EXPECT_EQ(partition_of("a-little-bit-longer-string", kEvery), 661178819);
  EXPECT_EQ(partition_of("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", kEvery), 2088585677);
  EXPECT_EQ(partition_of("abc", kEvery), 479470107);
  EXPECT_EQ(partition_of("", kEvery), 275646681);
}

TEST(PartitionOf, TakesBytesAsUnsigned) {
  EXPECT_EQ(partition_of("\xff\x80\x81", kEvery), 1120456546);
}

TEST(PartitionOf, StaysWithinTheTopic) {
  for (std::int32_t partitions = 1; partitions <= 64; ++partitions) {
    for (int key = 0; key < 100; ++key) {
      const std::int32_t at = partition_of("user-" + std::to_string(key), partitions);
      ASSERT_GE(at, 0);
      ASSERT_LT(at, partitions);
    }
  }
  EXPECT_EQ(partition_of("user-0", 8), 3);
  EXPECT_EQ(partition_of("user-4", 8), 7);
}

TEST(Checks, NamesAreShortAndPlain) {
  EXPECT_TRUE(is_valid_name("notification.fanout"));
  EXPECT_TRUE(is_valid_name(std::string(100, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(101, 'a')));
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_FALSE(is_valid_name("Users"));
  EXPECT_FALSE(is_valid_name("a/b"));
}

TEST(Checks, AMessageAtEachLimitPassesAndOneBeyondDoesNot) {
  Message message{"t", std::string(kKeyBytesMax, 'k'), std::string(kValueBytesMax, 'v'), {}};
  for (std::size_t i = 0; i < kHeadersMax; ++i) message.headers.emplace_back("h", std::string(127, 'x'));
  EXPECT_TRUE(check(message)) << "64 headers of 128 bytes are 8 KiB";
  Message more_headers = message;
  more_headers.headers.emplace_back("h", "");
  EXPECT_EQ(check(more_headers).error().field(), "headers");
  Message longer_headers = message;
  longer_headers.headers.front().second += 'x';
  EXPECT_EQ(check(longer_headers).error().field(), "headers");
  Message longer_value = message;
  longer_value.value += 'v';
  EXPECT_EQ(check(longer_value).error().code(), Errc::invalid);
  EXPECT_EQ(check(longer_value).error().field(), "value");
  Message longer_key = message;
  longer_key.key += 'k';
  EXPECT_EQ(check(longer_key).error().field(), "key");
  Message nul_in_name{"t", "k", "v", {{std::string("a\0b", 3), ""}}};
  EXPECT_EQ(check(nul_in_name).error().field(), "headers");
}

TEST(Checks, ATopicsAndAConsumersBounds) {
  EXPECT_TRUE(check(TopicConfig{.name = "t", .partitions = kPartitionsMax}));
  EXPECT_FALSE(check(TopicConfig{.name = "t", .partitions = kPartitionsMax + 1}));
  EXPECT_FALSE(check(TopicConfig{.name = "t", .partitions = 0}));
  EXPECT_FALSE(check(TopicConfig{.name = "t", .partitions = 1, .retention = std::chrono::hours{0}}));
  EXPECT_TRUE(check(ConsumerConfig{.group = "g", .topics = {"t"}, .member = {}}));
  EXPECT_FALSE(check(ConsumerConfig{.group = "g", .topics = {}, .member = {}}));
  EXPECT_FALSE(check(ConsumerConfig{.group = "G", .topics = {"t"}, .member = {}}));
  EXPECT_FALSE(check(ConsumerConfig{.group = "g", .topics = {"t"}, .member = "a b"}));
}

}  // namespace
}  // namespace ekiden::log
