#pragma once

// What every log promises about records: order, completeness, limits, retention. What it promises to groups
// is in log_group_contract.hpp. An adapter includes this one header and instantiates LogContract.

#include <thread>

#include "ports/log/contract/log_churn_contract.hpp"
#include "ports/log/contract/log_group_contract.hpp"
#include "ports/log/contract/log_harness.hpp"

namespace ekiden::log::contract {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(LogContract, RecordsOfAKeyKeepTheirOrderAndPartition) {
  make_topic("t", 4);
  const auto places = send_all(log(), numbered("t", 400, 10));
  ASSERT_THAT(places, SizeIs(400));
  Member member(log(), config());
  ASSERT_TRUE(member.read(400));
  std::map<std::string, int> last_of_key;
  std::map<TopicPartition, std::int64_t> last_of_partition;
  for (const Record& record : member.seen) {
    const int number = std::stoi(record.value);
    const auto sent = static_cast<std::size_t>(number);
    EXPECT_EQ(std::pair(record.at, record.offset), places[sent]);
    EXPECT_EQ(record.at.partition, partition_of(record.key, 4));
    const auto [key, first_of_key] = last_of_key.try_emplace(record.key, -1);
    EXPECT_LT(key->second, number);
    key->second = number;
    const auto [partition, first] = last_of_partition.try_emplace(record.at, -1);
    EXPECT_LT(partition->second, record.offset.value);
    partition->second = record.offset.value;
  }
  EXPECT_EQ(member.seen.size(), 400U) << "nothing comes twice to one member";
}

TEST_P(LogContract, BytesAndHeadersComeBackAsTheyWent) {
  make_topic("t", 1);
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  const Headers headers{{"ce-id", "1"}, {"ce-id", "again"}, {"empty", ""}, {"bytes", every_byte}};
  send_all(log(), {{"t", every_byte, every_byte, headers}, {"t", "", "", {}}});
  Member member(log(), config());
  ASSERT_TRUE(member.read(2));
  EXPECT_EQ(member.seen[0].key, every_byte);
  EXPECT_EQ(member.seen[0].value, every_byte);
  EXPECT_EQ(member.seen[0].headers, headers);
  EXPECT_EQ(member.seen[1].key, "");
  EXPECT_EQ(member.seen[1].value, "");
  EXPECT_THAT(member.seen[1].headers, IsEmpty());
}

TEST_P(LogContract, AValueOfOneMebibytePassesAndAByteMoreIsRefused) {
  make_topic("t", 1);
  Deliveries deliveries;
  const auto producer = log().producer();
  const std::string largest(1024 * 1024, 'x');
  producer->send({"t", "k", largest, {}}, deliveries.next());
  producer->send({"t", "k", largest + "x", {}}, deliveries.next());
  producer->send({"t", "k", "small", {}}, deliveries.next());
  const auto outcomes = deliveries.wait();
  EXPECT_TRUE(outcomes[0]);
  ASSERT_FALSE(outcomes[1]);
  EXPECT_EQ(outcomes[1].error().code(), Errc::invalid);
  EXPECT_TRUE(outcomes[2]);
  Member member(log(), config());
  ASSERT_TRUE(member.read(2));
  EXPECT_EQ(member.seen[0].value, largest);
  EXPECT_EQ(member.seen[1].value, "small");
}

TEST_P(LogContract, AnUnknownTopicIsRefused) {
  Deliveries deliveries;
  log().producer()->send({"nowhere", "k", "v", {}}, deliveries.next());
  const auto outcomes = deliveries.wait();
  ASSERT_FALSE(outcomes[0]);
  EXPECT_EQ(outcomes[0].error().code(), Errc::invalid);
  Told told;
  const auto joined = log().join(config("nowhere"), told);
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code(), Errc::invalid);
  EXPECT_EQ(log().state("g", "nowhere").error().code(), Errc::not_found);
  EXPECT_EQ(log().read({"nowhere", 0}, Offset{0}, 1).error().code(), Errc::not_found);
}

// The partitions that Kafka's Java client chooses for these keys among 8.
TEST_P(LogContract, ForeignPartitionersAgree) {
  make_topic("t", 8);
  const auto places = send_all(log(), {{"t", "21", "", {}},
                                       {"t", "foobar", "", {}},
                                       {"t", "a-little-bit-long-string", "", {}},
                                       {"t", "abc", "", {}}});
  ASSERT_THAT(places, SizeIs(4));
  EXPECT_EQ(places[0].first.partition, 1173551340 % 8);
  EXPECT_EQ(places[1].first.partition, 1357151166 % 8);
  EXPECT_EQ(places[2].first.partition, 1161502112 % 8);
  EXPECT_EQ(places[3].first.partition, 479470107 % 8);
}

TEST_P(LogContract, ConcurrentProducersLoseNothingAndKeepTheirOrder) {
  make_topic("t", 3);
  constexpr int kProducers = 4;
  static constexpr int kEach = 250;
  {
    std::vector<std::jthread> threads;
    for (int p = 0; p < kProducers; ++p) {
      threads.emplace_back([this, p] {
        std::vector<Message> messages;
        for (int i = 0; i < kEach; ++i) {
          messages.push_back({"t", "p" + std::to_string(p), std::to_string(i), {}});
        }
        EXPECT_THAT(send_all(log(), std::move(messages)), SizeIs(kEach));
      });
    }
  }
  Member member(log(), config());
  ASSERT_TRUE(member.read(kProducers * kEach));
  std::map<std::string, int> next;
  for (const Record& record : member.seen) EXPECT_EQ(std::stoi(record.value), next[record.key]++);
  EXPECT_THAT(next, SizeIs(kProducers));
}

TEST_P(LogContract, TopicsGrowAndNeverShrink) {
  make_topic("t", 2);
  Member member(log(), config());
  ASSERT_TRUE(member.own(2));
  make_topic("t", 5);
  make_topic("t", 1);
  const auto topics = log().topics();
  ASSERT_TRUE(topics);
  ASSERT_THAT(*topics, SizeIs(1));
  EXPECT_EQ(topics->front().name, "t");
  EXPECT_EQ(topics->front().partitions, 5);
  ASSERT_TRUE(member.own(5)) << "members take up what is added";
  const auto places = send_all(log(), numbered("t", 50, 50));
  std::set<TopicPartition> used;
  for (const auto& [at, offset] : places) used.insert(at);
  EXPECT_THAT(used, SizeIs(5));
  EXPECT_TRUE(member.read(50));
}

TEST_P(LogContract, BadTopicsAreRefused) {
  EXPECT_EQ(log().ensure_topics({{.name = "Upper"}}).error().code(), Errc::invalid);
  EXPECT_EQ(log().ensure_topics({{.name = "t", .partitions = 0}}).error().code(), Errc::invalid);
  EXPECT_EQ(log().ensure_topics({{.name = "t", .partitions = 1025}}).error().code(), Errc::invalid);
}

TEST_P(LogContract, APartitionCanBeReadOutsideAnyGroup) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  const auto some = log().read({"t", 0}, Offset{4}, 3);
  ASSERT_TRUE(some);
  std::vector<std::string> values;
  for (const Record& record : *some) values.push_back(record.value);
  EXPECT_THAT(values, ElementsAre("4", "5", "6"));
  EXPECT_THAT(*log().read({"t", 0}, Offset{10}, 3), IsEmpty());
  EXPECT_EQ(log().read({"t", 1}, Offset{0}, 3).error().code(), Errc::not_found);
  EXPECT_THAT(*log().groups(), IsEmpty());
}

TEST_P(LogContract, RecordsOutliveARestartAndOffsetsGoOn) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 5, 1));
  harness_->reopen();
  const auto places = send_all(log(), numbered("t", 1, 1, 5));
  ASSERT_THAT(places, SizeIs(1));
  Member member(log(), config());
  ASSERT_TRUE(member.read(6));
  EXPECT_THAT(member.values(), ElementsAre("0", "1", "2", "3", "4", "5"));
  EXPECT_EQ(member.seen[5].offset, places[0].second);
}

TEST_P(LogContract, RetentionThatPassesUnreadRecordsIsToldOnceAndReadingGoesOn) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  {
    Member before(log(), config());
    ASSERT_TRUE(before.poll_until([&] { return before.seen.size() == 3; }, 3));
    before.store_all();
    EXPECT_TRUE(before.consumer->close());
  }
  harness_->drop_everything("t");
  const auto later = send_all(log(), numbered("t", 4, 1, 10));
  const auto states = log().state("g", "t");
  ASSERT_TRUE(states);
  EXPECT_EQ(states->front().begin, later.front().second);

  Member member(log(), config());
  ASSERT_TRUE(member.read(4));
  ASSERT_THAT(member.errors, SizeIs(1));
  EXPECT_EQ(member.errors[0].code(), Errc::gone);
  EXPECT_THAT(member.values(), ElementsAre("10", "11", "12", "13"));
  send_all(log(), numbered("t", 1, 1, 14));
  ASSERT_TRUE(member.read(5));
  EXPECT_THAT(member.errors, SizeIs(1)) << "once";
}

TEST_P(LogContract, RetentionOfWhatWasReadIsNoAlarm) {
  make_topic("t", 1);
  send_all(log(), numbered("t", 10, 1));
  Member member(log(), config());
  ASSERT_TRUE(member.read(10));
  harness_->drop_everything("t");
  const auto later = send_all(log(), numbered("t", 1, 1, 10));
  ASSERT_TRUE(member.read(11));
  EXPECT_THAT(member.errors, IsEmpty());
  EXPECT_EQ(member.seen.back().offset, later.front().second) << "offsets are never used again";
}

}  // namespace ekiden::log::contract
