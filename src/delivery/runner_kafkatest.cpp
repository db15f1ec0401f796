// Goal: from outbox over a real broker to effect, each event is applied exactly once and in the order of its
// subject, while members come and go and the broker is stopped and killed. Method: a broker of the test's
// own; two members, of which one is replaced after every so many effects; the tables are counted afterwards.
#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/folder.hpp"
#include "base/testing/seeded_random.hpp"
#include "delivery/outbox.hpp"
#include "delivery/relay.hpp"
#include "delivery/runner.hpp"
#include "ports/log/kafka/kafka_log.hpp"
#include "ports/log/kafka/testing/own_broker.hpp"
#include "ports/log/kafka/testing/tsan_threads.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace ekiden::delivery {
namespace {

constexpr int kSubjects = 20;
constexpr int kEvents = 3'000;
constexpr int kPerWrite = 20;

class Quiet final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

/// A runner with its two threads; stopped and joined by its destructor.
struct Running {
  Running(const Subscription& subscription, RunnerConfig config, RunnerPorts ports, const Logger& logger)
      : runner(subscription, std::move(config), std::move(ports), logger),
        work([this] { runner.work(); }),
        poll([this](const std::stop_token& stop) { runner.run(stop); }) {}
  Runner runner;
  std::jthread work;
  std::jthread poll;
};

/// How many events have been applied, to wait for.
class Progress {
 public:
  void add(std::size_t events) {
    const MutexLock lock(mutex_);
    applied_ += static_cast<int>(events);
    changed_.notify_all();
  }
  int applied() const {
    const MutexLock lock(mutex_);
    return applied_;
  }
  /// False where it has not come so far for a long time.
  bool reach(int count) {
    const SystemClock clock;
    const Instant until = clock.monotonic() + std::chrono::seconds{90};
    const MutexLock lock(mutex_);
    while (applied_ < count) {
      if (!changed_.wait_until(mutex_, until) && clock.monotonic() >= until) return false;
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  int applied_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

class KafkaRunnerTest : public ::testing::Test {
 protected:
  KafkaRunnerTest() {
    EXPECT_TRUE(sql::migrate(
        *database_, {kDeliveryMigration,
                     {.name = "0001_effects",
                      .text = "CREATE TABLE effects (place BIGINT PRIMARY KEY, subject TEXT NOT NULL, "
                              "sequence BIGINT NOT NULL);\n"}}));
    const auto made = log_->ensure_topics({{.name = "things", .partitions = 6}});
    EXPECT_TRUE(made) << made.error().text();
    relay_thread_ = std::jthread([this](const std::stop_token& stop) { relay_.run(stop); });
  }
  std::unique_ptr<sql::Database> open_database() {
    sql::SqliteConfig config;
    config.file = folder_ / "service.db";
    config.durable = false;
    return *sql::make_sqlite(std::move(config), clock_, logger_);
  }
  std::unique_ptr<log::Log> open_log() {
    log::KafkaConfig config;
    config.brokers = broker_.address();
    config.prefix = "e2e.";
    config.commit_every = std::chrono::milliseconds{50};
    config.heartbeat = std::chrono::milliseconds{100};
    return *log::make_kafka_log(std::move(config), clock_, logger_);
  }
  std::int64_t count(std::string_view statement) {
    const auto rows = database_->read([&](sql::Tx& tx) { return tx.query(statement); });
    EXPECT_TRUE(rows) << rows.error().text();
    return rows ? rows->at(0).integer(0) : -1;
  }
  Result<void> apply(sql::Tx& tx, const Envelope& event) {
    EKIDEN_TRY(const sql::Rows place, tx.query("SELECT coalesce(max(place), 0) + 1 FROM effects"));
    EKIDEN_CHECK(tx.execute("INSERT INTO effects (place, subject, sequence) VALUES ($1, $2, $3)",
                            {place.at(0).integer(0), event.subject, event.sequence}));
    return {};
  }
  std::unique_ptr<Running> start(std::string name) {
    return std::make_unique<Running>(subscription_,
                                     RunnerConfig{.member = std::move(name),
                                                  .session_timeout = std::chrono::seconds{3},
                                                  .drain_timeout = std::chrono::seconds{2}},
                                     RunnerPorts{.database = *database_,
                                                 .log = *log_,
                                                 .clock = clock_,
                                                 .random = random_,
                                                 .wake_relay = relay_.bell()},
                                     logger_);
  }
  /// Writes all events, a few in a transaction, each subject's in its sequence.
  void write_events() {
    const Outbox outbox("test", "things", clock_, ids_, relay_.bell());
    for (int first = 0; first < kEvents; first += kPerWrite) {
      const auto done = database_->write([&](sql::Tx& tx) -> Result<void> {
        for (int i = first; i < first + kPerWrite; ++i) {
          const std::string subject = "s" + std::to_string(i % kSubjects);
          EKIDEN_CHECK(outbox.append(tx, {.id = {},
                                          .source = {},
                                          .type = "thing.happened",
                                          .subject = subject,
                                          .time = {},
                                          .partition_key = subject,
                                          .traceparent = {},
                                          .schema = 1,
                                          .sequence = i / kSubjects + 1,
                                          .data = "{}"}));
        }
        return {};
      });
      ASSERT_TRUE(done) << done.error().text();
      // No faster than it is applied, so that there is something to do during every fault.
      ASSERT_TRUE(progress_.reach(first - kEvents / 10));
    }
  }

  Progress progress_;
  SystemClock clock_;
  Quiet sink_;
  Logger logger_{sink_, clock_};
  ekiden::testing::SeededRandom random_{11};
  Ids ids_{clock_, random_};
  const log::kafka::testing::OwnBroker broker_;
  const ekiden::testing::Folder folder_;
  std::unique_ptr<sql::Database> database_ = open_database();
  std::unique_ptr<log::Log> log_ = open_log();
  Relay relay_{{}, *database_, *log_, clock_, random_, logger_};
  std::jthread relay_thread_;
  Subscription subscription_{
      .group = "g",
      .topic = "things",
      .types = {"thing.happened"},
      .apply = Batched{.apply = [this](sql::Tx& tx, const Envelope& event) { return apply(tx, event); }},
      .in_sequence = true,
      .after_commit = [this](const std::vector<Envelope>& fresh) -> Result<void> {
        progress_.add(fresh.size());
        return {};
      }};
};

TEST_F(KafkaRunnerTest, EachEventIsAppliedOnceWhileMembersChurnAndTheBrokerRestarts) {
  const std::jthread writer([this] { write_events(); });
  std::jthread churn([this](const std::stop_token& stop) {
    auto steady = start("steady");
    for (int round = 0; !stop.stop_requested(); ++round) {
      const auto guest = start(round % 3 == 0 ? "guest" : "");
      progress_.reach(std::min(progress_.applied() + 150, kEvents));
      if (round % 4 == 3) steady.reset();  // takes its partitions back under its name
      if (!steady) steady = start("steady");
    }
  });
  ASSERT_TRUE(progress_.reach(kEvents / 5));
  broker_.stop();
  broker_.start();
  ASSERT_TRUE(progress_.reach(kEvents / 2));
  broker_.kill();
  broker_.start();
  EXPECT_TRUE(progress_.reach(kEvents));
  churn = {};
  EXPECT_EQ(count("SELECT count(*) FROM effects"), kEvents);
  EXPECT_EQ(count("SELECT count(DISTINCT subject || ':' || sequence) FROM effects"), kEvents) << "twice";
  EXPECT_EQ(
      count("SELECT count(*) FROM effects a JOIN effects b ON a.subject = b.subject AND a.place < b.place "
            "AND a.sequence > b.sequence"),
      0)
      << "out of order";
  EXPECT_EQ(count("SELECT count(*) FROM outbox WHERE published_at IS NULL"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM parked"), 0);
}

}  // namespace
}  // namespace ekiden::delivery
