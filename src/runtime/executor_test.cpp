#include "runtime/executor.hpp"

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "runtime/block_on.hpp"
#include "runtime/lag_meter.hpp"
#include "runtime/notify.hpp"
#include "runtime/testing/fixture.hpp"

namespace ekiden::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Surroundings;

TEST(WorkerPool, RefusesBeyondItsQueueAndDrainsAtStop) {
  Surroundings around;
  ThreadPoolExecutor pool({"user", "requests"}, {.threads = 1, .queue_max = 2}, around.logger,
                          around.figures);
  std::latch began(1);
  std::latch release(1);
  std::atomic<int> ran = 0;
  ASSERT_TRUE(pool.try_post([&] {
    began.count_down();
    release.wait();
    ++ran;
  }));
  began.wait();
  EXPECT_TRUE(pool.try_post([&] { ++ran; }));
  EXPECT_TRUE(pool.try_post([&] { ++ran; }));
  EXPECT_FALSE(pool.try_post([&] { ++ran; }));
  const ExecutorFigures figures = around.figures.collect().at(0);
  EXPECT_EQ(figures.service, "user");
  EXPECT_EQ(figures.model, "thread_pool");
  EXPECT_EQ(figures.threads_busy, 1);
  EXPECT_EQ(figures.queue_depth, 2);
  EXPECT_EQ(figures.rejected, 1);
  release.count_down();
  pool.stop();
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(pool.figures().completed, 3);
  EXPECT_FALSE(pool.try_post([] {}));
}

TEST(WorkerPool, OutlivesWorkThatThrowsAndLogsIt) {
  Surroundings around;
  CpuPool pool({"workout", "cpu"}, {.threads = 2, .queue_max = 8, .nice = 5}, around.logger, around.figures);
  std::atomic<bool> ran = false;
  ASSERT_TRUE(pool.try_post([] { throw std::runtime_error("broken"); }));
  ASSERT_TRUE(pool.try_post([&] { ran = pool.is_own_thread(); }));
  pool.stop();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(pool.is_own_thread());
  EXPECT_NE(around.sink.text().find("\"what\":\"broken\""), std::string::npos);
}

TEST(FiguresRegistry, ForgetsAnExecutorThatIsGone) {
  Surroundings around;
  {
    const CpuPool pool({"workout", "cpu"}, {}, around.logger, around.figures);
    const CoroutineExecutor loops({"workout", "io"}, {.threads = 2, .inflight_max = 7}, around.clock,
                                  around.logger, around.figures);
    const auto all = around.figures.collect();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].name, "io-0");
    EXPECT_EQ(all[2].name, "io-1");
    EXPECT_EQ(all[2].model, "coroutines");
    EXPECT_EQ(all[2].in_flight_max, 7);
  }
  EXPECT_TRUE(around.figures.collect().empty());
}

TEST(LagMeter, KeepsTheLastAndTheWorstOfAMinute) {
  LagMeter meter;
  const Instant start{1h};
  meter.expect(start);
  EXPECT_EQ(meter.last_us(start), 0);
  EXPECT_EQ(meter.last_us(start + 30ms), 30'000);  // Overdue, not yet run.
  EXPECT_EQ(meter.max_us(start + 30ms), 30'000);
  meter.arrived(start + 40ms);
  meter.expect(start + 140ms);
  meter.arrived(start + 141ms);
  EXPECT_EQ(meter.last_us(start + 1s), 1'000);
  EXPECT_EQ(meter.max_us(start + 59s), 40'000);
  EXPECT_EQ(meter.max_us(start + 66s), 0);
}

TEST(LoopExecutor, ShowsHowLateItIs) {
  Surroundings around;
  ekiden::testing::ManualClock clock;
  EventLoopExecutor loops({"social", "loop"}, {.loops = 1, .inflight_max = 4}, clock, around.logger,
                          around.figures);
  EXPECT_EQ(loops.figures().at(0).loop_lag_max_us, 0);
  clock.advance(350ms);  // The probe was due 100 ms after the start, and nothing has run it by this clock.
  EXPECT_GE(loops.figures().at(0).loop_lag_us, 150'000);
  EXPECT_GE(loops.figures().at(0).loop_lag_max_us, 150'000);
}

Task<> wait_for(Notify bell, std::atomic<int>* running) {
  ++*running;
  co_await bell.wait();
  --*running;
}

TEST(LoopExecutor, RefusesBeyondWhatMayBeInFlightAndWaitsAtStop) {
  Surroundings around;
  CoroutineExecutor loops({"workout", "io"}, {.threads = 2, .inflight_max = 2}, around.clock, around.logger,
                          around.figures);
  const Notify first;
  const Notify second;
  std::atomic<int> running = 0;
  EXPECT_TRUE(loops.try_spawn(wait_for(first, &running)));
  EXPECT_TRUE(loops.try_spawn_on(1, wait_for(second, &running)));
  EXPECT_FALSE(loops.try_spawn(wait_for(first, &running)));
  EXPECT_FALSE(loops.try_enter(0));
  first.ring();
  second.ring();
  loops.stop();
  EXPECT_EQ(running, 0);
  EXPECT_FALSE(loops.try_enter(0));
  std::int64_t completed = 0;
  for (const ExecutorFigures& figures : loops.figures()) completed += figures.completed;
  EXPECT_EQ(completed, 2);
}

TEST(LoopExecutor, GivesASlotBackWhenItIsDropped) {
  Surroundings around;
  EventLoopExecutor loops({"social", "loop"}, {.loops = 1, .inflight_max = 1}, around.clock, around.logger,
                          around.figures);
  {
    const InFlightSlot slot = loops.try_enter(0);
    EXPECT_TRUE(slot);
    EXPECT_FALSE(loops.try_enter(0));
    EXPECT_EQ(loops.figures().at(0).in_flight, 1);
  }
  EXPECT_TRUE(loops.try_enter(0));
  EXPECT_EQ(loops.figures().at(0).in_flight, 0);
}

Task<> throwing() {
  (void)co_await boost::asio::this_coro::executor;
  throw std::runtime_error("fell over");
}

TEST(LoopExecutor, LogsWhatThrowsAndGoesOn) {
  Surroundings around;
  EventLoopExecutor loops({"social", "loop"}, {.loops = 1, .inflight_max = 4}, around.clock, around.logger,
                          around.figures);
  EXPECT_TRUE(loops.try_spawn(throwing()));
  boost::asio::post(loops.executor(0), [] { throw std::runtime_error("posted"); });
  std::latch ran(1);
  boost::asio::post(loops.executor(0), [&] { ran.count_down(); });
  ran.wait();
  loops.stop();
  EXPECT_NE(around.sink.text().find("fell over"), std::string::npos);
  EXPECT_NE(around.sink.text().find("posted"), std::string::npos);
}

Task<std::thread::id> own_thread() {
  co_return std::this_thread::get_id();
}

TEST(LoopExecutor, TakesItsLoopsInTurn) {
  Surroundings around;
  EventLoopExecutor loops({"social", "loop"}, {.loops = 3, .inflight_max = 9}, around.clock, around.logger,
                          around.figures);
  std::set<std::thread::id> threads;
  std::mutex mutex;
  std::latch ran(3);
  for (int i = 0; i < 3; ++i) {
    boost::asio::post(loops.next_executor(), [&] {
      EXPECT_TRUE(loops.is_own_thread());
      const std::scoped_lock lock(mutex);
      threads.insert(std::this_thread::get_id());
      ran.count_down();
    });
  }
  ran.wait();
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_FALSE(loops.is_own_thread());
  EXPECT_TRUE(threads.contains(block_on(loops, own_thread())));
}

}  // namespace
}  // namespace ekiden::runtime
