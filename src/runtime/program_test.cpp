#include <csignal>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include "runtime/async_log_sink.hpp"
#include "runtime/lifecycle.hpp"
#include "runtime/metrics.hpp"
#include "runtime/testing/fixture.hpp"

namespace ekiden::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Metrics, ShowsCountersGaugesAndHistograms) {
  Metrics metrics;
  const Counter answers = metrics.counter("ekiden_http_requests_total", "Answers.", {{"status", "200"}});
  answers.add();
  metrics.counter("ekiden_http_requests_total", "Answers.", {{"status", "200"}}).add(2);
  metrics.gauge("ekiden_consumer_lag", "Events behind.", {{"group", "boards"}}).set(7);
  metrics.histogram("ekiden_http_seconds", "Time to answer.", latency_bounds()).observe(0.3);
  const std::string text = metrics.serialize();
  EXPECT_THAT(text, HasSubstr("ekiden_http_requests_total{status=\"200\"} 3"));
  EXPECT_THAT(text, HasSubstr("ekiden_consumer_lag{group=\"boards\"} 7"));
  EXPECT_THAT(text, HasSubstr("ekiden_http_seconds_bucket{le=\"0.25\"} 0"));
  EXPECT_THAT(text, HasSubstr("ekiden_http_seconds_bucket{le=\"0.5\"} 1"));
  EXPECT_THROW((void)metrics.gauge("no spaces", "x"), std::invalid_argument);
  EXPECT_THROW((void)metrics.gauge("ekiden_http_requests_total", "x"), std::invalid_argument);
  Counter{}.add();  // Made without a Metrics: counts nowhere.
}

TEST(Metrics, ShowsExecutors) {
  Metrics metrics;
  ExecutorFigures figures;
  figures.service = "user";
  figures.name = "requests";
  figures.model = "thread_pool";
  figures.queue_depth = 3;
  figures.loop_lag_us = 1500;
  metrics.show({figures});
  figures.queue_depth = 4;
  metrics.show({figures});
  const std::string text = metrics.serialize();
  const std::string labels = "{executor=\"requests\",model=\"thread_pool\",service=\"user\"}";
  EXPECT_THAT(text, HasSubstr("ekiden_queue_depth" + labels + " 4"));
  EXPECT_THAT(text, HasSubstr("ekiden_loop_lag_seconds" + labels + " 0.0015"));
}

/// Holds the writing thread in its first line until it is let go.
class OnceHoldingSink final : public LogSink {
 public:
  void write(LogLevel level, std::string line) override {
    if (!held_) {
      held_ = true;
      began.count_down();
      release.wait();
    }
    inner.write(level, std::move(line));
  }
  std::latch began{1};
  std::latch release{1};
  testing::KeepingSink inner;

 private:
  bool held_ = false;  ///< of the writing thread alone
};

TEST(AsyncLogSink, NeverWaitsAndSaysWhatItDropped) {
  const SystemClock clock;
  OnceHoldingSink slow;
  {
    AsyncLogSink sink(slow, clock, 2);
    sink.write(LogLevel::info, "1");
    slow.began.wait();
    for (const char* line : {"2", "3", "4", "5"}) sink.write(LogLevel::info, line);
    EXPECT_EQ(sink.dropped(), 2);
    slow.release.count_down();
  }
  EXPECT_THAT(slow.inner.lines(),
              ElementsAre("1", HasSubstr("\"event\":\"log_lines_dropped\",\"count\":2"), "2", "3"));
}

struct LifecycleTest : ::testing::Test {
  Stage stage(const std::string& name) {
    return {name, [this, name] { calls.push_back("start " + name); },
            [this, name] { calls.push_back("stop " + name); }};
  }
  testing::Surroundings around;
  std::vector<std::string> calls;
};

TEST_F(LifecycleTest, StopsInReverseOrder) {
  Lifecycle lifecycle(around.clock, around.logger);
  lifecycle.add(stage("stores"));
  lifecycle.add(stage("http"));
  ASSERT_TRUE(lifecycle.start());
  const StopReport report = lifecycle.stop(1h);
  EXPECT_THAT(calls, ElementsAre("start stores", "start http", "stop http", "stop stores"));
  EXPECT_FALSE(report.stuck);
  ASSERT_EQ(report.stopped.size(), 2U);
  EXPECT_EQ(report.stopped[0].stage, "http");
}

TEST_F(LifecycleTest, StopsWhatHadStartedWhereAStageFails) {
  Lifecycle lifecycle(around.clock, around.logger);
  lifecycle.add(stage("stores"));
  lifecycle.add(
      {"http", [] { throw std::runtime_error("port taken"); }, [this] { calls.push_back("stop http"); }});
  const auto started = lifecycle.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().slug(), "start-failed");
  EXPECT_THAT(started.error().text(), HasSubstr("port taken"));
  EXPECT_THAT(calls, ElementsAre("start stores", "stop stores"));
}

TEST_F(LifecycleTest, NamesTheStageThatIsStuck) {
  std::latch release(1);
  {
    Lifecycle lifecycle(around.clock, around.logger);
    lifecycle.add(stage("stores"));
    lifecycle.add({"consumers", [] {}, [&] { release.wait(); }});
    lifecycle.add({"http", [] {}, [] { throw std::runtime_error("closed already"); }});
    ASSERT_TRUE(lifecycle.start());
    const StopReport report = lifecycle.stop(20ms);
    EXPECT_TRUE(report.stuck == "consumers" || report.stuck == "http") << report.stuck.value_or("none");
    EXPECT_THAT(calls, ElementsAre("start stores"));
    release.count_down();
  }
  EXPECT_THAT(calls, ElementsAre("start stores", "stop stores"));
  EXPECT_THAT(around.sink.text(), HasSubstr("closed already"));
}

/// In a child process, as signals are the whole process's.
int wait_in_child(bool ask_twice) {
  StopSignals signals;
  ::kill(::getpid(), SIGTERM);
  const int number = signals.wait();
  if (ask_twice) ::kill(::getpid(), SIGTERM);
  return number == SIGTERM ? 40 : 41;
}

TEST(StopSignalsDeathTest, ReportsTheFirstAndDiesOfTheSecond) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(std::_Exit(wait_in_child(false)), ::testing::ExitedWithCode(40), "");
  EXPECT_EXIT(std::_Exit(wait_in_child(true)), ::testing::KilledBySignal(SIGTERM), "");
}

int request_in_child() {
  StopSignals signals;
  signals.request();
  return signals.wait() == 0 ? 42 : 43;
}

TEST(StopSignalsDeathTest, CanBeAskedFromWithin) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(std::_Exit(request_in_child()), ::testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace ekiden::runtime
