#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/sql/postgres/dialect.hpp"
#include "ports/sql/postgres/outcome.hpp"
#include "ports/sql/postgres/postgres.hpp"
#include "ports/sql/postgres/wire.hpp"

namespace ekiden::sql::postgres {

/// A transaction whose commit was sent, to ask for its outcome from another connection.
struct Ticket {
  std::int64_t number = 0;  ///< 0 where it has changed nothing
  int backend = 0;
};

enum class Committed : std::uint8_t { yes, no, unknown };

/// One connection with its prepared statements. @threads one at a time
class Connection {
 public:
  /// @param lane the row of its commits
  /// @param schema_epoch grows with each schema change of this process, for all its connections
  static Result<std::unique_ptr<Connection>> open(const PostgresConfig& config, const Clock& clock,
                                                  const Logger& logger, const Uuid& lane, Instant until,
                                                  std::atomic<std::uint64_t>& schema_epoch);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The transaction that the next statement begins. No round trip of its own.
  void begin(Access access);
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  Result<Rows> query(std::string_view text, const Params& params);
  Result<std::int64_t> execute(std::string_view text, const Params& params);
  Result<std::int64_t> execute_batch(std::string_view text, const std::vector<Params>& sets);

  /// `broken` leaves it open whether it is committed: ask by the ticket.
  enum class CommitAnswer : std::uint8_t { committed, refused, broken };
  /// @param number greater than those of all transactions of this lane before
  /// @param refusal why, where it is refused: it is not kept, and `rollback` must follow
  CommitAnswer commit(std::int64_t number, Failure& refusal);
  void rollback();
  /// Of the last `commit`.
  Ticket ticket() const { return {number_, wire_->backend()}; }

  /// What became of a transaction of this lane; `no` is for good. Outside of a transaction.
  Committed ask(const Ticket& ticket);
  /// Ends the backend of an earlier connection of this lane, which may hold locks yet.
  void end_backend(const Ticket& ticket);

  /// What the failure of the last statement asks for.
  Remedy remedy() const { return remedy_; }
  /// Drops what was prepared, so that everything is prepared anew.
  void forget_statements();
  bool is_open() const { return wire_->is_open(); }
  /// False where it must not be used for another transaction.
  bool is_fit() const { return wire_->is_idle() && !wire_->is_disturbed(); }

 private:
  struct Statement {
    std::string text;
    std::string name;
    Shape shape;
    bool is_prepared = false;
    std::uint64_t prepared_in = 0;  ///< the transaction in which it was
  };
  enum class Role : std::uint8_t { frame, prepare, body };

  Connection(const PostgresConfig& config, const Clock& clock, const Logger& logger, const Uuid& lane,
             std::atomic<std::uint64_t>& schema_epoch)
      : config_(config), clock_(clock), logger_(logger), lane_(lane), schema_epoch_(schema_epoch) {}
  std::string application() const { return "ekiden " + lane_.to_string(); }

  Result<void> prepare_session(Instant until);
  Result<Statement*> find(std::string_view text);
  void queue_begin();
  void queue_timeout();
  void queue_prepare(Statement& statement);
  void queue_execute(const Statement& statement, const Arguments& arguments);
  /// Sends what is queued. @returns the results of the statement itself, in order.
  Result<std::vector<PgResult>> exchange(Statement& statement);
  void note_result(Statement& statement, Role role, PGresult* result);
  Error fail(const Statement& statement, const PGresult* result);
  Error lose(Wire::Outcome outcome);
  Instant patience() const;
  void clean_up();
  Result<Rows> run_alone(std::string_view text, const Params& params);

  const PostgresConfig& config_;
  const Clock& clock_;
  Logger logger_;
  const Uuid lane_;
  std::atomic<std::uint64_t>& schema_epoch_;
  std::unique_ptr<Wire> wire_;
  std::list<Statement> cache_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Statement>::iterator> by_text_;
  std::vector<std::string> unwanted_;  ///< prepared under these names, and not needed any more
  std::vector<Role> roles_;            ///< of what is queued
  std::uint64_t next_name_ = 0;
  std::uint64_t transaction_ = 0;
  std::uint64_t epoch_seen_ = 0;
  Access access_ = Access::read;
  Deadline deadline_;
  Instant timeout_set_at_;
  bool has_begun_ = false;
  bool changed_schema_ = false;
  bool may_have_written_ = false;
  std::int64_t number_ = 0;
  Remedy remedy_ = Remedy::none;
};

}  // namespace ekiden::sql::postgres
