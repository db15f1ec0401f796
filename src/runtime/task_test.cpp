#include <atomic>
#include <latch>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "runtime/block_on.hpp"
#include "runtime/notify.hpp"
#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "runtime/task_group.hpp"
#include "runtime/testing/fixture.hpp"
#include "runtime/timeout.hpp"

namespace ekiden::runtime {
namespace {

using namespace std::chrono_literals;

struct TaskTest : ::testing::Test {
  testing::Surroundings around;
  CoroutineExecutor loops{
      {"workout", "io"}, {.threads = 2, .inflight_max = 64}, around.clock, around.logger, around.figures};
  CpuPool pool{{"workout", "cpu"}, {.threads = 1, .queue_max = 1}, around.logger, around.figures};
};

struct Places {
  std::thread::id before;
  std::thread::id inside;
  std::thread::id after;
};

Task<Places> places(CpuPool* pool) {
  Places seen;
  seen.before = std::this_thread::get_id();
  auto where = [] { return std::this_thread::get_id(); };
  const Result<std::thread::id> inside = co_await offload(*pool, where);
  seen.inside = inside.value();
  seen.after = std::this_thread::get_id();
  co_return seen;
}

TEST_F(TaskTest, OffloadRunsOnThePoolAndResumesOnItsOwnLoop) {
  const Places seen = block_on(loops, places(&pool));
  EXPECT_EQ(seen.before, seen.after);
  EXPECT_NE(seen.before, seen.inside);
}

template <class F>
Task<Result<int>> offload_int(CpuPool* pool, F work) {
  co_return co_await offload(*pool, std::move(work));
}

TEST_F(TaskTest, OffloadPassesErrorsOnAndMakesExceptionsInternal) {
  const auto failed =
      block_on(loops, offload_int(&pool, []() -> Result<int> { return Error{Errc::gone, "g", ""}; }));
  EXPECT_EQ(failed.error().code(), Errc::gone);
  const auto threw = block_on(loops, offload_int(&pool, []() -> int { throw std::runtime_error("secret"); }));
  EXPECT_EQ(threw.error().code(), Errc::internal);
  EXPECT_EQ(threw.error().text().find("secret"), std::string::npos);
  EXPECT_NE(around.sink.text().find("secret"), std::string::npos);
}

/// Takes the pool's one thread and its one place in the queue until it is released.
struct FullPool {
  explicit FullPool(CpuPool& pool) {
    EXPECT_TRUE(pool.try_post([this] {
      began.count_down();
      may_end.wait();
      ended.count_down();
    }));
    began.wait();
  }
  /// Returns when the thread refers to this object no more.
  void release() {
    may_end.count_down();
    ended.wait();
  }
  std::latch began{1};
  std::latch may_end{1};
  std::latch ended{1};
};

TEST_F(TaskTest, OffloadAnswersBusyWhereThePoolIsFull) {
  FullPool full(pool);
  ASSERT_TRUE(pool.try_post([] {}));
  EXPECT_EQ(block_on(loops, offload_int(&pool, [] { return 1; })).error().code(), Errc::busy);
  EXPECT_EQ(run_blocking(pool, [] { return 1; }).error().code(), Errc::busy);
  full.release();
}

TEST_F(TaskTest, QueuedWorkIsSkippedWhereItsDeadlinePasses) {
  FullPool full(pool);
  std::atomic<bool> ran = false;
  const Deadline past(around.clock.monotonic());
  auto work = [&ran] {
    ran = true;
    return 1;
  };
  EXPECT_EQ(block_on(loops, with_deadline(offload_int(&pool, work), past)).error().code(), Errc::timeout);
  full.release();
  pool.stop();
  EXPECT_FALSE(ran);
}

TEST_F(TaskTest, BlockingCallersGetValuesErrorsAndDeadlines) {
  EXPECT_EQ(run_blocking(pool, [] { return 42; }).value(), 42);
  EXPECT_EQ(run_blocking(pool, [] { throw std::runtime_error("x"); }).error().code(), Errc::internal);
  FullPool full(pool);
  std::atomic<bool> ran = false;
  EXPECT_EQ(run_blocking(
                pool, [&] { ran = true; }, Deadline(around.clock.monotonic()))
                .error()
                .code(),
            Errc::timeout);
  full.release();
  pool.stop();
  EXPECT_FALSE(ran);
}

Task<Result<int>> ring_then_wait(Notify first, Notify second) {
  first.ring();
  if (!co_await second.wait()) co_return Error{Errc::unavailable, "no-ring", "It did not ring."};
  co_return 7;
}

TEST_F(TaskTest, DeadlinesCutWaitsShortAndOnlyThose) {
  const Notify silent;
  const Notify rung;
  const Deadline soon(around.clock.monotonic() + 5ms);
  const Deadline far(around.clock.monotonic() + 1h);
  const Notify aside;
  EXPECT_EQ(block_on(loops, with_deadline(ring_then_wait(rung, rung), far)).value(), 7);
  EXPECT_EQ(block_on(loops, with_deadline(ring_then_wait(rung, rung), Deadline::never())).value(), 7);
  EXPECT_EQ(block_on(loops, with_deadline(ring_then_wait(aside, silent), soon)).error().code(),
            Errc::timeout);
}

Task<Result<int>> throwing() {
  (void)co_await boost::asio::this_coro::executor;
  throw std::runtime_error("fell over");
}

TEST_F(TaskTest, DeadlinesLetExceptionsThroughAtOnce) {
  const Deadline far(around.clock.monotonic() + 1h);
  EXPECT_THROW((void)block_on(loops, with_deadline(throwing(), far)), std::runtime_error);
}

Task<> count_rings(Notify bell, std::atomic<int>* count, int wanted) {
  while (*count < wanted) {
    if (co_await bell.wait()) ++*count;
  }
}

TEST_F(TaskTest, ABellWakesFromAnyThreadAndKeepsARing) {
  const Notify bell;
  bell.ring();
  bell.ring();
  std::atomic<int> count = 0;
  block_on(loops, count_rings(bell, &count, 1));
  EXPECT_EQ(count, 1);  // Two rings before a wait are one.
  TaskGroup group(loops.executor(1), around.logger, 1);
  ASSERT_TRUE(group.spawn("counter", count_rings(bell, &count, 100)));
  while (group.size() > 0) bell.ring();
  EXPECT_EQ(count, 100);
}

Task<bool> wait_until(Notify bell, Instant until) {
  co_return co_await bell.wait(until);
}

TEST_F(TaskTest, ABellStopsWaitingAtItsInstant) {
  EXPECT_FALSE(block_on(loops, wait_until(Notify{}, around.clock.monotonic())));
}

Task<> keep_ring(Notify bell, bool* rang) {
  *rang = co_await bell.wait();
}

TEST_F(TaskTest, ABellOutlivesALoopThatWaitsForIt) {
  const Notify bell;
  bool rang = false;
  {
    boost::asio::io_context gone;
    boost::asio::co_spawn(gone, keep_ring(bell, &rang), boost::asio::detached);
    gone.poll();
  }
  EXPECT_FALSE(rang);
  bell.ring();
  boost::asio::io_context next;
  boost::asio::co_spawn(next, keep_ring(bell, &rang), boost::asio::detached);
  EXPECT_GT(next.poll(), 0U);
  EXPECT_TRUE(rang);
}

Task<> wait_for_ever(std::atomic<int>* ended, std::latch* began) {
  struct AtEnd {
    std::atomic<int>* count;
    ~AtEnd() { ++*count; }
  };
  const AtEnd at_end{ended};
  began->count_down();
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, Instant::max());
  co_await timer.async_wait(boost::asio::use_awaitable);
}

TEST_F(TaskTest, AGroupIsBoundedCancelsAndWaits) {
  std::atomic<int> ended = 0;
  std::latch began(2);
  TaskGroup group(loops.executor(0), around.logger, 2);
  EXPECT_TRUE(group.spawn("a", wait_for_ever(&ended, &began)));
  EXPECT_TRUE(group.spawn("b", wait_for_ever(&ended, &began)));
  EXPECT_FALSE(group.spawn("c", wait_for_ever(&ended, &began)));
  began.wait();
  group.stop_and_wait();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(group.size(), 0U);
  EXPECT_FALSE(group.spawn("d", wait_for_ever(&ended, &began)));
  EXPECT_EQ(around.sink.text(), "");
}

TEST_F(TaskTest, ATaskThatHasNotBegunIsCancelledToo) {
  std::atomic<int> ended = 0;
  for (int i = 0; i < 200; ++i) {
    std::latch began(1);
    TaskGroup group(loops.executor(0), around.logger, 1);
    EXPECT_TRUE(group.spawn("a", wait_for_ever(&ended, &began)));
    group.stop_and_wait();
  }
  EXPECT_LE(ended, 200);
}

Task<> failing() {
  (void)co_await boost::asio::this_coro::executor;
  throw std::runtime_error("task broke");
}

Task<> join_group(TaskGroup* group) {
  co_await group->join();
}

TEST_F(TaskTest, AGroupLogsFailuresAndCanBeJoined) {
  TaskGroup group(loops.executor(0), around.logger, 4);
  block_on(loops, join_group(&group));
  const Notify bell;
  std::atomic<int> count = 0;
  EXPECT_TRUE(group.spawn("bad", failing()));
  EXPECT_TRUE(group.spawn("counter", count_rings(bell, &count, 1)));
  bell.ring();
  block_on(loops, join_group(&group));
  EXPECT_EQ(count, 1);
  EXPECT_NE(around.sink.text().find("task broke"), std::string::npos);
}

/// Runs bodies on a thread of its own, as a lane does.
class FakeDatabase final : public sql::Database {
 public:
  explicit FakeDatabase(CpuPool& lane) : lane_(lane) {}
  void submit(sql::TxOptions options, sql::TxBody body, sql::TxDone done) override {
    last_access = options.access;
    const auto shared = std::make_shared<sql::TxDone>(std::move(done));
    const bool posted = lane_.try_post([shared, body = std::move(body)]() mutable {
      struct NoTx final : sql::Tx {
        Result<sql::Rows> query(std::string_view, sql::Params) override { return sql::Rows{}; }
        Result<std::int64_t> execute(std::string_view, sql::Params) override { return 3; }
        Result<std::int64_t> execute_batch(std::string_view, std::vector<sql::Params>) override { return 0; }
        void after_commit(std::move_only_function<void()> action) override { action(); }
      } tx;
      (*shared)(body(tx));
    });
    if (!posted) (*shared)(Error{Errc::busy, "busy", ""});
  }
  sql::DatabaseFigures figures() const override { return {}; }
  sql::Access last_access = sql::Access::write;

 private:
  CpuPool& lane_;
};

Task<Result<std::int64_t>> changed(sql::Database* database, std::thread::id* resumed_on) {
  auto body = [](sql::Tx& tx) { return tx.execute("UPDATE t"); };
  Result<std::int64_t> rows = co_await read(*database, body);
  *resumed_on = std::this_thread::get_id();
  co_return rows;
}

Task<Result<void>> refused(sql::Database* database) {
  auto body = [](sql::Tx&) -> Result<void> { return Error{Errc::conflict, "c", ""}; };
  co_return co_await write(*database, body);
}

TEST_F(TaskTest, TransactionsResumeOnTheirOwnLoop) {
  FakeDatabase database(pool);
  std::thread::id resumed_on;
  EXPECT_EQ(block_on(loops, changed(&database, &resumed_on)).value(), 3);
  EXPECT_EQ(database.last_access, sql::Access::read);
  EXPECT_EQ(resumed_on, block_on(loops, places(&pool)).before);
  EXPECT_EQ(block_on(loops, refused(&database)).error().code(), Errc::conflict);
  EXPECT_EQ(database.last_access, sql::Access::write);
}

}  // namespace
}  // namespace ekiden::runtime
