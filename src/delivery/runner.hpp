#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/logger.hpp"
#include "base/trace.hpp"
#include "delivery/runner_machine.hpp"
#include "delivery/subscription.hpp"
#include "delivery/work_executor.hpp"

namespace ekiden::delivery {

struct RunnerConfig {
  std::string member;  ///< stable name of this process in the group
  log::StartAt start_at = log::StartAt::earliest;
  std::chrono::milliseconds session_timeout{10'000};
  std::chrono::milliseconds drain_timeout{5'000};  ///< for work in hand when partitions are given up
  std::size_t poll_max = 500;                      ///< records of one poll
  RetryPolicy storage_retry{};
  std::chrono::seconds figures_interval{5};
};

/// What a runner works with; all of it outlives the runner.
struct RunnerPorts {
  sql::Database& database;
  log::Log& log;
  const Clock& clock;
  Random& random;
  std::function<void()> wake_relay;         ///< dead letters leave through the service's outbox
  boost::asio::any_io_executor executor{};  ///< keyed handlers run here; unused by batched ones
  SpanSink* spans = nullptr;                ///< what applied events were part of; null: nobody looks
};

struct RunnerFigures {
  std::string group;
  std::string topic;
  std::vector<PartitionFigures> partitions;
  std::int64_t storage_errors = 0;       ///< transactions that the database failed, each tried again
  std::int64_t poll_errors = 0;          ///< polls that the log did not answer
  std::int64_t gaps = 0;                 ///< retention has passed unread events: rebuild from the source
  std::int64_t late_starts = 0;          ///< things whose first events had gone before the group came
  std::int64_t after_commit_errors = 0;  ///< a projection outside SQL is behind: rebuild it
  bool is_storage_failing = false;
  std::int64_t running = 0;  ///< threads that do something at this moment: 0 to 2
};

/// Runs one Subscription. Two threads: one polls, and goes on polling whatever the handlers do, so that a
/// slow one costs no membership; the other does the transactions. Order of a batch's steps: effects and inbox
/// in one transaction, `after_commit`, offsets. A crash between any two is repaired by redelivery.
class Runner final : private log::RebalanceListener {
 public:
  Runner(const Subscription& subscription, RunnerConfig config, RunnerPorts ports, Logger logger);
  ~Runner() override;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Joins the group and polls until `stop`; then lets work in hand finish, commits, leaves and returns.
  /// @threads one of its own
  void run(std::stop_token stop);
  /// Does the work; returns after `run` has. @threads another of its own
  void work();
  /// @threads any
  RunnerFigures figures() const;
  const Subscription& subscription() const { return subscription_; }

 private:
  struct Shared;

  void on_assigned(const std::vector<log::TopicPartition>& partitions) override;
  void on_revoked(const std::vector<log::TopicPartition>& partitions) override;
  void on_lost(const std::vector<log::TopicPartition>& partitions) override;

  bool join(const std::stop_token& stop);
  void leave();
  void poll_once();
  void poll_failed(const Error& error);
  void apply_control();
  void store(const RunnerMachine::Control& control);
  void refresh_lag();
  void start_call(const ItemPtr& item);
  void do_work(const Work& work);
  void after_commit(const std::vector<ArrivedPtr>& fresh);
  void record_spans(const std::vector<ArrivedPtr>& fresh, Timestamp start) const;

  const Subscription& subscription_;
  const RunnerConfig config_;
  RunnerPorts ports_;
  Logger logger_;
  WorkExecutor executor_;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<log::Consumer> consumer_;       ///< the polling thread's own
  std::set<log::TopicPartition> assigned_;        ///< the polling thread's own
  std::vector<RunnerMachine::Control> deferred_;  ///< the polling thread's own: what a rebalance put off
  Instant next_lag_{};
  int poll_failures_ = 0;
  bool is_out_ = false;  ///< of the group, by another of its name
};

}  // namespace ekiden::delivery
