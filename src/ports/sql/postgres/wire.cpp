#include "ports/sql/postgres/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include <poll.h>

namespace ekiden::sql::postgres {

namespace {

/// Real time, whatever clock deadlines are measured by: this waits for a socket.
const SystemClock kTime;

Error no_connection() {
  return {Errc::unavailable, "database-unreachable", "the database cannot be reached; nothing was kept"};
}

}  // namespace

bool Wire::wait(int socket, short events, Instant until) {
  for (;;) {
    int patience_ms = -1;
    if (until != Instant::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - kTime.monotonic()).count();
      if (left <= 0) return false;
      patience_ms = static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
    }
    pollfd one{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, patience_ms);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

Result<std::unique_ptr<Wire>> Wire::connect(const std::string& url, const std::string& options,
                                            const std::string& application, Instant until,
                                            std::string& detail) {
  // Dead peers are noticed in about 20 s where no deadline is nearer.
  const std::array keys = {"dbname",           "options",          "application_name",
                           "client_encoding",  "keepalives_idle",  "keepalives_interval",
                           "keepalives_count", "tcp_user_timeout", static_cast<const char*>(nullptr)};
  const std::array values = {url.c_str(),
                             options.c_str(),
                             application.c_str(),
                             "UTF8",
                             "10",
                             "5",
                             "2",
                             "20000",
                             static_cast<const char*>(nullptr)};
  std::unique_ptr<Wire> wire(new Wire(PQconnectStartParams(keys.data(), values.data(), 1)));
  PGconn* const connection = wire->connection_.get();
  auto state = PGRES_POLLING_WRITING;
  while (connection != nullptr && PQstatus(connection) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    const bool in_time = wait(PQsocket(connection), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
    if (!in_time) {
      detail = "no answer in time";
      return no_connection();
    }
    state = PQconnectPoll(connection);
  }
  if (state != PGRES_POLLING_OK || PQsetnonblocking(connection, 1) != 0 ||
      PQenterPipelineMode(connection) != 1) {
    detail = connection == nullptr ? "no memory" : PQerrorMessage(connection);
    return no_connection();
  }
  // Notices (a table that is there already, say) are for people at a terminal.
  PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  wire->backend_ = PQbackendPID(connection);
  return wire;
}

void Wire::note(int sent) {
  ++queued_;
  failed_ = failed_ || sent != 1;
}

void Wire::queue_text(const std::string& text) {
  note(PQsendQueryParams(connection_.get(), text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1));
}

void Wire::queue_prepare(const std::string& name, const std::string& text) {
  note(PQsendPrepare(connection_.get(), name.c_str(), text.c_str(), 0, nullptr));
}

void Wire::queue_execute(const std::string& name, const Arguments& arguments) {
  note(PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(arguments.values.size()),
                           arguments.values.data(), arguments.lengths.data(), arguments.formats.data(), 1));
}

Wire::Outcome Wire::fill(Instant until) {
  PGconn* const connection = connection_.get();
  while (PQisBusy(connection) != 0) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return Outcome::broken;
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    if (!wait(PQsocket(connection), events, until)) return Outcome::late;
    if (PQconsumeInput(connection) != 1) return Outcome::broken;
  }
  return Outcome::answered;
}

Wire::Outcome Wire::next(Instant until, PgResult& result) {
  for (;;) {
    if (const Outcome filled = fill(until); filled != Outcome::answered) return filled;
    result.reset(PQgetResult(connection_.get()));
    if (result) return Outcome::answered;
    if (PQstatus(connection_.get()) == CONNECTION_BAD) return Outcome::broken;
  }
}

Wire::Outcome Wire::round_trip(Instant until, std::vector<PgResult>& results) {
  results.clear();
  if (!is_open()) return Outcome::broken;
  const std::size_t expected = std::exchange(queued_, 0);
  results.reserve(expected);
  Outcome outcome = Outcome::answered;
  if (std::exchange(failed_, false) || PQpipelineSync(connection_.get()) != 1) outcome = Outcome::broken;
  bool synced = false;
  while (outcome == Outcome::answered && !synced) {
    PgResult result;
    outcome = next(until, result);
    if (outcome != Outcome::answered) break;
    synced = PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC;
    if (!synced) results.push_back(std::move(result));
    if (results.size() > expected) outcome = Outcome::broken;
    if (!synced && PQstatus(connection_.get()) == CONNECTION_BAD) outcome = Outcome::broken;
  }
  if (outcome == Outcome::answered && results.size() != expected) outcome = Outcome::broken;
  if (outcome != Outcome::answered) close();
  return outcome;
}

bool Wire::is_disturbed() const {
  pollfd one{.fd = PQsocket(connection_.get()), .events = POLLIN | POLLRDHUP, .revents = 0};
  return ::poll(&one, 1, 0) != 0;
}

}  // namespace ekiden::sql::postgres
