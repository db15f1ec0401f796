#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace ekiden::sql::postgres {

struct ResultClearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ResultClearer>;

/// The parameters of one execution as libpq takes them. Those of BYTEA go as bytes, the others as text. The
/// texts live as long as this and the values that it was made of.
struct Arguments {
  std::vector<std::string> kept;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

/// A libpq connection in pipeline mode: commands are queued and go out together with a Sync, so that any
/// number of them costs one round trip. Never waits beyond what it is told. @threads one at a time
class Wire {
 public:
  /// @param until when to give up
  /// @errors unavailable, with what libpq says in `detail`
  static Result<std::unique_ptr<Wire>> connect(const std::string& url, const std::string& options,
                                               const std::string& application, Instant until,
                                               std::string& detail);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void queue_text(const std::string& text);
  void queue_prepare(const std::string& name, const std::string& text);
  /// The answer comes in binary format.
  void queue_execute(const std::string& name, const Arguments& arguments);
  std::size_t queued() const { return queued_; }

  enum class Outcome : std::uint8_t { answered, broken, late };
  /// Sends what is queued and collects one result of each command, in order, into `results`. After `broken`
  /// or `late` the wire is closed, and what became of the commands is not known.
  Outcome round_trip(Instant until, std::vector<PgResult>& results);

  bool is_open() const { return connection_ != nullptr; }
  /// True where the other end has gone or said something, which between transactions is bad news too.
  bool is_disturbed() const;
  bool is_idle() const { return is_open() && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE; }
  int backend() const { return backend_; }
  void close() { connection_.reset(); }

 private:
  struct Finisher {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit Wire(PGconn* connection) : connection_(connection) {}

  void note(int sent);
  /// Waits for the socket. @returns false at `until`.
  static bool wait(int socket, short events, Instant until);
  /// The next result of the pipeline that is not one of its separators.
  Outcome next(Instant until, PgResult& result);
  Outcome fill(Instant until);

  std::unique_ptr<PGconn, Finisher> connection_;
  std::size_t queued_ = 0;
  int backend_ = 0;
  bool failed_ = false;  ///< a command could not even be queued
};

}  // namespace ekiden::sql::postgres
