#include "ports/sql/postgres/connection.hpp"

#include <algorithm>
#include <utility>

#include "ports/sql/job.hpp"
#include "ports/sql/postgres/values.hpp"

namespace ekiden::sql::postgres {

namespace {

constexpr std::size_t kStatementsMax = 256;
constexpr std::size_t kStatementLogged = 200;
/// One window of a batch: the answers of so many executions are held at once.
constexpr std::size_t kBatchMax = 512;
constexpr std::size_t kBatchBytesMax = 1024 * 1024;
/// A statement runs at most so much beyond its deadline on the server before its limit is set anew.
constexpr std::chrono::milliseconds kTimeoutSlack{5};
/// How long past the deadline the server's own word is waited for before the connection is given up.
constexpr std::chrono::milliseconds kGrace{500};
/// For the short questions of the lane itself.
constexpr std::chrono::milliseconds kControlTimeout{5000};
constexpr const char* kCommitName = "ekiden_commit";
constexpr const char* kRollbackName = "ekiden_rollback";

const SystemClock kTime;

std::string begin_name(Access access) {
  return "ekiden_begin_" + std::to_string(static_cast<int>(access));
}

std::string_view state_of(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : std::string_view(state);
}

bool is_error(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

Error bug(std::string text) {
  return {Errc::internal, "bad-statement", std::move(text)};
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const PostgresConfig& config, const Clock& clock,
                                                     const Logger& logger, const Uuid& lane, Instant until,
                                                     std::atomic<std::uint64_t>& schema_epoch) {
  std::unique_ptr<Connection> connection(new Connection(config, clock, logger, lane, schema_epoch));
  std::string detail;
  auto wire = Wire::connect(config.url, session_options(config.schema, config.lock_timeout.count()),
                            connection->application(), until, detail);
  if (!wire) {
    logger.warning("sql_connect_failed", {{"message", detail.substr(0, kStatementLogged)}});
    return wire.error();
  }
  connection->wire_ = std::move(*wire);
  EKIDEN_CHECK(connection->prepare_session(until));
  return connection;
}

Result<void> Connection::prepare_session(Instant until) {
  for (const Access access : {Access::read, Access::write, Access::schema})
    wire_->queue_prepare(begin_name(access), std::string(begin_text(access)));
  wire_->queue_prepare(kCommitName, "COMMIT");
  wire_->queue_prepare(kRollbackName, "ROLLBACK");
  std::vector<PgResult> results;
  if (const auto outcome = wire_->round_trip(until, results); outcome != Wire::Outcome::answered)
    return lose(outcome);
  for (const PgResult& result : results) {
    if (is_error(result.get())) return to_failure(state_of(result.get())).error;
  }
  epoch_seen_ = schema_epoch_;
  return {};
}

void Connection::begin(Access access) {
  if (epoch_seen_ != schema_epoch_) {
    epoch_seen_ = schema_epoch_;
    forget_statements();
  }
  clean_up();
  ++transaction_;
  access_ = access;
  has_begun_ = false;
  changed_schema_ = false;
  may_have_written_ = false;
  number_ = 0;
  remedy_ = Remedy::none;
}

/// Names that are not needed any more go outside of transactions, where they cannot undo one.
void Connection::clean_up() {
  if (unwanted_.empty()) return;
  for (const std::string& name : unwanted_) wire_->queue_text("DEALLOCATE " + name);
  unwanted_.clear();
  std::vector<PgResult> results;
  // Where it fails the connection is closed, and the lane sees that.
  static_cast<void>(wire_->round_trip(kTime.monotonic() + kControlTimeout, results));
}

Result<Connection::Statement*> Connection::find(std::string_view text) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    cache_.splice(cache_.begin(), cache_, found->second);
    return &cache_.front();
  }
  Statement statement{.text = std::string(text), .name = {}, .shape = shape_of(text)};
  if (statement.shape.is_control) return bug("the lane begins and ends transactions, and nobody else");
  if (cache_.size() >= kStatementsMax) {
    if (cache_.back().is_prepared) unwanted_.push_back(cache_.back().name);
    by_text_.erase(cache_.back().text);
    cache_.pop_back();
  }
  statement.name = "s" + std::to_string(++next_name_);
  cache_.push_front(std::move(statement));
  by_text_.emplace(cache_.front().text, cache_.begin());
  return &cache_.front();
}

void Connection::forget_statements() {
  for (const Statement& statement : cache_) {
    if (statement.is_prepared) unwanted_.push_back(statement.name);
  }
  by_text_.clear();
  cache_.clear();
}

void Connection::queue_timeout() {
  if (deadline_.is_never()) return;
  const Instant now = clock_.monotonic();
  if (has_begun_ && now - timeout_set_at_ < kTimeoutSlack) return;
  timeout_set_at_ = now;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_.left(clock_)).count();
  const std::int64_t limit = std::clamp<std::int64_t>(left, 1, 1'000'000'000);
  wire_->queue_text("SET LOCAL statement_timeout = " + std::to_string(limit));
  roles_.push_back(Role::frame);
}

void Connection::queue_begin() {
  if (!has_begun_) {
    wire_->queue_execute(begin_name(access_), {});
    roles_.push_back(Role::frame);
    if (access_ == Access::schema) {
      for (const std::string& text : schema_turn_texts(config_.schema, config_.lock_timeout.count())) {
        wire_->queue_text(text);
        roles_.push_back(Role::frame);
      }
    }
  }
  queue_timeout();
  has_begun_ = true;
}

void Connection::queue_prepare(Statement& statement) {
  if (statement.is_prepared) return;
  wire_->queue_prepare(statement.name, statement.text);
  roles_.push_back(Role::prepare);
}

void Connection::queue_execute(const Statement& statement, const Arguments& arguments) {
  wire_->queue_execute(statement.name, arguments);
  roles_.push_back(Role::body);
  may_have_written_ = may_have_written_ || !statement.shape.reads_only;
}

Instant Connection::patience() const {
  if (deadline_.is_never()) return Instant::max();
  return kTime.monotonic() + deadline_.left(clock_) + kGrace;
}

Error Connection::lose(Wire::Outcome outcome) {
  wire_->close();
  if (outcome == Wire::Outcome::late) {
    remedy_ = Remedy::none;
    return {Errc::timeout, "deadline", "the deadline passed before the answer was complete"};
  }
  remedy_ = Remedy::reconnect;
  return to_failure({}).error;
}

Error Connection::fail(const Statement& statement, const PGresult* result) {
  Failure failure = to_failure(state_of(result));
  // Only a statement that was prepared in another transaction can be stale.
  const bool is_old = statement.is_prepared && statement.prepared_in != transaction_;
  if (failure.remedy == Remedy::reprepare && !is_old) failure.remedy = Remedy::none;
  if (state_of(result) == "25006" && access_ != Access::read) failure = to_failure({});  // a standby now
  remedy_ = failure.remedy;
  if (remedy_ == Remedy::reconnect) wire_->close();
  if (remedy_ == Remedy::none &&
      (failure.error.code() == Errc::internal || failure.error.code() == Errc::unavailable)) {
    const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    logger_.error("sql_statement_failed",
                  {{"state", state_of(result)},
                   {"message", message == nullptr ? "no message" : message},
                   {"statement", std::string_view(statement.text).substr(0, kStatementLogged)}});
  }
  return failure.error;
}

void Connection::note_result(Statement& statement, Role role, PGresult* result) {
  if (role == Role::prepare) {
    statement.is_prepared = true;
    statement.prepared_in = transaction_;
  } else if (role == Role::body && changes_schema(PQcmdStatus(result))) {
    changed_schema_ = true;
  }
}

Result<std::vector<PgResult>> Connection::exchange(Statement& statement) {
  const std::vector<Role> roles = std::exchange(roles_, {});
  std::vector<PgResult> results;
  if (const auto outcome = wire_->round_trip(patience(), results); outcome != Wire::Outcome::answered)
    return lose(outcome);
  std::vector<PgResult> own;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    PGresult* const result = results[i].get();
    if (PQresultStatus(result) == PGRES_EMPTY_QUERY) return bug("a call runs exactly one statement");
    if (is_error(result)) return fail(statement, result);
    note_result(statement, roles[i], result);
    if (roles[i] == Role::body) own.push_back(std::move(results[i]));
  }
  return own;
}

Result<Rows> Connection::query(std::string_view text, const Params& params) {
  EKIDEN_TRY(Statement* const statement, find(text));
  EKIDEN_TRY(const Arguments arguments, to_arguments(params, statement->shape.parameters));
  queue_begin();
  queue_prepare(*statement);
  queue_execute(*statement, arguments);
  EKIDEN_TRY(const std::vector<PgResult> results, exchange(*statement));
  auto rows = to_rows(results.front().get());
  if (!rows) {
    logger_.error("sql_statement_failed",
                  {{"message", rows.error().text()},
                   {"statement", std::string_view(statement->text).substr(0, kStatementLogged)}});
  }
  if (changed_schema_) forget_statements();
  return rows;
}

Result<std::int64_t> Connection::execute(std::string_view text, const Params& params) {
  EKIDEN_TRY(Statement* const statement, find(text));
  EKIDEN_TRY(const Arguments arguments, to_arguments(params, statement->shape.parameters));
  queue_begin();
  queue_prepare(*statement);
  queue_execute(*statement, arguments);
  EKIDEN_TRY(const std::vector<PgResult> results, exchange(*statement));
  const std::int64_t changed = changed_rows(results.front().get());
  if (changed_schema_) forget_statements();
  return changed;
}

Result<std::int64_t> Connection::execute_batch(std::string_view text, const std::vector<Params>& sets) {
  if (sets.empty()) return 0;
  EKIDEN_TRY(Statement* const statement, find(text));
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < sets.size();) {
    // All of a window is checked before any of it is queued.
    std::vector<Arguments> window;
    std::size_t bytes = 0;
    for (; i < sets.size() && window.size() < kBatchMax && bytes < kBatchBytesMax; ++i) {
      EKIDEN_TRY(Arguments arguments, to_arguments(sets[i], statement->shape.parameters));
      bytes += size_of(arguments);
      window.push_back(std::move(arguments));
    }
    queue_begin();
    queue_prepare(*statement);
    for (const Arguments& arguments : window) queue_execute(*statement, arguments);
    EKIDEN_TRY(const std::vector<PgResult> results, exchange(*statement));
    for (const PgResult& result : results) changed += changed_rows(result.get());
  }
  return changed;
}

Connection::CommitAnswer Connection::commit(std::int64_t number, Failure& refusal) {
  if (!has_begun_) return CommitAnswer::committed;
  if (may_have_written_) {
    // Its failure fails the commit behind it, which is in the same pipeline.
    const Params params = {lane_, number, clock_.now()};
    const auto statement = find(kNumberCommit);
    const auto arguments = to_arguments(params, params.size());
    queue_prepare(**statement);
    queue_execute(**statement, *arguments);
    number_ = number;
  }
  wire_->queue_execute(kCommitName, {});
  const std::vector<Role> roles = std::exchange(roles_, {});
  std::vector<PgResult> results;
  const Instant until = deadline_.is_never() ? Instant::max() : patience() + kControlTimeout;
  if (wire_->round_trip(until, results) != Wire::Outcome::answered) return CommitAnswer::broken;
  // Where its number was refused, the COMMIT was skipped and the transaction is still there, failed.
  has_begun_ = !wire_->is_idle();
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i] == Role::prepare && !is_error(results[i].get()))
      note_result(cache_.front(), roles[i], nullptr);
  }
  if (std::string_view(PQcmdStatus(results.back().get())) == "COMMIT") {
    if (changed_schema_) epoch_seen_ = ++schema_epoch_;
    return CommitAnswer::committed;
  }
  // The first error is the cause.
  const auto failed = std::ranges::find_if(results, [](const PgResult& one) { return is_error(one.get()); });
  refusal = to_failure(failed == results.end() ? "25P02" : state_of(failed->get()));
  if (refusal.remedy == Remedy::reconnect) {
    wire_->close();
    return CommitAnswer::broken;
  }
  return CommitAnswer::refused;
}

void Connection::rollback() {
  roles_.clear();
  if (!is_open() || !std::exchange(has_begun_, false)) return;
  if (wire_->queued() > 0) return wire_->close();  // a transaction was given up between two halves of a call
  wire_->queue_execute(kRollbackName, {});
  std::vector<PgResult> results;
  static_cast<void>(wire_->round_trip(kTime.monotonic() + kControlTimeout, results));
}

Result<Rows> Connection::run_alone(std::string_view text, const Params& params) {
  EKIDEN_TRY(const Arguments arguments, to_arguments(params, params.size()));
  wire_->queue_prepare("", std::string(text));
  wire_->queue_execute("", arguments);
  std::vector<PgResult> results;
  if (const auto outcome =
          wire_->round_trip(kTime.monotonic() + config_.lock_timeout + kControlTimeout, results);
      outcome != Wire::Outcome::answered)
    return lose(outcome);
  for (const PgResult& result : results) {
    if (is_error(result.get())) return to_failure(state_of(result.get())).error;
  }
  return to_rows(results.back().get());
}

Committed Connection::ask(const Ticket& ticket) {
  const auto rows = run_alone(kFenceCommit, {lane_, ticket.number, clock_.now()});
  if (!rows || rows->size() != 1) return Committed::unknown;
  return rows->front().integer(0) == ticket.number ? Committed::yes : Committed::no;
}

void Connection::end_backend(const Ticket& ticket) {
  // The process id may be somebody else's by now, so the lane's name must be the same too.
  const auto ended = run_alone(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2",
      {ticket.backend, application()});
  if (!ended) logger_.warning("sql_end_backend_failed", {{"slug", ended.error().slug()}});
}

}  // namespace ekiden::sql::postgres
