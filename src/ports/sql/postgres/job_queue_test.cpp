#include "ports/sql/postgres/job_queue.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"

namespace ekiden::sql::postgres {
namespace {

using namespace std::chrono_literals;

Job job(Deadline deadline = {}) {
  return {.options = {.deadline = deadline},
          .body = [](Tx&) -> Result<void> { return {}; },
          .done = [](const Result<void>&) {}};
}

TEST(PostgresJobQueue, IsBoundedAndGivesWhatIsInsideAfterItsClosing) {
  const ekiden::testing::ManualClock clock;
  JobQueue queue(2, clock);
  EXPECT_TRUE(queue.try_push(job()));
  EXPECT_TRUE(queue.try_push(job()));
  EXPECT_FALSE(queue.try_push(job()));
  queue.close();
  EXPECT_TRUE(queue.pop());
  EXPECT_FALSE(queue.try_push(job()));
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(queue.take_all().size(), 1U);
  EXPECT_FALSE(queue.pop());
  EXPECT_FALSE(queue.take_late());
}

TEST(PostgresJobQueue, TakesOutWhatIsLateAndNothingElse) {
  ekiden::testing::ManualClock clock;
  JobQueue queue(8, clock);
  ASSERT_TRUE(queue.try_push(job(Deadline::after(clock, 10s))));
  ASSERT_TRUE(queue.try_push(job()));
  ASSERT_TRUE(queue.try_push(job(Deadline::after(clock, 20s))));
  EXPECT_TRUE(queue.take_late()->empty());
  clock.advance(10s);
  EXPECT_EQ(queue.take_late()->size(), 1U);
  EXPECT_EQ(queue.size(), 2U);
}

TEST(PostgresJobQueue, AKeeperThatSleepsIsWokenByAJobThatNobodyTakes) {
  ekiden::testing::ManualClock clock;
  JobQueue queue(8, clock);
  std::size_t late = 0;
  std::thread keeper([&] {
    while (late == 0) late += queue.take_late()->size();
  });
  ASSERT_TRUE(queue.try_push(job(Deadline{clock.monotonic()})));
  keeper.join();
  EXPECT_EQ(late, 1U);
}

}  // namespace
}  // namespace ekiden::sql::postgres
