// The log on a real broker keeps the log's contract, and what only it promises: several processes share it.
#include "ports/log/contract/log_contract.hpp"
#include "ports/log/kafka/kafka_log.hpp"
#include "ports/log/kafka/testing/kafka_harness.hpp"
#include "ports/log/kafka/testing/tsan_threads.hpp"

namespace ekiden::log {
namespace {

using contract::LogContract;
using contract::LogHarness;
using contract::LogMaker;
using kafka::testing::open_log;
using kafka::testing::quick;
using kafka::testing::RawAdmin;
using kafka::testing::Silence;
using kafka::testing::test_broker;
using kafka::testing::unique_prefix;

class KafkaHarness final : public LogHarness {
 public:
  KafkaHarness() : config_(quick(test_broker(), unique_prefix())) { reopen(); }

  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    log_ = open_log(config_, clock_, silence_);
  }
  void drop_everything(const std::string& topic) override {
    const auto topics = log_->topics();
    ASSERT_TRUE(topics);
    for (const TopicConfig& config : *topics) {
      if (config.name == topic)
        RawAdmin(config_, logger_).delete_records(config_.prefix + topic, config.partitions);
    }
  }
  std::chrono::milliseconds session_timeout() const override { return std::chrono::seconds{2}; }
  Duration churn_turn() const override { return std::chrono::milliseconds{300}; }

 private:
  const KafkaConfig config_;
  SystemClock clock_;
  Silence silence_;
  Logger logger_{silence_, clock_};
  std::unique_ptr<Log> log_;
};

INSTANTIATE_TEST_SUITE_P(Kafka, LogContract,
                         ::testing::Values(LogMaker{"broker",
                                                    [] { return std::make_unique<KafkaHarness>(); }}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ekiden::log
