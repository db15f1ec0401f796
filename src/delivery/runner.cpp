#include "delivery/runner.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "delivery/dead_letter_message.hpp"

namespace ekiden::delivery {
namespace {

constexpr std::chrono::milliseconds kPollWait{500};
constexpr std::chrono::hours kDeadLettersKept{24 * 30};
constexpr std::size_t kMarkBytes = std::size_t{16} << 20U;

RunnerLimits limits_of(const Subscription& subscription, const RunnerConfig& config) {
  RunnerLimits limits{.prefetch = subscription.prefetch,
                      .prefetch_bytes = kMarkBytes,
                      .retry = subscription.retry,
                      .storage_retry = config.storage_retry};
  if (const auto* keyed = std::get_if<Keyed>(&subscription.apply)) {
    limits.is_keyed = true;
    limits.keys_max = keyed->keys_max;
  } else {
    limits.batch_max = std::get<Batched>(subscription.apply).batch_max;
  }
  return limits;
}

runtime::Task<Result<void>> call_outside(ApplyOutside apply, Envelope event) {
  auto call = apply(std::move(event));
  co_return co_await std::move(call);
}

Error error_of(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& thrown) {
    return {Errc::internal, "handler-threw", std::string("the handler threw: ") + thrown.what()};
  } catch (...) {
    return {Errc::internal, "handler-threw", "the handler threw"};
  }
}

}  // namespace

/// What the two threads and the calls have in common. Calls that answer late keep it alive.
struct Runner::Shared {
  Shared(RunnerLimits limits, Random& random) : machine(limits, random) {}

  mutable Mutex mutex;
  CondVar changed;
  RunnerMachine machine EKIDEN_GUARDED_BY(mutex);
  RunnerFigures figures EKIDEN_GUARDED_BY(mutex);
  std::map<log::TopicPartition, std::int64_t> lags EKIDEN_GUARDED_BY(mutex);
  std::shared_ptr<log::Consumer> consumer EKIDEN_GUARDED_BY(mutex);
  bool is_finished EKIDEN_GUARDED_BY(mutex) = false;
  std::atomic<std::int64_t> running = 0;  ///< threads that do something but wait

  /// Makes a waiting poll return, so that its thread tells the log what has changed.
  void wake_poll() EKIDEN_EXCLUDES(mutex) {
    std::shared_ptr<log::Consumer> polled;
    {
      const MutexLock lock(mutex);
      polled = consumer;
    }
    if (polled) polled->wake();
  }
};

Runner::Runner(const Subscription& subscription, RunnerConfig config, RunnerPorts ports, Logger logger)
    : subscription_(subscription),
      config_(std::move(config)),
      ports_(std::move(ports)),
      logger_(std::move(logger)),
      executor_(subscription, ports_.database, ports_.clock, ports_.wake_relay),
      shared_(std::make_shared<Shared>(limits_of(subscription, config_), ports_.random)) {}

Runner::~Runner() = default;

bool Runner::join(const std::stop_token& stop) {
  int failures = 0;
  while (!stop.stop_requested()) {
    auto topics = ports_.log.ensure_topics(
        {{.name = dead_letter_topic(subscription_.topic), .partitions = 1, .retention = kDeadLettersKept}});
    std::optional<Error> fault;
    if (!topics) {
      fault = topics.error();
    } else {
      auto joined = ports_.log.join({.group = std::string(subscription_.group),
                                     .topics = {std::string(subscription_.topic)},
                                     .member = config_.member,
                                     .start_at = config_.start_at,
                                     .session_timeout = config_.session_timeout},
                                    *this);
      if (joined) {
        consumer_ = *std::move(joined);
        const MutexLock lock(shared_->mutex);
        shared_->consumer = consumer_;
        return true;
      }
      fault = joined.error();
    }
    logger_.warning("consumer_join_failed", {{"group", subscription_.group}, {"error", fault->text()}});
    const Instant until =
        ports_.clock.monotonic() + retry_delay(config_.storage_retry, ++failures, ports_.random);
    const MutexLock lock(shared_->mutex);
    while (!stop.stop_requested() && shared_->changed.wait_until(shared_->mutex, until)) continue;
  }
  return false;
}

void Runner::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [shared = shared_] {
    {
      // Taken once, so that a thread between its check and its wait does not miss the bell.
      const MutexLock lock(shared->mutex);
    }
    shared->changed.notify_all();
    shared->wake_poll();
  });
  // Once, but for a member that was put out: it comes back as a new one.
  while (join(stop)) {
    shared_->running.fetch_add(1, std::memory_order_relaxed);
    is_out_ = false;
    while (!stop.stop_requested() && !is_out_) poll_once();
    shared_->running.fetch_sub(1, std::memory_order_relaxed);
    leave();
  }
  {
    const MutexLock lock(shared_->mutex);
    shared_->is_finished = true;
  }
  shared_->changed.notify_all();
}

void Runner::leave() {
  on_revoked({assigned_.begin(), assigned_.end()});
  if (auto closed = consumer_->close(); !closed)
    logger_.warning("consumer_close_failed",
                    {{"group", subscription_.group}, {"error", closed.error().text()}});
  {
    const MutexLock lock(shared_->mutex);
    shared_->consumer.reset();
  }
  consumer_.reset();
}

void Runner::poll_once() {
  apply_control();
  if (ports_.clock.monotonic() >= next_lag_) refresh_lag();
  shared_->running.fetch_sub(1, std::memory_order_relaxed);
  auto polled = consumer_->poll(config_.poll_max, kPollWait);
  shared_->running.fetch_add(1, std::memory_order_relaxed);
  if (!polled) {
    poll_failed(polled.error());
    return;
  }
  poll_failures_ = 0;
  if (polled->empty()) return;
  std::vector<ArrivedPtr> records;
  records.reserve(polled->size());
  for (log::Record& record : *polled) {
    auto arrived = arrive(std::move(record), subscription_.group);
    arrived->is_handled = is_handled(subscription_, *arrived);
    records.push_back(std::move(arrived));
  }
  {
    const MutexLock lock(shared_->mutex);
    shared_->machine.polled(ports_.clock.monotonic(), std::move(records));
  }
  shared_->changed.notify_all();
}

void Runner::poll_failed(const Error& error) {
  const MutexLock lock(shared_->mutex);
  if (error.code() == Errc::gone) {
    ++shared_->figures.gaps;
    logger_.error("consumer_lost_events", {{"group", subscription_.group}, {"error", error.text()}});
    return;
  }
  is_out_ = error.code() == Errc::conflict;
  ++shared_->figures.poll_errors;
  logger_.warning("consumer_poll_failed", {{"group", subscription_.group}, {"error", error.text()}});
  const Instant until =
      ports_.clock.monotonic() + retry_delay(config_.storage_retry, ++poll_failures_, ports_.random);
  // Any change ends the wait early: the worst is one poll too many.
  shared_->changed.wait_until(shared_->mutex, until);
}

void Runner::apply_control() {
  {
    const MutexLock lock(shared_->mutex);
    deferred_.push_back(shared_->machine.take_control());
  }
  for (const RunnerMachine::Control& control : std::exchange(deferred_, {})) {
    if (!control.pause.empty()) consumer_->pause(control.pause);
    if (!control.resume.empty()) consumer_->resume(control.resume);
    store(control);
  }
}

void Runner::store(const RunnerMachine::Control& control) {
  for (const auto& [at, next] : control.store) {
    if (auto stored = consumer_->store(at, next); !stored) {
      logger_.info(
          "consumer_store_refused",
          {{"group", subscription_.group}, {"partition", at.partition}, {"error", stored.error().text()}});
    }
  }
}

void Runner::refresh_lag() {
  next_lag_ = ports_.clock.monotonic() + config_.figures_interval;
  const auto states = ports_.log.state(subscription_.group, subscription_.topic);
  if (!states) return;
  const MutexLock lock(shared_->mutex);
  for (const log::PartitionState& state : *states) shared_->lags[state.at] = state.lag_events;
}

void Runner::on_assigned(const std::vector<log::TopicPartition>& partitions) {
  assigned_.insert(partitions.begin(), partitions.end());
  {
    const MutexLock lock(shared_->mutex);
    shared_->machine.assigned(ports_.clock.monotonic(), partitions);
  }
  shared_->changed.notify_all();
}

void Runner::on_revoked(const std::vector<log::TopicPartition>& partitions) {
  const Instant until = ports_.clock.monotonic() + config_.drain_timeout;
  RunnerMachine::Control control;
  {
    const MutexLock lock(shared_->mutex);
    shared_->machine.revoke(partitions);
    shared_->changed.notify_all();
    while (!shared_->machine.is_drained(partitions)) {
      if (!shared_->changed.wait_until(shared_->mutex, until)) break;
    }
    if (!shared_->machine.is_drained(partitions))
      logger_.warning("consumer_drain_timeout", {{"group", subscription_.group}});
    control = shared_->machine.take_control();
    shared_->machine.forget(partitions);
  }
  store(control);
  control.store.clear();
  const auto is_given_up = [&](const log::TopicPartition& at) {
    return std::ranges::find(partitions, at) != partitions.end();
  };
  std::erase_if(control.pause, is_given_up);
  std::erase_if(control.resume, is_given_up);
  deferred_.push_back(std::move(control));
  for (const log::TopicPartition& at : partitions) assigned_.erase(at);
}

void Runner::on_lost(const std::vector<log::TopicPartition>& partitions) {
  {
    const MutexLock lock(shared_->mutex);
    shared_->machine.forget(partitions);
  }
  for (const log::TopicPartition& at : partitions) assigned_.erase(at);
  logger_.warning("consumer_partitions_lost",
                  {{"group", subscription_.group}, {"partitions", partitions.size()}});
}

void Runner::work() {
  while (true) {
    std::optional<Work> work;
    std::vector<ItemPtr> calls;
    {
      const MutexLock lock(shared_->mutex);
      while (!shared_->is_finished) {
        const Instant now = ports_.clock.monotonic();
        work = shared_->machine.take_work(now);
        calls = shared_->machine.take_calls();
        if (work || !calls.empty()) break;
        const Instant until = std::min(shared_->machine.next_wake(), now + std::chrono::minutes{1});
        shared_->changed.wait_until(shared_->mutex, until);
      }
      if (shared_->is_finished) return;
    }
    shared_->running.fetch_add(1, std::memory_order_relaxed);
    for (const ItemPtr& item : calls) start_call(item);
    if (work) do_work(*work);
    shared_->running.fetch_sub(1, std::memory_order_relaxed);
  }
}

void Runner::do_work(const Work& work) {
  const Timestamp start = ports_.clock.now();
  const WorkResult result = executor_.execute(work);
  if (result.outcome == WorkResult::Outcome::done) {
    after_commit(result.fresh);
    record_spans(result.fresh, start);
  }
  if (result.outcome == WorkResult::Outcome::done && result.late_starts > 0)
    logger_.warning("consumer_late_start",
                    {{"group", subscription_.group}, {"subjects", result.late_starts}});
  if (result.error) {
    logger_.warning(
        result.outcome == WorkResult::Outcome::storage ? "consumer_storage_failed"
                                                       : "consumer_handler_failed",
        {{"group", subscription_.group}, {"error", result.error->text()}, {"events", work.items.size()}});
  }
  {
    const MutexLock lock(shared_->mutex);
    if (result.outcome == WorkResult::Outcome::storage) ++shared_->figures.storage_errors;
    if (result.outcome == WorkResult::Outcome::done) shared_->figures.late_starts += result.late_starts;
    shared_->machine.work_done(ports_.clock.monotonic(), result);
  }
  shared_->changed.notify_all();
  shared_->wake_poll();
}

/// One step for each event, with the request that caused it as its parent. Events of one batch share its
/// time.
void Runner::record_spans(const std::vector<ArrivedPtr>& fresh, Timestamp start) const {
  if (ports_.spans == nullptr) return;
  for (const ArrivedPtr& arrived : fresh) {
    const auto cause = TraceContext::parse(arrived->event->traceparent);
    if (!cause || !ports_.spans->wants(*cause)) continue;
    const log::TopicPartition& at = arrived->record.at;
    ports_.spans->record(
        {.context = cause->child(ports_.random),
         .kind = SpanKind::consumer,
         .service = std::string(subscription_.group.substr(0, subscription_.group.find('.'))),
         .name = "process " + arrived->event->type,
         .start = start,
         .end = ports_.clock.now(),
         .attributes = {{"messaging.consumer.group.name", std::string(subscription_.group)},
                        {"messaging.destination.name", at.topic},
                        {"messaging.destination.partition.id", std::to_string(at.partition)},
                        {"messaging.message.id", arrived->id.to_string()}}});
  }
}

void Runner::after_commit(const std::vector<ArrivedPtr>& fresh) {
  if (fresh.empty() || !subscription_.after_commit) return;
  std::vector<Envelope> events;
  events.reserve(fresh.size());
  for (const ArrivedPtr& arrived : fresh) events.push_back(*arrived->event);
  Result<void> outcome;
  try {
    outcome = subscription_.after_commit(events);
  } catch (...) {
    outcome = error_of(std::current_exception());
  }
  if (outcome) return;
  logger_.error("projection_behind", {{"group", subscription_.group}, {"error", outcome.error().text()}});
  const MutexLock lock(shared_->mutex);
  ++shared_->figures.after_commit_errors;
}

void Runner::start_call(const ItemPtr& item) {
  auto task = call_outside(std::get<Keyed>(subscription_.apply).apply, *item->arrived->event);
  const auto done = [shared = shared_, item, &clock = ports_.clock](std::exception_ptr fault,
                                                                    Result<void> outcome) {
    if (fault) outcome = error_of(fault);
    {
      const MutexLock lock(shared->mutex);
      shared->machine.call_done(clock.monotonic(), item, outcome);
    }
    shared->changed.notify_all();
  };
  boost::asio::co_spawn(ports_.executor, std::move(task), done);
}

RunnerFigures Runner::figures() const {
  const MutexLock lock(shared_->mutex);
  RunnerFigures figures = shared_->figures;
  figures.group = subscription_.group;
  figures.topic = subscription_.topic;
  figures.running = shared_->running.load(std::memory_order_relaxed);
  figures.is_storage_failing = shared_->machine.is_storage_failing();
  figures.partitions = shared_->machine.figures();
  for (PartitionFigures& partition : figures.partitions) {
    if (const auto lag = shared_->lags.find(partition.at); lag != shared_->lags.end())
      partition.lag_events = lag->second;
  }
  return figures;
}

}  // namespace ekiden::delivery
