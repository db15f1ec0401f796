#include "delivery/relay.hpp"

#include <algorithm>
#include <utility>

#include "delivery/idempotency.hpp"
#include "delivery/inbox.hpp"

namespace ekiden::delivery {

namespace {
constexpr std::chrono::hours kIdempotencyKept{24};
}

/// What other threads leave for the relay's own. It outlives the relay where the log answers late. Bounded by
/// what is in flight: the bell is a flag.
struct Relay::Mailbox {
  mutable Mutex mutex;
  CondVar filled;
  std::vector<RelayInput> answers EKIDEN_GUARDED_BY(mutex);
  RelayFigures figures EKIDEN_GUARDED_BY(mutex);
  bool rung EKIDEN_GUARDED_BY(mutex) = false;

  void ring() EKIDEN_EXCLUDES(mutex) {
    {
      const MutexLock lock(mutex);
      rung = true;
    }
    filled.notify_one();
  }

  void answer(const EventId& id, bool sent) EKIDEN_EXCLUDES(mutex) {
    {
      const MutexLock lock(mutex);
      if (sent) {
        ++figures.published;
        answers.emplace_back(relay_input::Sent{id});
      } else {
        ++figures.failed;
        answers.emplace_back(relay_input::SendFailed{id});
      }
    }
    filled.notify_one();
  }

  /// Waits for an answer, the bell or `until`.
  std::vector<RelayInput> take(Instant until) EKIDEN_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    figures.is_busy = false;
    while (answers.empty() && !rung) {
      if (!filled.wait_until(mutex, until)) break;
    }
    figures.is_busy = true;
    std::vector<RelayInput> inputs = std::exchange(answers, {});
    if (std::exchange(rung, false)) inputs.emplace_back(relay_input::BellRang{});
    if (inputs.empty()) inputs.emplace_back(relay_input::Tick{});
    return inputs;
  }
};

Relay::Relay(RelayConfig config, sql::Database& database, log::Log& log, const Clock& clock, Random& random,
             Logger logger)
    : config_(config),
      database_(database),
      clock_(clock),
      logger_(std::move(logger)),
      producer_(log.producer()),
      mailbox_(std::make_shared<Mailbox>()),
      machine_(config.limits, random) {}

Relay::~Relay() = default;

void Relay::ring() {
  mailbox_->ring();
}

std::function<void()> Relay::bell() {
  return [mailbox = mailbox_] { mailbox->ring(); };
}

RelayFigures Relay::figures() const {
  const MutexLock lock(mailbox_->mutex);
  return mailbox_->figures;
}

void Relay::step(RelayInput input) {
  RelayActions actions = machine_.step(clock_.monotonic(), std::move(input));
  {
    const MutexLock lock(mailbox_->mutex);
    mailbox_->figures.in_flight = static_cast<std::int64_t>(machine_.in_flight());
  }
  perform(std::move(actions));
}

void Relay::send(OutboxRow row) {
  const EventId id = row.id;
  producer_->send(std::move(row.message), [mailbox = mailbox_, logger = logger_, id](auto outcome) {
    if (!outcome) {
      logger.warning("relay_send_failed", {{"event_id", id.to_string()}, {"error", outcome.error().text()}});
    }
    mailbox->answer(id, outcome.has_value());
  });
}

void Relay::perform(RelayActions actions) {
  for (OutboxRow& row : actions.send) send(std::move(row));
  if (!actions.mark.empty()) {
    const auto outcome =
        database_.write([&](sql::Tx& tx) { return mark_published(tx, actions.mark, clock_.now()); });
    if (outcome) {
      step(relay_input::Marked{});
    } else {
      logger_.warning("relay_mark_failed", {{"error", outcome.error().text()}});
      step(relay_input::MarkFailed{});
    }
  } else if (actions.scan) {
    auto rows = database_.read(
        [&](sql::Tx& tx) { return read_unpublished(tx, actions.scan->limit, actions.scan->skip_keys); });
    if (rows) {
      step(relay_input::Scanned{*std::move(rows)});
    } else {
      logger_.warning("relay_scan_failed", {{"error", rows.error().text()}});
      step(relay_input::ScanFailed{});
    }
  }
}

void Relay::keep_house() {
  const Instant now = clock_.monotonic();
  if (now >= next_count_) {
    next_count_ = now + config_.figures_interval;
    const auto depth = database_.read([&](sql::Tx& tx) { return outbox_depth(tx, clock_.now()); });
    const MutexLock lock(mailbox_->mutex);
    if (depth) {
      mailbox_->figures.depth = depth->rows;
      mailbox_->figures.oldest_age = depth->oldest_age;
    } else {
      ++mailbox_->figures.database_errors;
    }
  }
  if (now >= next_prune_) {
    constexpr std::size_t kPruneMax = 5000;
    const Timestamp wall = clock_.now();
    const auto gone = database_.write([&](sql::Tx& tx) -> Result<std::int64_t> {
      EKIDEN_TRY(const std::int64_t rows, prune_published(tx, wall - config_.retention, kPruneMax));
      EKIDEN_TRY(const std::int64_t ids, prune_inbox(tx, wall - config_.inbox_retention, kPruneMax));
      EKIDEN_TRY(const std::int64_t keys, idempotency::prune(tx, wall - kIdempotencyKept, kPruneMax));
      return std::max({rows, ids, keys});
    });
    const bool more = gone && *gone == static_cast<std::int64_t>(kPruneMax);
    next_prune_ = now + (more ? Duration{std::chrono::seconds{1}} : Duration{config_.prune_interval});
  }
}

void Relay::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [mailbox = mailbox_] { mailbox->ring(); });
  step(relay_input::BellRang{});
  while (!stop.stop_requested()) {
    keep_house();
    const Instant until = std::min({machine_.next_wake(), next_count_, next_prune_});
    for (RelayInput& input : mailbox_->take(until)) step(std::move(input));
  }
  step(relay_input::Stop{});
  const Instant give_up = clock_.monotonic() + config_.drain_timeout;
  while (!machine_.is_drained() && clock_.monotonic() < give_up) {
    for (RelayInput& input : mailbox_->take(std::min(machine_.next_wake(), give_up))) step(std::move(input));
  }
  if (!machine_.is_drained()) {
    logger_.warning("relay_stopped_early", {{"in_flight", machine_.in_flight()}});
  }
}

}  // namespace ekiden::delivery
