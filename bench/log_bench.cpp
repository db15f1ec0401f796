// What the embedded log does on this machine: records appended and read in a second, and how long one record
// takes from `send` to a consumer that waits. Prints figures; judges nothing.
// Usage: log_bench [FOLDER]   (default: the system's folder for temporary files)

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace {

using namespace ekiden;

constexpr int kRecords = 1'000'000;
constexpr int kWindow = 32'768;
constexpr int kSamples = 5'000;
const std::string kValue(300, 'v');

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
  void leave(bool kept) {
    const std::lock_guard lock(mutex_);
    --inside_;
    if (!kept) ++failed_;
    // Not for every one: waking the sender would cost more than what is measured.
    if (inside_ == kWindow / 2 || inside_ == 0) changed_.notify_one();
  }
  int wait_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
    return failed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int failed_ = 0;
};

double seconds_since(const SystemClock& clock, Instant start) {
  return std::chrono::duration<double>(clock.monotonic() - start).count();
}

std::unique_ptr<log::Log> open(const std::filesystem::path& file, bool durable, const Clock& clock,
                               LogSink& sink) {
  const Logger logger(sink, clock);
  sql::SqliteConfig config;
  config.file = file;
  config.durable = durable;
  return *log::make_sqlite_log(*sql::make_sqlite(config, clock, logger), {}, clock, logger);
}

void measure_appends(log::Log& log, const SystemClock& clock, int records, const char* what) {
  Window window;
  const auto producer = log.producer();
  const Instant start = clock.monotonic();
  for (int i = 0; i < records; ++i) {
    window.enter();
    producer->send({"t", fmt::format("user-{}", i % 997), kValue, {{"ce-type", "workout.recorded"}}},
                   [&window](const auto& outcome) { window.leave(outcome.has_value()); });
  }
  const int failed = window.wait_empty();
  const double seconds = seconds_since(clock, start);
  fmt::print("{:<44} {:>12.0f} records/s ({} of {} failed)\n", what, records / seconds, failed, records);
}

void measure_reads(log::Log& log, const SystemClock& clock) {
  Nobody nobody;
  log::ConsumerConfig config;
  config.group = "reader";
  config.topics = {"t"};
  const auto consumer = *log.join(config, nobody);
  const Instant start = clock.monotonic();
  std::size_t seen = 0;
  while (seen < kRecords) {
    const auto records = consumer->poll(500, std::chrono::seconds{1});
    if (!records) continue;
    seen += records->size();
    if (!records->empty()) {
      const auto& last = records->back();
      static_cast<void>(consumer->store(last.at, log::after(last.offset)));
    }
  }
  fmt::print("{:<44} {:>12.0f} records/s\n", "read back from the tables, pages of 500",
             static_cast<double>(seen) / seconds_since(clock, start));
}

/// One record at a time, each sent when the one before has been seen.
void measure_latency(log::Log& log, const SystemClock& clock, const char* what) {
  Nobody nobody;
  log::ConsumerConfig config;
  config.group = "latency";
  config.topics = {"t"};
  config.start_at = log::StartAt::latest;
  const auto consumer = *log.join(config, nobody);
  static_cast<void>(consumer->poll(1, std::chrono::milliseconds{1}));
  const auto producer = log.producer();
  std::vector<double> micros;
  for (int i = 0; i < kSamples; ++i) {
    Instant sent;
    const std::jthread sender([&] {
      sent = clock.monotonic();
      producer->send({"t", std::to_string(i), kValue, {}}, [](const auto&) {});
    });
    while (consumer->poll(1, std::chrono::seconds{1})->empty()) {
    }
    micros.push_back(std::chrono::duration<double, std::micro>(clock.monotonic() - sent).count());
  }
  std::ranges::sort(micros);
  fmt::print("{:<44} p50 {:.0f} us, p99 {:.0f} us, max {:.0f} us\n", what, micros[kSamples / 2],
             micros[kSamples * 99 / 100], micros.back());
}

}  // namespace

int main(int argc, char** argv) {
  const SystemClock clock;
  Silence silence;
  const std::filesystem::path parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path();
  const std::filesystem::path folder =
      parent / fmt::format("ekiden-log-bench-{}", clock.now().time_since_epoch().count());
  std::filesystem::create_directories(folder);
  for (const bool durable : {false, true}) {
    const auto log = open(folder / (durable ? "durable.db" : "quick.db"), durable, clock, silence);
    if (!log->ensure_topics({{.name = "t", .partitions = 8}})) return 1;
    measure_appends(*log, clock, durable ? kRecords / 10 : kRecords,
                    durable ? "appended, durable" : "appended, not durable");
    if (!durable) measure_reads(*log, clock);
    measure_latency(*log, clock, durable ? "send to poll, durable" : "send to poll, not durable");
  }
  std::filesystem::remove_all(folder);
  return 0;
}
