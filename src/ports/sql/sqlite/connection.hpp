#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/sql/sqlite/sqlite.hpp"
#include "ports/sql/value.hpp"

namespace ekiden::sql::sqlite {

enum class Role : std::uint8_t { reader, writer };

/// The statements that frame a transaction; a body cannot use them.
enum class Control : std::uint8_t { begin_read, begin_write, savepoint, release, undo, commit, rollback };

/// A prepared statement and how its `$n` map to SQLite's numbering, which goes by first appearance.
struct Statement {
  struct Finalizer {
    void operator()(sqlite3_stmt* compiled) const { sqlite3_finalize(compiled); }
  };
  std::string text;
  std::unique_ptr<sqlite3_stmt, Finalizer> handle;
  std::vector<std::size_t> parameter_of;  ///< [i]: the 0-based `$n` that SQLite calls parameter i + 1
  bool reads_only = false;
};

/// One connection with its cache of prepared statements. @threads one at a time
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const SqliteConfig& config, Role role, const Clock& clock,
                                                  const Logger& logger);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<Rows> query(std::string_view text, const Params& params);
  Result<std::int64_t> execute(std::string_view text, const Params& params);
  Result<std::int64_t> execute_batch(std::string_view text, const std::vector<Params>& sets);

  Result<void> control(Control what);
  bool in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
  /// True while a deferred foreign key of the open transaction points nowhere.
  bool owes_foreign_keys() const;

  /// Reading statements stop once it has passed. Changing ones run to their end: SQLite would undo the whole
  /// transaction, and with it the others that share it.
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  void set_busy_timeout(std::chrono::milliseconds timeout);

  /// True once an I/O error or damage was seen: the connection must not be used for another transaction.
  bool faulty() const { return faulty_; }
  /// Bytes of parameters bound since it was opened: how much the transactions so far may have written.
  std::uint64_t bytes_bound() const { return bytes_bound_; }
  /// Statements run since it was opened that may have changed something.
  std::uint64_t changes_run() const { return changes_run_; }
  /// Pages in the write-ahead log after this connection's last commit.
  int wal_pages() const { return wal_pages_; }
  /// Frees the page cache where it is large, outside of a transaction, and gives its memory to the system.
  void give_back_pages();
  /// Moves the write-ahead log into the file. @param mode SQLITE_CHECKPOINT_…
  Result<void> checkpoint(int mode);
  /// Reads the whole file and checks its structure.
  Result<void> verify();

 private:
  Connection(const Clock& clock, const Logger& logger) : clock_(clock), logger_(logger) {}

  Result<void> configure(const SqliteConfig& config, Role role);
  Result<void> enter_wal(std::chrono::milliseconds patience);
  Result<void> pragma(const std::string& text);
  Result<Statement*> prepare(std::string_view text);
  Result<void> compile(Statement& statement);
  Result<void> bind(const Statement& statement, const Params& params);
  int bind_one(sqlite3_stmt* handle, int index, const Value& value);
  Result<std::int64_t> run(Statement& statement, const Params& params, Rows* rows);
  /// The Error for a result code, logged where an operator should know; notes a fault.
  Error fail(int code, std::string_view statement);

  static int on_progress(void* self);
  static int on_commit(void* self, sqlite3* database, const char* name, int pages);
  static int authorize(void* self, int action, const char*, const char*, const char*, const char*);

  const Clock& clock_;
  Logger logger_;
  sqlite3* database_ = nullptr;
  std::list<Statement> cache_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Statement>::iterator> by_text_;
  std::vector<Statement> controls_;
  Deadline deadline_;
  bool interruptible_ = false;
  bool trusted_ = true;  ///< our own statement is being compiled, not a body's
  bool faulty_ = false;
  int wal_pages_ = 0;
  std::uint64_t bytes_bound_ = 0;
  std::uint64_t changes_run_ = 0;
};

}  // namespace ekiden::sql::sqlite
