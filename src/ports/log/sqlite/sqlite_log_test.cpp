// The embedded log keeps the log's contract, and what only it promises: two processes may share its file.
#include "ports/log/sqlite/sqlite_log.hpp"

#include "ports/log/contract/log_contract.hpp"
#include "ports/log/sqlite/testing/log_file.hpp"

namespace ekiden::log {
namespace {

using contract::Deliveries;
using contract::LogContract;
using contract::LogHarness;
using contract::LogMaker;
using contract::Member;
using contract::numbered;
using contract::send_all;
using sqlite::testing::Folder;
using sqlite::testing::open_log;
using sqlite::testing::ShiftedClock;
using sqlite::testing::Silence;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class SqliteHarness final : public LogHarness {
 public:
  explicit SqliteHarness(SqliteLogConfig config) : config_(config) { reopen(); }

  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    log_ = open_log(folder_.path(), clock_, silence_, false, config_);
  }
  void drop_everything(const std::string& topic) override {
    const auto topics = log_->topics();
    ASSERT_TRUE(topics);
    for (const TopicConfig& config : *topics) {
      if (config.name == topic) clock_.shift(config.retention + std::chrono::hours{1});
    }
    const auto dropped = log_->enforce_retention();
    ASSERT_TRUE(dropped) << dropped.error().text();
    EXPECT_GT(*dropped, 0);
  }
  std::chrono::milliseconds session_timeout() const override { return std::chrono::seconds{1}; }

 private:
  const SqliteLogConfig config_;
  ShiftedClock clock_;
  Silence silence_;
  Folder folder_;
  std::unique_ptr<Log> log_;
};

SqliteLogConfig without_tail() {
  SqliteLogConfig config;
  config.tail_bytes_max = 0;  // every record is read from the tables
  config.batch_max = 7;
  config.fetch_bytes_max = 500;
  return config;
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, LogContract,
    ::testing::Values(
        LogMaker{"memory_tail", [] { return std::make_unique<SqliteHarness>(SqliteLogConfig{}); }},
        LogMaker{"tables_only", [] { return std::make_unique<SqliteHarness>(without_tail()); }}),
    [](const auto& test) { return test.param.name; });

class SqliteLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> open(SqliteLogConfig config = {}) {
    return open_log(folder_.path(), clock_, silence_, false, config);
  }
  static ConsumerConfig config() {
    ConsumerConfig config;
    config.group = "g";
    config.topics = {"t"};
    return config;
  }

  ShiftedClock clock_;
  Silence silence_;
  Folder folder_;
};

// Two logs over one file are what two processes are: nothing in memory is shared.
TEST_F(SqliteLogTest, ASecondProcessAppendsBesideTheFirst) {
  const auto server = open();
  ASSERT_TRUE(server->ensure_topics({{.name = "t", .partitions = 2}}));
  const auto tool = open();
  Member member(*server, config());
  for (int round = 0; round < 5; ++round) {
    send_all(*server, numbered("t", 10, 5, round * 20));
    send_all(*tool, numbered("t", 10, 5, round * 20 + 10));
  }
  ASSERT_TRUE(member.read(100));
  std::map<std::string, int> last;
  std::set<std::pair<TopicPartition, std::int64_t>> places;
  for (const Record& record : member.seen) {
    EXPECT_TRUE(places.emplace(record.at, record.offset.value).second) << "one offset for two records";
    const auto [key, first] = last.try_emplace(record.key, -1);
    EXPECT_LT(key->second, std::stoi(record.value)) << "order over both processes";
    key->second = std::stoi(record.value);
  }
}

TEST_F(SqliteLogTest, AnIdleConsumerSeesWhatAnotherProcessAppends) {
  const auto server = open();
  ASSERT_TRUE(server->ensure_topics({{.name = "t", .partitions = 1}}));
  Member member(*server, config());
  ASSERT_TRUE(member.own(1));
  const auto tool = open();
  send_all(*tool, numbered("t", 3, 1));
  ASSERT_TRUE(member.read(3));
  ASSERT_TRUE(tool->ensure_topics({{.name = "t", .partitions = 3}}));
  EXPECT_TRUE(member.own(3)) << "and the partitions that it adds";
}

TEST_F(SqliteLogTest, AnotherProcessResetsAGroupThatIsReading) {
  const auto server = open();
  ASSERT_TRUE(server->ensure_topics({{.name = "t", .partitions = 1}}));
  send_all(*server, numbered("t", 5, 1));
  Member member(*server, config());
  ASSERT_TRUE(member.read(5));
  member.store_all();
  const auto tool = open();
  ASSERT_TRUE(tool->reset("g", {"t", 0}, CommittedOffset{2}));
  ASSERT_TRUE(member.read(8));
  EXPECT_EQ(member.seen[5].value, "2");
  EXPECT_TRUE(member.consumer->close());
  EXPECT_EQ((*server->state("g", "t"))[0].committed, CommittedOffset{2})
      << "what was stored before the reset has not undone it";
}

TEST_F(SqliteLogTest, AFullQueueAnswersBusyAndWhatWasTakenArrives) {
  SqliteLogConfig small;
  small.queue_max = 4;
  const auto log = open(small);
  ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 1}}));
  Deliveries deliveries;
  const auto producer = log->producer();
  for (Message& message : numbered("t", 5'000, 1)) producer->send(std::move(message), deliveries.next());
  std::size_t taken = 0;
  for (const auto& outcome : deliveries.wait()) {
    if (outcome) ++taken;
    if (!outcome) EXPECT_EQ(outcome.error().code(), Errc::busy);
  }
  EXPECT_LT(taken, 5'000U) << "5000 sends do not fit through a queue of 4";
  Member member(*log, config());
  ASSERT_TRUE(member.read(taken));
  EXPECT_THAT(member.seen, SizeIs(taken));
}

TEST_F(SqliteLogTest, ABusyPartitionDoesNotKeepTheOthersFromTheirTurn) {
  for (const std::size_t tail : {std::size_t{0}, std::size_t{1} << 20}) {
    SCOPED_TRACE(tail);
    const auto log = open({.tail_bytes_max = tail});
    ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 4}}));
    ConsumerConfig own_group = config();
    own_group.group = "g" + std::to_string(tail);
    Member member(*log, own_group);
    ASSERT_TRUE(member.own(4));
    send_all(*log, numbered("t", 400, 40));
    member.seen.clear();
    for (int i = 0; i < 8; ++i) member.poll(contract::kPatience, 10);
    std::set<TopicPartition> seen;
    for (const Record& record : member.seen) seen.insert(record.at);
    EXPECT_THAT(seen, SizeIs(4));
  }
}

TEST_F(SqliteLogTest, ClosingTheLogAppendsWhatIsQueued) {
  Deliveries deliveries;
  {
    const auto log = open();
    ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 1}}));
    const auto producer = log->producer();
    for (Message& message : numbered("t", 3'000, 1)) producer->send(std::move(message), deliveries.next());
  }
  for (const auto& outcome : deliveries.wait()) ASSERT_TRUE(outcome);
  const auto log = open();
  EXPECT_EQ((*log->state("g", "t"))[0].end, Offset{3'000});
}

TEST_F(SqliteLogTest, RetentionKeepsWhatIsYounger) {
  const auto log = open();
  ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 1, .retention = std::chrono::hours{2}}}));
  send_all(*log, numbered("t", 2'500, 1));
  clock_.shift(std::chrono::hours{1});
  send_all(*log, numbered("t", 10, 1, 2'500));
  EXPECT_EQ(*log->enforce_retention(), 0);
  clock_.shift(std::chrono::hours{1} + std::chrono::minutes{1});
  EXPECT_EQ(*log->enforce_retention(), 2'500) << "in several chunks";
  const auto state = log->state("g", "t");
  EXPECT_EQ((*state)[0].begin, Offset{2'500});
  EXPECT_EQ((*state)[0].end, Offset{2'510});
  EXPECT_EQ((*state)[0].lag_events, 10);
}

TEST_F(SqliteLogTest, AGroupThatStartsLateSkipsNothingAfterItsFirstJoin) {
  const auto log = open();
  ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 1}}));
  send_all(*log, numbered("t", 3, 1));
  ConsumerConfig latest = config();
  latest.start_at = StartAt::latest;
  {
    Member first(*log, latest);
    ASSERT_TRUE(first.own(1));
  }
  send_all(*log, numbered("t", 2, 1, 3));
  ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = 2}}));
  Member second(*log, latest);
  ASSERT_TRUE(second.read(2));
  EXPECT_THAT(second.values(), ElementsAre("3", "4")) << "appended while nobody was there";
}

}  // namespace
}  // namespace ekiden::log
