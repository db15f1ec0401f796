#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "delivery/relay_machine.hpp"
#include "ports/log/log.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::delivery {

struct RelayConfig {
  RelayLimits limits{};
  std::chrono::hours retention{24 * 7};         ///< published rows are kept so long: for audits and rewinds
  std::chrono::hours inbox_retention{24 * 30};  ///< longer than any topic keeps its events
  std::chrono::minutes prune_interval{10};
  std::chrono::seconds figures_interval{5};
  std::chrono::seconds drain_timeout{10};  ///< how long a stopping relay waits for what is in flight
};

struct RelayFigures {
  std::int64_t depth = 0;                   ///< unpublished rows, as last counted
  std::chrono::microseconds oldest_age{0};  ///< of the oldest unpublished row: alarm on this
  std::int64_t published = 0;               ///< acknowledged by the log since the start
  std::int64_t failed = 0;                  ///< sends that failed, and are or were tried again
  std::int64_t in_flight = 0;
  std::int64_t database_errors = 0;
  bool is_busy = false;  ///< its thread works at this moment
};

/// Publishes the outbox of one service's database, and prunes its delivery tables. Any number of relays may
/// work on one outbox, in any processes: events may then be published twice, never lost and never (counting
/// first copies) out of order.
/// @threads `run` on a thread of its own; the rest any
class Relay {
 public:
  Relay(RelayConfig config, sql::Database& database, log::Log& log, const Clock& clock, Random& random,
        Logger logger);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Tells of new rows: the `wake` of every Outbox and Runner of this database. Never blocks.
  void ring();
  /// `ring` as a value that may outlive the relay.
  std::function<void()> bell();
  /// Works until `stop`; then awaits what is in flight, marks it and returns.
  void run(std::stop_token stop);
  RelayFigures figures() const;

 private:
  struct Mailbox;

  void perform(RelayActions actions);
  void send(OutboxRow row);
  void step(RelayInput input);
  void keep_house();

  const RelayConfig config_;
  sql::Database& database_;
  const Clock& clock_;
  Logger logger_;
  std::shared_ptr<log::Producer> producer_;
  std::shared_ptr<Mailbox> mailbox_;
  RelayMachine machine_;
  Instant next_prune_{};
  Instant next_count_{};
};

}  // namespace ekiden::delivery
