#include "app/local_caller.hpp"

#include <future>
#include <latch>
#include <semaphore>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "runtime/block_on.hpp"
#include "runtime/testing/fixture.hpp"

namespace ekiden::app {
namespace {

using Answer = Result<http::Response>;

/// A service with one common thread, and a lane with one thread whose requests wait at a gate.
class TwoLanes : public ::testing::Test {
 protected:
  TwoLanes() {
    spec_.name = "user";
    spec_.model = runtime::ThreadPool{
        .threads = 1, .queue_max = 2, .lanes = {{.name = "slow", .threads = 1, .queue_max = 1}}};
    const auto ok = [](http::Request&) -> Answer { return http::Response::no_content(); };
    const auto wait = [this](http::Request&) -> Answer {
      began_.release();
      gate_.wait();
      return http::Response::no_content();
    };
    spec_.routes = {{.verb = http::Verb::get, .pattern = "/quick", .handler = http::BlockingHandler(ok)},
                    {.verb = http::Verb::get,
                     .pattern = "/slow",
                     .handler = http::BlockingHandler(wait),
                     .lane = "slow"}};
    host_ =
        std::make_unique<ServiceHost>("user", spec_.model, around_.clock, around_.logger, around_.figures);
    caller_.add(spec_, *host_);
  }

  ~TwoLanes() override {
    if (!gate_.try_wait()) gate_.count_down();
  }

  runtime::Task<Answer> call(std::size_t route) { return caller_.call(spec_.routes[route], {}); }
  Answer quick() { return runtime::block_on(loop_, call(0)); }
  Answer slow() { return runtime::block_on(loop_, call(1)); }
  /// Begins a call on the loop; the next one that comes to the loop finds it posted.
  std::future<Answer> begin_slow() {
    auto told = std::make_shared<std::promise<Answer>>();
    boost::asio::co_spawn(loop_.executor(0), call(1), [told](const std::exception_ptr&, Answer answer) {
      told->set_value(std::move(answer));
    });
    return told->get_future();
  }
  runtime::ExecutorFigures figures(std::string_view name) const {
    for (const auto& executor : around_.figures.collect()) {
      if (executor.name == name) return executor;
    }
    ADD_FAILURE() << "no executor " << name;
    return {};
  }

  runtime::testing::Surroundings around_;
  std::counting_semaphore<> began_{0};
  std::latch gate_{1};
  services::ServiceSpec spec_;
  std::unique_ptr<ServiceHost> host_;
  LocalCaller caller_;
  runtime::CoroutineExecutor loop_{
      {"gateway", "io"}, {.threads = 1, .inflight_max = 16}, around_.clock, around_.logger, around_.figures};
};

TEST_F(TwoLanes, AFullLaneRefusesAtOnceAndLeavesTheOthersTheirThreads) {
  auto running = begin_slow();
  began_.acquire();
  auto queued = begin_slow();
  for (int i = 0; i < 20; ++i) {
    const Answer refused = slow();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::busy);
    EXPECT_TRUE(quick()) << "beside a full lane";
  }
  EXPECT_EQ(figures("slow").threads_busy, 1);
  EXPECT_EQ(figures("slow").queue_depth, 1);
  EXPECT_EQ(figures("slow").queue_max, 1);
  EXPECT_EQ(figures("slow").rejected, 20);
  EXPECT_EQ(figures("slow").service, "user");
  EXPECT_EQ(figures("requests").rejected, 0);
  gate_.count_down();
  EXPECT_TRUE(running.get());
  EXPECT_TRUE(queued.get());
  EXPECT_TRUE(slow());
  host_->stop();
}

TEST_F(TwoLanes, StoppingRunsWhatWaitsInALane) {
  auto running = begin_slow();
  began_.acquire();
  auto queued = begin_slow();
  EXPECT_TRUE(quick());  // behind it on the loop: so it is posted
  gate_.count_down();
  host_->stop();
  EXPECT_TRUE(running.get());
  EXPECT_TRUE(queued.get());
  EXPECT_EQ(slow().error().code(), Errc::busy);
}

TEST_F(TwoLanes, ALaneThatTheModelHasNotIsAFaultAtStart) {
  services::ServiceSpec other;
  other.name = "other";
  other.model = spec_.model;
  other.routes = {{.verb = http::Verb::get,
                   .pattern = "/lost",
                   .handler = http::BlockingHandler(
                       [](http::Request&) -> Answer { return http::Response::no_content(); }),
                   .lane = "fast"}};
  EXPECT_THROW(caller_.add(other, *host_), std::logic_error);
}

}  // namespace
}  // namespace ekiden::app
