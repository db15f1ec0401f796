#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "ports/log/contract/log_harness.hpp"
#include "ports/log/kafka/handles.hpp"
#include "ports/log/kafka/kafka_log.hpp"

namespace ekiden::log::kafka::testing {

/// The broker that tools/with_servers has started. Throws where there is none.
inline std::string test_broker() {
  const char* broker = std::getenv("EKIDEN_TEST_KAFKA");
  if (broker == nullptr) {
    throw std::runtime_error("EKIDEN_TEST_KAFKA is not set: run this by tools/with_servers kafka -- …");
  }
  return broker;
}

/// A prefix that no other test has, in this process or another.
inline std::string unique_prefix() {
  static std::atomic<int> count = 0;
  const SystemClock clock;
  return "t" + std::to_string(to_micros(clock.now())) + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(count++) + ".";
}

/// Settings for tests: everything that waits, waits little. EKIDEN_TEST_KAFKA_DEBUG is librdkafka's `debug`.
inline KafkaConfig quick(std::string broker, std::string prefix) {
  using std::chrono::milliseconds;
  KafkaConfig config;
  config.brokers = std::move(broker);
  config.prefix = std::move(prefix);
  config.commit_every = milliseconds{50};
  config.heartbeat = milliseconds{100};
  config.look_every = milliseconds{500};
  if (const char* debug = std::getenv("EKIDEN_TEST_KAFKA_DEBUG")) config.properties = {{"debug", debug}};
  return config;
}

/// Where log lines of a test go: nowhere, or to stderr with EKIDEN_TEST_VERBOSE.
class Silence final : public LogSink {
 public:
  void write(LogLevel level, std::string line) override {
    if (is_verbose_) stderr_.write(level, std::move(line));
  }

 private:
  const bool is_verbose_ = std::getenv("EKIDEN_TEST_VERBOSE") != nullptr;
  FdLogSink stderr_{2};
};

inline std::unique_ptr<Log> open_log(KafkaConfig config, const Clock& clock, LogSink& sink) {
  auto log = make_kafka_log(std::move(config), clock, Logger(sink, clock, LogLevel::debug));
  if (!log) throw std::runtime_error(log.error().text());
  return *std::move(log);
}

/// A client of the test's own, for what the port does not offer.
class RawAdmin final : private Owner {
 public:
  RawAdmin(const KafkaConfig& config, const Logger& logger) : Owner(logger) {
    auto client = ConfBuilder(config, *this).build(RD_KAFKA_PRODUCER);
    if (!client) throw std::runtime_error(client.error().text());
    client_ = *std::move(client);
  }

  /// Deletes every record of `topic`, by its name on the brokers.
  void delete_records(const std::string& topic, std::int32_t partitions) {
    const List list(rd_kafka_topic_partition_list_new(partitions));
    for (std::int32_t i = 0; i < partitions; ++i) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = RD_KAFKA_OFFSET_END;
    }
    auto* request = rd_kafka_DeleteRecords_new(list.get());
    const Queue queue(rd_kafka_queue_new(client_.get()));
    rd_kafka_DeleteRecords(client_.get(), &request, 1, nullptr, queue.get());
    rd_kafka_DeleteRecords_destroy(request);
    constexpr int kWaitMs = 30'000;
    const Event event(rd_kafka_queue_poll(queue.get(), kWaitMs));
    if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error("the records could not be deleted");
    }
  }

 private:
  Client client_;
};

}  // namespace ekiden::log::kafka::testing
