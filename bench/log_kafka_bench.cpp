// What the log on Kafka costs against the same client library used directly, with the same settings: records
// sent and acknowledged, and records read and stored. Prints figures and their ratios; judges nothing.
// Usage: tools/with_servers kafka -- build/release/bench/log_kafka_bench [RECORDS]

#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "ports/log/kafka/kafka_log.hpp"

namespace {

using namespace ekiden;

constexpr int kWindow = 4'096;
constexpr std::size_t kPollMax = 500;
const std::string kValue(300, 'v');
const std::string kHeader = "workout.recorded";

class Silence final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

class Nobody final : public log::RebalanceListener {
 public:
  void on_assigned(const std::vector<log::TopicPartition>&) override {}
  void on_revoked(const std::vector<log::TopicPartition>&) override {}
  void on_lost(const std::vector<log::TopicPartition>&) override {}
};

/// Lets at most `kWindow` messages be on their way.
class Window {
 public:
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ < kWindow; });
    ++inside_;
  }
  void leave(bool is_sent) {
    const std::lock_guard lock(mutex_);
    --inside_;
    if (!is_sent) ++failed_;
    // Not for every one: waking the sender would cost more than what is measured.
    if (inside_ == kWindow / 2 || inside_ == 0) changed_.notify_one();
  }
  void wait_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
    if (failed_ > 0) throw std::runtime_error("a message was not delivered");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int failed_ = 0;
};

struct Cost {
  double per_second = 0;
  double cpu_micros = 0;  ///< of this process, for one record
};

double cpu_seconds() {
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const ::timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Cost measure(int records, const std::function<void()>& work) {
  const SystemClock clock;
  const Instant start = clock.monotonic();
  const double cpu = cpu_seconds();
  work();
  const double seconds = std::chrono::duration<double>(clock.monotonic() - start).count();
  return {records / seconds, (cpu_seconds() - cpu) * 1e6 / records};
}

void print(const char* what, const Cost& ours, const Cost& raw) {
  fmt::print("{:<20} {:>9.0f}/s of {:>9.0f}/s = {:.2f}   CPU {:.2f} us of {:.2f} us a record\n", what,
             ours.per_second, raw.per_second, ours.per_second / raw.per_second, ours.cpu_micros,
             raw.cpu_micros);
}

rd_kafka_t* raw_client(rd_kafka_type_t type, const std::vector<std::pair<const char*, std::string>>& settings,
                       void* opaque) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> reason{};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(reason.data());
    }
  }
  rd_kafka_conf_set_opaque(conf, opaque);
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* window) {
      static_cast<Window*>(window)->leave(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    });
  }
  return rd_kafka_new(type, conf, reason.data(), reason.size());
}

std::string key_of(int number) {
  return fmt::format("user-{}", number % 997);
}

Cost raw_sends(const std::string& broker, int records) {
  Window window;
  rd_kafka_t* client = raw_client(RD_KAFKA_PRODUCER,
                                  {{"bootstrap.servers", broker},
                                   {"enable.idempotence", "true"},
                                   {"compression.type", "lz4"},
                                   {"linger.ms", "1"}},
                                  &window);
  const Cost cost = measure(records, [&] {
    const std::jthread server([client](const std::stop_token& stop) {
      while (!stop.stop_requested()) rd_kafka_poll(client, 50);
    });
    for (int i = 0; i < records; ++i) {
      window.enter();
      const std::string key = key_of(i);
      // Spelt out, for the macros of the header are no C++.
      rd_kafka_producev(client, RD_KAFKA_VTYPE_TOPIC, "bench.t", RD_KAFKA_VTYPE_KEY, key.data(), key.size(),
                        RD_KAFKA_VTYPE_VALUE, kValue.data(), kValue.size(), RD_KAFKA_VTYPE_HEADER, "ce_type",
                        kHeader.data(), kHeader.size(), RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
                        RD_KAFKA_VTYPE_END);
    }
    window.wait_empty();
  });
  rd_kafka_destroy(client);
  return cost;
}

Cost our_sends(log::Log& log, int records) {
  Window window;
  const auto producer = log.producer();
  return measure(records, [&] {
    for (int i = 0; i < records; ++i) {
      window.enter();
      producer->send({"t", key_of(i), kValue, {{"ce_type", kHeader}}},
                     [&window](const auto& outcome) { window.leave(outcome.has_value()); });
    }
    window.wait_empty();
  });
}

Cost raw_reads(const std::string& broker, int records) {
  rd_kafka_t* client = raw_client(RD_KAFKA_CONSUMER,
                                  {{"bootstrap.servers", broker},
                                   {"group.id", "bench.raw"},
                                   {"auto.offset.reset", "earliest"},
                                   {"enable.auto.offset.store", "false"},
                                   {"queued.max.messages.kbytes", "8192"}},
                                  nullptr);
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, "bench.t", RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(client, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  int seen = 0;
  const auto take = [&](int timeout) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, timeout);
    if (message == nullptr) return;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && ++seen % static_cast<int>(kPollMax) == 0) {
      rd_kafka_offset_store(message->rkt, message->partition, message->offset);
    }
    rd_kafka_message_destroy(message);
  };
  while (seen == 0) take(100);  // joining is not measured
  const Cost cost = measure(records, [&] {
    while (seen < records) take(1'000);
  });
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return cost;
}

Cost our_reads(log::Log& log, int records) {
  Nobody nobody;
  log::ConsumerConfig config;
  config.group = "reader";
  config.topics = {"t"};
  const auto consumer = *log.join(config, nobody);
  int seen = 0;
  const auto take = [&] {
    const auto page = consumer->poll(kPollMax, std::chrono::seconds{1});
    if (!page || page->empty()) return;
    seen += static_cast<int>(page->size());
    static_cast<void>(consumer->store(page->back().at, log::after(page->back().offset)));
  };
  while (seen == 0) take();
  return measure(records, [&] {
    while (seen < records) take();
  });
}

}  // namespace

int main(int argc, char** argv) {
  const char* broker = std::getenv("EKIDEN_TEST_KAFKA");
  if (broker == nullptr) {
    std::fputs("log_kafka_bench: run it by tools/with_servers kafka -- …\n", stderr);
    return 2;
  }
  const int records = argc > 1 ? std::stoi(argv[1]) : 500'000;
  const SystemClock clock;
  Silence silence;
  const auto log =
      *log::make_kafka_log({.brokers = broker, .prefix = "bench."}, clock, Logger(silence, clock));
  if (const auto made = log->ensure_topics({{.name = "t", .partitions = 8}}); !made) {
    std::fputs((made.error().text() + "\n").c_str(), stderr);
    return 1;
  }
  raw_sends(broker, records / 10);  // the broker warms up
  const Cost raw_sent = raw_sends(broker, records);
  print("sent and awaited", our_sends(*log, records), raw_sent);
  const Cost raw_read = raw_reads(broker, records);
  print("read and stored", our_reads(*log, records), raw_read);
  return 0;
}
