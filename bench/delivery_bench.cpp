// Events of a cluster from one service's tables to another's, against what the two servers do alone, in
// interleaved rounds.
// The whole way (outbox on PostgreSQL, relay, Kafka, consumer, inbox and effect on PostgreSQL) against
// librdkafka's producer and consumer with records of the same size. The last part of it (from Kafka on: inbox
// and one row of a ledger for each event, in batches) against a multi-row INSERT of the same rows, as many in
// a transaction, by libpq.
// Usage: tools/with_servers postgres kafka -- build/release/bench/delivery_bench [--quick] [EVENTS] [ROUNDS]
#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include "base/random.hpp"
#include "delivery/outbox.hpp"
#include "delivery/relay.hpp"
#include "delivery/runner.hpp"
#include "ports/log/kafka/kafka_log.hpp"
#include "ports/sql/postgres/postgres.hpp"

namespace {

using namespace ekiden;

constexpr int kBatch = 256;
constexpr int kWriters = 4;
constexpr int kPeople = kWriters * kBatch;
constexpr std::size_t kHeaderBytes = 250;  ///< what an event's attributes come to
const std::string kData = R"({"text":")" + std::string(280, 'x') + R"("})";
const SystemClock kClock;

/// Only what is wrong.
class Warnings final : public LogSink {
 public:
  void write(LogLevel level, std::string line) override {
    if (level >= LogLevel::error) std::fputs(line.c_str(), stderr);
  }
};

template <class Value>
Value checked(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<Value>) return *std::move(result);
}

double cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& at) {
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Events per second, and this process's CPU for each, over the rounds.
struct Samples {
  std::vector<double> per_s;
  std::vector<double> cpu_us;

  void measure(int events, const std::function<void()>& work) {
    const Instant begun = kClock.monotonic();
    const double cpu = cpu_s();
    work();
    const std::chrono::duration<double> took = kClock.monotonic() - begun;
    per_s.push_back(events / took.count());
    cpu_us.push_back((cpu_s() - cpu) * 1e6 / events);
  }
  static double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
  }
  void print(std::string_view what) const {
    const auto [low, high] = std::ranges::minmax(per_s);
    fmt::print("{:<44} {:>8.0f}/s ({:.0f} to {:.0f}), {:.1f} us of our CPU each\n", what, median(per_s), low,
               high, median(cpu_us));
  }
};

void print_result(std::string_view what, const Samples& ours, const Samples& theirs, double goal) {
  const double ratio = Samples::median(ours.per_s) / Samples::median(theirs.per_s);
  fmt::print("result\t{}\t{:.3g}\t>= {}\t{}\t\n", what, ratio, goal, ratio >= goal ? "reached" : "MISSED");
}

/// How many events have been applied, to wait for.
class Progress {
 public:
  void add(std::size_t events) {
    const MutexLock lock(mutex_);
    applied_ += static_cast<int>(events);
    changed_.notify_all();
  }
  /// @returns how many it is then.
  int reach(int count) {
    const Instant until = kClock.monotonic() + std::chrono::minutes{5};
    const MutexLock lock(mutex_);
    while (applied_ < count) {
      if (!changed_.wait_until(mutex_, until) && kClock.monotonic() >= until)
        throw std::runtime_error(fmt::format("{} of {} events after five minutes", applied_, count));
    }
    return applied_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int applied_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

/// Applies what comes: a row for each event.
class Consumer {
 public:
  Consumer(delivery::RunnerPorts ports, const Logger& logger, std::string group, std::string topic)
      : group_(std::move(group)),
        topic_(std::move(topic)),
        subscription_{.group = group_,
                      .topic = topic_,
                      .types = {"thing.happened"},
                      .apply = delivery::Batched{.apply = apply, .batch_max = kBatch},
                      .after_commit = [this](const std::vector<delivery::Envelope>& fresh) -> Result<void> {
                        progress_.add(fresh.size());
                        return {};
                      }},
        runner_(subscription_, {.member = {}}, std::move(ports), logger),
        work_([this] { runner_.work(); }),
        poll_([this](const std::stop_token& stop) { runner_.run(stop); }) {}

  Progress& progress() { return progress_; }

 private:
  static Result<void> apply(sql::Tx& tx, const delivery::Envelope& event) {
    EKIDEN_CHECK(tx.execute("INSERT INTO ledger (event_id, member, amount, at) VALUES ($1, $2, $3, $4)",
                            {event.id.uuid(), event.subject, std::int64_t{7}, to_micros(event.time)}));
    return {};
  }

  const std::string group_;
  const std::string topic_;
  Progress progress_;
  const delivery::Subscription subscription_;
  delivery::Runner runner_;
  std::jthread work_;
  std::jthread poll_;
};

/// Both services' tables, and what moves events between them.
class Ours {
 public:
  Ours(const std::string& postgres, const std::string& brokers)
      : database_(checked(
            sql::make_postgres({.url = postgres, .schema = "delivery_bench"}, kClock, random_, logger_))),
        log_(checked(log::make_kafka_log({.brokers = brokers, .prefix = "delivery."}, kClock, logger_))),
        relay_({}, *database_, *log_, kClock, random_, logger_) {
    checked(sql::migrate(*database_, {delivery::kDeliveryMigration,
                                      {.name = "0001_ledger",
                                       .text = "CREATE TABLE ledger (event_id BYTEA PRIMARY KEY, member TEXT "
                                               "NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL);\n"}}));
    relay_thread_ = std::jthread([this](const std::stop_token& stop) { relay_.run(stop); });
  }

  void add_topic(const std::string& topic) {
    checked(log_->ensure_topics({{.name = topic, .partitions = 4}}));
  }

  /// Writes events, as many transactions at once as a service has workers.
  void write(const std::string& topic, int events) {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([this, topic, w, events] {
        const delivery::Outbox outbox("bench", topic, kClock, ids_, relay_.bell());
        // Each has people of its own: kPeople is as many as go into one turn of all.
        for (int first = w * kBatch; first < events; first += kWriters * kBatch) {
          const int last = std::min(events, first + kBatch);
          checked(database_->write([&](sql::Tx& tx) { return outbox.append_all(tx, some(first, last)); }));
        }
      });
    }
  }

  /// A consumer of the topic, until it goes.
  std::unique_ptr<Consumer> consume(const std::string& group, const std::string& topic) {
    return std::make_unique<Consumer>(delivery::RunnerPorts{.database = *database_,
                                                            .log = *log_,
                                                            .clock = kClock,
                                                            .random = random_,
                                                            .wake_relay = relay_.bell()},
                                      logger_, group, topic);
  }

  /// The rows that the consumer has made are made again.
  void clear() {
    checked(database_->write([](sql::Tx& tx) { return tx.execute("DELETE FROM ledger"); }));
  }

 private:
  std::vector<delivery::Envelope> some(int first, int last) {
    std::vector<delivery::Envelope> events;
    for (int i = first; i < last; ++i) {
      const std::string subject = fmt::format("0190b1e0-0000-7000-8000-{:012}", i % kPeople);
      events.push_back({.id = {},
                        .source = {},
                        .type = "thing.happened",
                        .subject = subject,
                        .time = {},
                        .partition_key = subject,
                        .traceparent = {},
                        .schema = 1,
                        .sequence = 0,
                        .data = kData});
    }
    return events;
  }
  Warnings warnings_;
  SystemRandom random_;
  const Logger logger_{warnings_, kClock};
  Ids ids_{kClock, random_};
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<log::Log> log_;
  delivery::Relay relay_;
  std::jthread relay_thread_;
};

/// librdkafka and libpq by hand.
class Raw {
 public:
  Raw(const std::string& postgres, std::string brokers)
      : brokers_(std::move(brokers)), database_(PQconnectdb(postgres.c_str())) {
    if (PQstatus(database_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(database_));
    run("SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS raw_bench; SET search_path = "
        "raw_bench; DROP TABLE IF EXISTS inbox, "
        "ledger; "
        "CREATE TABLE inbox (group_name TEXT NOT NULL, event_id BYTEA NOT NULL, state TEXT NOT NULL CHECK "
        "(state IN ('applied', 'parked', 'dead', 'discarded')), deaths BIGINT NOT NULL DEFAULT 0, applied_at "
        "BIGINT NOT NULL, PRIMARY KEY (group_name, event_id)); CREATE INDEX ON inbox (applied_at); CREATE "
        "TABLE "
        "ledger (event_id BYTEA PRIMARY KEY, member TEXT NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT "
        "NULL)");
  }
  ~Raw() { PQfinish(database_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  /// Sends and reads as many records, at the same time.
  void pass(const std::string& topic, int records) {
    std::jthread reader([this, topic, records] { read(topic, records); });
    rd_kafka_t* client = make(RD_KAFKA_PRODUCER, {{"enable.idempotence", "true"},
                                                  {"compression.type", "lz4"},
                                                  {"linger.ms", "1"},
                                                  {"queue.buffering.max.messages", "1000000"}});
    const std::string header(kHeaderBytes, 'h');
    for (int i = 0; i < records; ++i) {
      const std::string key = fmt::format("0190b1e0-0000-7000-8000-{:012}", i % kPeople);
      rd_kafka_producev(client, RD_KAFKA_VTYPE_TOPIC, topic.c_str(), RD_KAFKA_VTYPE_KEY, key.data(),
                        key.size(), RD_KAFKA_VTYPE_VALUE, kData.data(), kData.size(), RD_KAFKA_VTYPE_HEADER,
                        "ce", header.data(), header.size(), RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
                        RD_KAFKA_VTYPE_END);
    }
    rd_kafka_flush(client, 60'000);
    reader.join();
    rd_kafka_destroy(client);
  }

  void insert(int rows) {
    for (int first = 0; first < rows; first += kBatch) {
      std::string inbox = "INSERT INTO inbox (group_name, event_id, state, applied_at) VALUES ";
      std::string ledger = "INSERT INTO ledger (event_id, member, amount, at) VALUES ";
      for (int i = first; i < std::min(rows, first + kBatch); ++i) {
        const char* comma = i == first ? "" : ",";
        const std::int64_t now = to_micros(kClock.now());
        // As ids of version 7 are: time first.
        const std::string id = fmt::format("{:012x}70008000{:012x}", now / 1000, next_++);
        inbox += fmt::format("{}('bench','\\x{}','applied',{})", comma, id, now);
        ledger +=
            fmt::format("{}('\\x{}','0190b1e0-0000-7000-8000-{:012}',7,{})", comma, id, i % kPeople, now);
      }
      run("BEGIN ISOLATION LEVEL SERIALIZABLE;" + inbox + ";" + ledger + ";COMMIT");
    }
  }

 private:
  void run(const std::string& statements) {
    PGresult* result = PQexec(database_, statements.c_str());
    const bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!is_good) throw std::runtime_error(PQerrorMessage(database_));
  }

  rd_kafka_t* make(rd_kafka_type_t type, std::vector<std::pair<const char*, std::string>> settings) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> reason{};
    settings.emplace_back("bootstrap.servers", brokers_);
    for (const auto& [name, value] : settings) {
      if (rd_kafka_conf_set(conf, name, value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK)
        throw std::runtime_error(reason.data());
    }
    return rd_kafka_new(type, conf, reason.data(), reason.size());
  }

  void read(const std::string& topic, int records) {
    rd_kafka_t* client = make(RD_KAFKA_CONSUMER, {{"group.id", topic}, {"auto.offset.reset", "earliest"}});
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(4);
    // Assigned, not joined: nobody waits for a group.
    for (int partition = 0; partition < 4; ++partition)
      rd_kafka_topic_partition_list_add(topics, topic.c_str(), partition)->offset = 0;
    rd_kafka_assign(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    for (int seen = 0; seen < records;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 1'000);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++seen;
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
  }

  const std::string brokers_;
  PGconn* const database_;
  std::uint64_t next_ = 0;
};

void run(const std::string& postgres, const std::string& brokers, int events, int rounds) {
  Ours ours(postgres, brokers);
  Raw raw(postgres, brokers);
  Samples whole;
  Samples written;
  Samples records;
  Samples applied;
  Samples inserted;
  for (int round = 0; round < rounds; ++round) {
    const std::string topic = fmt::format("things{}", round);
    const std::string peer_topic = fmt::format("peer{}", round);
    ours.add_topic(topic);
    ours.add_topic(peer_topic);
    {
      // One event goes ahead, so that joining the group is not measured.
      ours.write(topic, 1);
      const auto consumer = ours.consume("whole", topic);
      consumer->progress().reach(1);
      whole.measure(events, [&] {
        written.measure(events, [&] { ours.write(topic, events); });
        consumer->progress().reach(events + 1);
      });
    }
    records.measure(events, [&] { raw.pass("delivery." + peer_topic, events); });
    ours.clear();
    {
      const auto consumer = ours.consume("again", topic);
      const int begun = consumer->progress().reach(1);
      applied.measure(events + 1 - begun, [&] { consumer->progress().reach(events + 1); });
    }
    inserted.measure(events, [&] { raw.insert(events); });
  }
  fmt::print("{} events a round, {} rounds, batches of {}\n", events, rounds, kBatch);
  whole.print("outbox, relay, Kafka, consumer, inbox");
  written.print("of that until all is in the outbox");
  records.print("librdkafka: sent and read");
  applied.print("from Kafka on: inbox and ledger");
  inserted.print("libpq: multi-row INSERT of the same rows");
  print_result("events through outbox, relay, Kafka, inbox: per s over librdkafka alone", whole, records,
               0.3);
  print_result("ledger and inbox on PostgreSQL: events/s over multi-row INSERT", applied, inserted, 0.5);
}

}  // namespace

int main(int argc, char** argv) {
  const char* const postgres = std::getenv("EKIDEN_TEST_POSTGRES");
  const char* const kafka = std::getenv("EKIDEN_TEST_KAFKA");
  if (postgres == nullptr || kafka == nullptr) {
    fmt::print(stderr, "run this by tools/with_servers postgres kafka -- delivery_bench\n");
    return 2;
  }
  const bool is_quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const int first = is_quick ? 2 : 1;
  const int events = argc > first ? std::atoi(argv[first]) : is_quick ? 5'000 : 30'000;
  const int rounds = argc > first + 1 ? std::atoi(argv[first + 1]) : is_quick ? 3 : 5;
  try {
    run(postgres, kafka, events, rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "delivery_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
