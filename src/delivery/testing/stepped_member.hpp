#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "delivery/runner_machine.hpp"
#include "delivery/subscription.hpp"
#include "delivery/work_executor.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery::testing {

/// A database that loses transactions, and answers of transactions, while `is_failing`.
class FlakyDatabase final : public sql::Database {
 public:
  FlakyDatabase(sql::Database& real, Random& random) : real_(real), random_(random) {}
  void submit(sql::TxOptions options, sql::TxBody body, sql::TxDone done) override {
    const Error lost{Errc::unavailable, "lost", "the connection is lost"};
    if (is_failing && random_.below(15) == 0) return done(lost);
    Result<void> outcome = real_.transact(options, std::move(body));
    if (outcome && is_failing && random_.below(15) == 0) outcome = lost;
    done(std::move(outcome));
  }
  sql::DatabaseFigures figures() const override { return real_.figures(); }

  bool is_failing = false;

 private:
  sql::Database& real_;
  Random& random_;
};

/// A member of a group whose every move is chosen by the test: what a Runner does, on one thread, with work
/// and calls that stay in hand for as long as the schedule likes.
class SteppedMember final : private log::RebalanceListener {
 public:
  struct World {
    log::Log& log;
    sql::Database& database;
    ekiden::testing::ManualClock& clock;
    Random& random;
    std::function<void(const log::TopicPartition&, log::CommittedOffset)> on_store;
    std::function<Result<void>(const Envelope&)> call;  ///< of keyed subscriptions
  };

  SteppedMember(const Subscription& subscription, RunnerLimits limits, World world)
      : subscription_(subscription),
        world_(std::move(world)),
        machine_(limits, world_.random),
        executor_(subscription, world_.database, world_.clock, {}) {
    consumer_ = *world_.log.join(
        {.group = std::string(subscription.group), .topics = {std::string(subscription.topic)}, .member = {}},
        *this);
  }

  void do_something() {
    switch (world_.random.below(5)) {
      case 0:
      case 1:
        poll();
        break;
      case 2:
        begin_work();
        break;
      case 3:
        end_work();
        break;
      default:
        answer_call();
    }
  }
  /// Everything that can be done now, once. @returns whether there was anything.
  bool do_all() {
    poll();
    bool any = begin_work();
    any = end_work() || any;
    while (answer_call()) any = true;
    return any;
  }
  RunnerMachine& machine() { return machine_; }

 private:
  void on_assigned(const std::vector<log::TopicPartition>& partitions) override {
    machine_.assigned(world_.clock.monotonic(), partitions);
  }
  void on_revoked(const std::vector<log::TopicPartition>& partitions) override {
    machine_.revoke(partitions);
    // A drain ends at its deadline, whatever is still in hand.
    for (int i = 0; i < 50 && !machine_.is_drained(partitions); ++i) {
      begin_work();
      end_work();
      answer_call();
    }
    store(machine_.take_control());
    machine_.forget(partitions);
  }
  void on_lost(const std::vector<log::TopicPartition>& partitions) override { machine_.forget(partitions); }

  void poll() {
    const RunnerMachine::Control control = machine_.take_control();
    consumer_->pause(control.pause);
    consumer_->resume(control.resume);
    store(control);
    auto records = consumer_->poll(1 + world_.random.below(8), Duration::zero());
    if (!records) return;
    std::vector<ArrivedPtr> arrived;
    for (log::Record& record : *records) {
      auto one = arrive(std::move(record), subscription_.group);
      one->is_handled = is_handled(subscription_, *one);
      arrived.push_back(std::move(one));
    }
    machine_.polled(world_.clock.monotonic(), std::move(arrived));
  }
  void store(const RunnerMachine::Control& control) {
    for (const auto& [at, next] : control.store) {
      world_.on_store(at, next);
      // A refusal says that the partition is another member's: its events will be seen there.
      static_cast<void>(consumer_->store(at, next).has_value());
    }
  }
  bool begin_work() {
    if (work_) return false;
    work_ = machine_.take_work(world_.clock.monotonic());
    return work_.has_value();
  }
  bool end_work() {
    if (!work_) return false;
    const Work work = *std::exchange(work_, std::nullopt);
    machine_.work_done(world_.clock.monotonic(), executor_.execute(work));
    return true;
  }
  bool answer_call() {
    for (ItemPtr& item : machine_.take_calls()) {
      for (const ItemPtr& other : calls_) {
        EXPECT_FALSE(other->generation == item->generation && other->key == item->key)
            << "two calls of a key";
      }
      calls_.push_back(std::move(item));
    }
    if (calls_.empty()) return false;
    const auto which = calls_.begin() + static_cast<std::ptrdiff_t>(world_.random.below(calls_.size()));
    const ItemPtr item = *which;
    calls_.erase(which);
    machine_.call_done(world_.clock.monotonic(), item, world_.call(*item->arrived->event));
    return true;
  }

  const Subscription& subscription_;
  World world_;
  RunnerMachine machine_;
  WorkExecutor executor_;
  std::unique_ptr<log::Consumer> consumer_;
  std::optional<Work> work_;
  std::deque<ItemPtr> calls_;
};

}  // namespace ekiden::delivery::testing
