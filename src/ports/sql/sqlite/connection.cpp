#include "ports/sql/sqlite/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "base/utf8.hpp"
#include "ports/sql/sqlite/outcome.hpp"

namespace ekiden::sql::sqlite {

namespace {

constexpr std::size_t kStatementsMax = 256;
constexpr int kProgressSteps =
    4000;  ///< virtual machine steps between two looks at the deadline: about 100 us
constexpr int kWalLimitBytes = 32 * 1024 * 1024;
constexpr std::size_t kStatementLogged = 200;

constexpr std::string_view control_text(Control what) {
  switch (what) {
    case Control::begin_read:
      return "BEGIN";
    case Control::begin_write:
      return "BEGIN IMMEDIATE";
    case Control::savepoint:
      return "SAVEPOINT body";
    case Control::release:
      return "RELEASE body";
    case Control::undo:
      return "ROLLBACK TO body";
    case Control::commit:
      return "COMMIT";
    case Control::rollback:
      return "ROLLBACK";
  }
  return {};
}

/// Makes an empty file that only its owner reads; the log and the index beside it inherit the mode. An
/// existing file is not opened: closing it would drop the locks that this process holds on it.
void make_private(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

bool is_ascii_without_nul(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0; });
}

Error bug(std::string text) {
  return {Errc::internal, "bad-statement", std::move(text)};
}

/// Resets on every way out; bindings stay, since each run binds all of them anew.
class RunGuard {
 public:
  explicit RunGuard(sqlite3_stmt* handle) : handle_(handle) {}
  ~RunGuard() { sqlite3_reset(handle_); }
  RunGuard(const RunGuard&) = delete;
  RunGuard& operator=(const RunGuard&) = delete;

 private:
  sqlite3_stmt* handle_;
};

Value column_value(sqlite3_stmt* handle, int column) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(handle, column)); };
  switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(handle, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(handle, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle, column));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle, column));
      return Blob{bytes == nullptr ? std::string() : std::string(bytes, size())};
    }
    default:
      return {};
  }
}

Row read_row(sqlite3_stmt* handle) {
  const int columns = sqlite3_data_count(handle);
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) values.push_back(column_value(handle, i));
  return Row{std::move(values)};
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const SqliteConfig& config, Role role,
                                                     const Clock& clock, const Logger& logger) {
  make_private(config.file);
  std::unique_ptr<Connection> connection(new Connection(clock, logger));
  // One thread at a time uses a connection, so SQLite needs no mutex of its own.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(config.file.c_str(), &connection->database_, flags,
                                   config.vfs.empty() ? nullptr : config.vfs.c_str());
  if (code != SQLITE_OK) return connection->fail(code, "open");
  EKIDEN_CHECK(connection->configure(config, role));
  return connection;
}

Connection::~Connection() {
  by_text_.clear();
  cache_.clear();
  controls_.clear();
  const int code = sqlite3_close(database_);
  if (code != SQLITE_OK) logger_.error("sql_close_failed", {{"code", code}});
}

Result<void> Connection::configure(const SqliteConfig& config, Role role) {
  // Double quotes are identifiers, as in the standard: a misspelt column is an error and not a text.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  set_busy_timeout(config.busy_timeout);
  EKIDEN_CHECK(enter_wal(config.busy_timeout));
  EKIDEN_CHECK(pragma(config.durable ? "synchronous=FULL" : "synchronous=NORMAL"));
  EKIDEN_CHECK(pragma("foreign_keys=ON"));
  EKIDEN_CHECK(pragma("case_sensitive_like=ON"));
  // In memory a statement's own journal is cut chunk by chunk, at a cost that grows with what it ever held.
  EKIDEN_CHECK(pragma("temp_store=FILE"));
  EKIDEN_CHECK(pragma("cache_size=-" + std::to_string(config.cache_kib)));
  EKIDEN_CHECK(pragma("journal_size_limit=" + std::to_string(kWalLimitBytes)));
  if (config.pages_max > 0) EKIDEN_CHECK(pragma("max_page_count=" + std::to_string(config.pages_max)));
  if (role == Role::reader) EKIDEN_CHECK(pragma("query_only=ON"));
  for (const Control what : {Control::begin_read, Control::begin_write, Control::savepoint, Control::release,
                             Control::undo, Control::commit, Control::rollback}) {
    Statement statement;
    statement.text = control_text(what);
    EKIDEN_CHECK(compile(statement));
    controls_.push_back(std::move(statement));
  }
  sqlite3_progress_handler(database_, kProgressSteps, &on_progress, this);
  // Takes the place of the automatic checkpoint, whose errors nobody would see.
  sqlite3_wal_hook(database_, &on_commit, this);
  sqlite3_set_authorizer(database_, &authorize, this);
  trusted_ = false;
  return {};
}

Result<void> Connection::enter_wal(std::chrono::milliseconds patience) {
  // Two processes that make the file together can refuse each other without having waited for the lock.
  constexpr int kPauseMs = 10;
  for (auto waited = std::chrono::milliseconds{0};; waited += std::chrono::milliseconds{kPauseMs}) {
    const Result<void> entered = pragma("journal_mode=WAL");
    if (entered || !is_locked(entered.error()) || waited >= patience) return entered;
    sqlite3_sleep(kPauseMs);
  }
}

Result<void> Connection::pragma(const std::string& text) {
  const std::string statement = "PRAGMA " + text;
  const int code = sqlite3_exec(database_, statement.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(code, statement);
  return {};
}

void Connection::set_busy_timeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(database_, static_cast<int>(timeout.count()));
}

bool Connection::owes_foreign_keys() const {
  int owed = 0;
  int unused = 0;
  return sqlite3_db_status(database_, SQLITE_DBSTATUS_DEFERRED_FKS, &owed, &unused, 0) == SQLITE_OK &&
         owed != 0;
}

Result<void> Connection::control(Control what) {
  const Statement& statement = controls_[static_cast<std::size_t>(what)];
  trusted_ = true;  // Stepping may compile it anew after a change of the schema.
  const int code = sqlite3_step(statement.handle.get());
  trusted_ = false;
  Result<void> outcome;
  if (code != SQLITE_DONE) outcome = fail(code, statement.text);
  sqlite3_reset(statement.handle.get());
  return outcome;
}

void Connection::give_back_pages() {
  constexpr int kLarge = 4 << 20;
  int used = 0;
  int highest = 0;
  if (sqlite3_db_status(database_, SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0) != SQLITE_OK) return;
  if (used < kLarge) return;
  sqlite3_db_release_memory(database_);
  malloc_trim(0);  // pages lie between what stays, so freeing them alone gives nothing back
}

Result<void> Connection::checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(database_, nullptr, mode, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(code, "checkpoint");
  if (mode != SQLITE_CHECKPOINT_PASSIVE) wal_pages_ = 0;
  return {};
}

Result<void> Connection::verify() {
  trusted_ = true;
  const auto checked = query("PRAGMA quick_check(1)", {});
  trusted_ = false;
  if (!checked) return checked.error();
  if (checked->size() == 1 && checked->front().text(0) == "ok") return {};
  faulty_ = true;
  logger_.error("sql_damaged", {{"found", checked->empty() ? std::string() : checked->front().text(0)}});
  return Error{Errc::unavailable, "storage-fault", "the database file is damaged"};
}

Result<Rows> Connection::query(std::string_view text, const Params& params) {
  EKIDEN_TRY(Statement* const statement, prepare(text));
  Rows rows;
  EKIDEN_CHECK(run(*statement, params, &rows));
  return rows;
}

Result<std::int64_t> Connection::execute(std::string_view text, const Params& params) {
  EKIDEN_TRY(Statement* const statement, prepare(text));
  return run(*statement, params, nullptr);
}

Result<std::int64_t> Connection::execute_batch(std::string_view text, const std::vector<Params>& sets) {
  EKIDEN_TRY(Statement* const statement, prepare(text));
  std::int64_t changed = 0;
  for (const Params& params : sets) {
    EKIDEN_TRY(const std::int64_t once, run(*statement, params, nullptr));
    changed += once;
  }
  return changed;
}

Result<Statement*> Connection::prepare(std::string_view text) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    cache_.splice(cache_.begin(), cache_, found->second);
    return &cache_.front();
  }
  Statement statement;
  statement.text = text;
  EKIDEN_CHECK(compile(statement));
  if (cache_.size() >= kStatementsMax) {
    by_text_.erase(cache_.back().text);
    cache_.pop_back();
  }
  cache_.push_front(std::move(statement));
  by_text_.emplace(cache_.front().text, cache_.begin());
  return &cache_.front();
}

Result<void> Connection::compile(Statement& statement) {
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  const std::string& text = statement.text;
  const int code = sqlite3_prepare_v3(database_, text.c_str(), static_cast<int>(text.size() + 1),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &rest);
  statement.handle.reset(handle);
  if (code != SQLITE_OK) return fail(code, text);
  if (handle == nullptr || std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    logger_.error("sql_statement_failed", {{"statement", text.substr(0, kStatementLogged)}});
    return bug("a call runs exactly one statement");
  }
  statement.reads_only = sqlite3_stmt_readonly(handle) != 0;
  const int parameters = sqlite3_bind_parameter_count(handle);
  for (int i = 1; i <= parameters; ++i) {
    const char* const name = sqlite3_bind_parameter_name(handle, i);
    const std::string_view digits = name == nullptr ? std::string_view() : std::string_view(name).substr(1);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || *name != '$' || number == 0) {
      logger_.error("sql_statement_failed", {{"statement", text.substr(0, kStatementLogged)}});
      return bug("parameters are written $1, $2 and so on");
    }
    statement.parameter_of.push_back(number - 1);
  }
  return {};
}

Result<void> Connection::bind(const Statement& statement, const Params& params) {
  int index = 0;
  for (const std::size_t parameter : statement.parameter_of) {
    ++index;
    if (parameter >= params.size()) return bug("a statement has fewer values than parameters");
    const Value& value = params[parameter];
    if (const auto* number = std::get_if<double>(&value.storage()); number && std::isnan(*number)) {
      return bug("a parameter is not a number");
    }
    if (const auto* text = std::get_if<std::string>(&value.storage());
        text && !is_ascii_without_nul(*text) && (text->find('\0') != std::string::npos || !is_utf8(*text))) {
      return bug("a text parameter holds a NUL or is not UTF-8");
    }
    const int code = bind_one(statement.handle.get(), index, value);
    if (code != SQLITE_OK) return fail(code, statement.text);
  }
  return {};
}

int Connection::bind_one(sqlite3_stmt* handle, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* handle;
    int index;
    std::uint64_t& bytes;
    int operator()(std::monostate) const { return sqlite3_bind_null(handle, index); }
    int operator()(bool flag) const { return sqlite3_bind_int(handle, index, flag ? 1 : 0); }
    int operator()(std::int64_t number) const {
      bytes += sizeof number;
      return sqlite3_bind_int64(handle, index, number);
    }
    int operator()(double number) const {
      bytes += sizeof number;
      return sqlite3_bind_double(handle, index, number);
    }
    // The parameters outlive the run, so SQLite need not copy them.
    int operator()(const std::string& text) const {
      bytes += text.size();
      return sqlite3_bind_text64(handle, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      bytes += blob.bytes.size();
      return sqlite3_bind_blob64(handle, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Binder{handle, index, bytes_bound_}, value.storage());
}

Result<std::int64_t> Connection::run(Statement& statement, const Params& params, Rows* rows) {
  sqlite3_stmt* const handle = statement.handle.get();
  const RunGuard guard(handle);
  EKIDEN_CHECK(bind(statement, params));
  const sqlite3_int64 before = sqlite3_total_changes64(database_);
  if (!statement.reads_only) ++changes_run_;
  interruptible_ = statement.reads_only && !deadline_.is_never();
  int code = sqlite3_step(handle);
  for (; code == SQLITE_ROW; code = sqlite3_step(handle)) {
    if (rows != nullptr) rows->push_back(read_row(handle));
  }
  interruptible_ = false;
  if (code != SQLITE_DONE) return fail(code, statement.text);
  // SQLite's count of a statement that changed nothing, a CREATE say, is that of the statement before it.
  if (sqlite3_total_changes64(database_) == before) return 0;
  return std::int64_t{sqlite3_changes64(database_)};
}

Error Connection::fail(int code, std::string_view statement) {
  const int system_errno = database_ == nullptr ? 0 : sqlite3_system_errno(database_);
  Error error = to_error(code, system_errno);
  faulty_ = faulty_ || is_fault(code, system_errno);
  if (error.code() == Errc::internal || error.code() == Errc::unavailable) {
    logger_.error("sql_statement_failed", {{"code", code},
                                           {"errno", system_errno},
                                           {"message", database_ == nullptr ? "" : sqlite3_errmsg(database_)},
                                           {"statement", statement.substr(0, kStatementLogged)}});
  }
  return error;
}

int Connection::on_progress(void* self) {
  const auto* connection = static_cast<const Connection*>(self);
  return connection->interruptible_ && connection->deadline_.passed(connection->clock_) ? 1 : 0;
}

int Connection::on_commit(void* self, sqlite3*, const char*, int pages) {
  static_cast<Connection*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

int Connection::authorize(void* self, int action, const char*, const char*, const char*, const char*) {
  if (static_cast<const Connection*>(self)->trusted_) return SQLITE_OK;
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA:
      return SQLITE_DENY;  // The lane owns the transaction, and its settings are its promises.
    default:
      return SQLITE_OK;
  }
}

}  // namespace ekiden::sql::sqlite
