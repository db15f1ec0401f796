#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ports/sql/value.hpp"

namespace ekiden::sql {

/// One transaction, handed to a store function for as long as it runs. The SQL is the subset that PostgreSQL
/// and SQLite share (docs/add-a-port-adapter.md): parameters `$1 …`, BIGINT/TEXT/BOOLEAN/BYTEA/DOUBLE
/// PRECISION, no now(), no database-made ids. After any error the transaction is lost: every further call
/// answers the same error, and the whole is rolled back. @threads the lane that runs the transaction, nobody
/// else
class Tx {
 public:
  virtual ~Tx() = default;

  /// Runs one statement and returns its rows (RETURNING included).
  /// @errors conflict     slug `unique`, `foreign-key`, `check` or `not-null`: a constraint refuses it.
  ///         storage_full the disk is full.
  ///         timeout      the deadline passed.
  ///         busy         another process holds the database for too long.
  ///         unavailable  the connection is lost, or a race with another transaction was; `Database` runs
  ///                      the whole function again where that can help.
  ///         too_large    a value is larger than the engine keeps.
  ///         internal     the statement is wrong, it changes something in a read transaction, a text is not
  ///                      UTF-8 or holds a NUL, or a number is NaN.
  virtual Result<Rows> query(std::string_view statement, Params params = {}) = 0;

  /// Runs one statement and returns how many rows it changed. Errors as `query`.
  virtual Result<std::int64_t> execute(std::string_view statement, Params params = {}) = 0;

  /// Runs one statement once for each set of parameters, in order, in as few round trips as the engine
  /// allows; returns the sum of changed rows. Errors as `query`: all or nothing.
  virtual Result<std::int64_t> execute_batch(std::string_view statement, std::vector<Params> sets) = 0;

  /// Runs `action` after this transaction has become durable, once, in order; never where it is rolled back.
  /// For waking a relay or a job runner: a crash can lose it, so the state that it tells of must be found
  /// without it too.
  virtual void after_commit(std::move_only_function<void()> action) = 0;
};

enum class Access : std::uint8_t {
  read,    ///< A consistent snapshot. Never decides a write.
  write,   ///< Serializable: as if the write transactions had run one after another. Durable when
           ///< acknowledged.
  schema,  ///< A write that changes the schema: one at a time, also with those of other processes, and each
           ///< sees all that came before it.
};

struct TxOptions {
  Access access = Access::write;
  Deadline deadline{};
};

/// A transaction's body. It may run more than once (lost races, a reconnect), so it must change nothing
/// outside `Tx` but variables that it sets anew each time. Returning an error rolls back.
using TxBody = std::move_only_function<Result<void>(Tx&)>;
/// Called once with the outcome, on a lane's thread (on the caller's, inside `submit`, where it is refused at
/// once): post to your own executor, do not block.
using TxDone = std::move_only_function<void(Result<void>)>;

/// Live figures of a database's lanes.
struct DatabaseFigures {
  std::size_t lanes = 0;  ///< connections, each with its thread
  std::size_t lanes_busy = 0;
  std::size_t queued = 0;  ///< transactions that wait for a lane
  std::size_t queue_max = 0;
  std::uint64_t committed = 0;    ///< write transactions that became durable
  std::uint64_t commits = 0;      ///< physical commits: fewer, where transactions share one (group commit)
  std::uint64_t rolled_back = 0;  ///< write transactions that were answered with an error
  std::uint64_t retried = 0;  ///< bodies run again: after a lost race, or as another of their group failed
};

/// A service's own tables. Bodies run on lanes (a connection and its thread); callers either wait
/// (`transact`, for services whose model is threads) or are called back (`submit`, on which runtime::transact
/// builds a coroutine). Outcome of a lost commit: `unavailable` means that it may or may not be durable; a
/// caller that repeats must carry a key (idempotency key, event id, primary key made beforehand) by which the
/// body finds that it has happened.
/// @threads any
class Database {
 public:
  virtual ~Database() = default;

  /// Queues `body` and calls `done` when it is durable, or has failed.
  /// @errors (to `done`) the body's own, and
  ///         busy         the queue is full, or another process holds the database: nothing happened.
  ///         timeout      the deadline passed: nothing happened.
  ///         storage_full nothing was kept, reads go on.
  ///         unavailable  see above.
  ///         internal     the body threw: nothing happened.
  virtual void submit(TxOptions options, TxBody body, TxDone done) = 0;

  /// Waits for `submit`. Blocks: for pool threads, consumers and commands, never on a loop. Errors as
  /// `submit`.
  Result<void> transact(TxOptions options, TxBody body);

  /// `transact` for a body that returns a value: `db.write([&](Tx& tx) -> Result<Gear> {…})`.
  template <class Body>
  auto write(Body body, Deadline deadline = {}) -> std::invoke_result_t<Body&, Tx&>;
  template <class Body>
  auto read(Body body, Deadline deadline = {}) -> std::invoke_result_t<Body&, Tx&>;
  /// `Access::schema`, for migrations.
  template <class Body>
  auto change_schema(Body body) -> std::invoke_result_t<Body&, Tx&>;

  virtual DatabaseFigures figures() const = 0;

 private:
  template <class Body>
  auto transact_value(TxOptions options, Body body) -> std::invoke_result_t<Body&, Tx&>;
};

/// One step of a service's schema. Steps are applied once, in order, each in a transaction of its own; a step
/// that was applied never changes (its hash is kept and compared).
struct Migration {
  std::string_view name;  ///< `0001_users`
  std::string_view text;  ///< statements separated by `;` at the end of a line
};

/// Brings the schema up to date. Two processes may start at once: one waits for the other.
/// @returns how many steps were applied.
/// @errors internal: an applied step's text has changed, or the schema is newer than this program.
Result<int> migrate(Database& database, const std::vector<Migration>& migrations);

template <class Body>
auto Database::transact_value(TxOptions options, Body body) -> std::invoke_result_t<Body&, Tx&> {
  using R = std::invoke_result_t<Body&, Tx&>;
  if constexpr (std::is_same_v<R, Result<void>>) {
    return transact(options, [&body](Tx& tx) { return body(tx); });
  } else {
    R value{Error{Errc::internal, "not-run", "the transaction did not run"}};
    Result<void> outcome = transact(options, [&](Tx& tx) -> Result<void> {
      value = body(tx);
      if (!value) return value.error();
      return {};
    });
    if (!outcome) return std::move(outcome).error();
    return value;
  }
}

template <class Body>
auto Database::write(Body body, Deadline deadline) -> std::invoke_result_t<Body&, Tx&> {
  return transact_value({.access = Access::write, .deadline = deadline}, std::move(body));
}
template <class Body>
auto Database::read(Body body, Deadline deadline) -> std::invoke_result_t<Body&, Tx&> {
  return transact_value({.access = Access::read, .deadline = deadline}, std::move(body));
}
template <class Body>
auto Database::change_schema(Body body) -> std::invoke_result_t<Body&, Tx&> {
  return transact_value({.access = Access::schema, .deadline = {}}, std::move(body));
}

}  // namespace ekiden::sql
