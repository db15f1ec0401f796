// The sql port on PostgreSQL against libpq by hand: one-row transactions of 8 clients, and batches of 1,000
// rows. By hand means as few round trips as libpq's pipeline mode allows: BEGIN, the statements and COMMIT go
// out together, which a transaction that looks at its answers cannot do. Both are SERIALIZABLE and durable.
// Prints figures and ratios; judges nothing. Usage: tools/with_servers postgres -- sql_postgres_bench
// [SECONDS]   (default: 5 for each figure)

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/resource.h>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "ports/sql/postgres/postgres.hpp"

namespace {

using namespace ekiden;

constexpr int kClients = 8;
constexpr int kBatch = 1'000;
constexpr const char* kInsert = "INSERT INTO rows (id, amount, name) VALUES ($1, $2, $3)";
const SystemClock kClock;

class Silence final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Figure {
  double per_second = 0;
  double cpu_us = 0;  ///< of this program, for each
};

/// Runs `work(client)`, which returns how many it did, on each client's thread until the time is over.
Figure measure(int clients, double seconds, const std::function<int(int)>& work) {
  std::atomic<bool> is_over{false};
  std::atomic<std::int64_t> done{0};
  const double cpu = cpu_seconds();
  const Instant started = kClock.monotonic();
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(clients));
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      while (!is_over) {
        done += work(i);
        const std::chrono::duration<double> spent = kClock.monotonic() - started;
        if (spent.count() >= seconds) is_over = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> spent = kClock.monotonic() - started;
  const auto all = static_cast<double>(done);
  return {all / spent.count(), (cpu_seconds() - cpu) * 1e6 / all};
}

/// libpq by hand.
class Peer {
 public:
  explicit Peer(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_));
    PQclear(PQexec(connection_, "SET search_path = bench"));
    PQclear(PQprepare(connection_, "begin", "BEGIN ISOLATION LEVEL SERIALIZABLE", 0, nullptr));
    PQclear(PQprepare(connection_, "insert", kInsert, 0, nullptr));
    PQclear(PQprepare(connection_, "commit", "COMMIT", 0, nullptr));
    PQenterPipelineMode(connection_);
  }
  ~Peer() { PQfinish(connection_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int insert(std::int64_t first, int rows) {
    send("begin", nullptr, 0);
    for (int i = 0; i < rows; ++i) {
      const std::string id = std::to_string(first + i);
      const char* values[] = {id.c_str(), "12345", "a name of a usual length"};
      send("insert", values, 3);
    }
    send("commit", nullptr, 0);
    if (PQpipelineSync(connection_) != 1) throw std::runtime_error(PQerrorMessage(connection_));
    for (;;) {
      PGresult* const result = PQgetResult(connection_);
      if (result == nullptr) continue;
      const ExecStatusType status = PQresultStatus(result);
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) return rows;
      if (status != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(connection_));
    }
  }

 private:
  void send(const char* name, const char* const* values, int count) {
    if (PQsendQueryPrepared(connection_, name, count, values, nullptr, nullptr, 0) != 1)
      throw std::runtime_error(PQerrorMessage(connection_));
  }
  PGconn* connection_;
};

sql::Params row(std::int64_t id) {
  return {id, 12'345, "a name of a usual length"};
}

Result<void> insert(sql::Database& database, std::int64_t first, int rows) {
  return database.write([&](sql::Tx& tx) -> Result<void> {
    if (rows == 1) {
      EKIDEN_CHECK(tx.execute(kInsert, row(first)));
      return {};
    }
    std::vector<sql::Params> sets;
    sets.reserve(static_cast<std::size_t>(rows));
    for (int i = 0; i < rows; ++i) sets.push_back(row(first + i));
    EKIDEN_CHECK(tx.execute_batch(kInsert, std::move(sets)));
    return {};
  });
}

void print(const char* what, const Figure& ours, const Figure& peer) {
  fmt::print("{:<28} ours {:>8.0f}/s {:>6.1f} us CPU   libpq {:>8.0f}/s {:>6.1f} us CPU   ratio {:.2f}\n",
             what, ours.per_second, ours.cpu_us, peer.per_second, peer.cpu_us,
             ours.per_second / peer.per_second);
}

void run(const std::string& url, double seconds) {
  SystemRandom random;
  Silence silence;
  auto made = sql::make_postgres({.url = url, .schema = "bench", .connections = kClients}, kClock, random,
                                 Logger(silence, kClock));
  if (!made) throw std::runtime_error(made.error().text());
  sql::Database& database = **made;
  const auto table = database.change_schema([](sql::Tx& tx) {
    return tx.execute(
        "CREATE TABLE rows (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL, name TEXT NOT NULL)");
  });
  if (!table) throw std::runtime_error(table.error().text());
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < kClients; ++i) peers.push_back(std::make_unique<Peer>(url));
  std::atomic<std::int64_t> next{0};
  const auto ours = [&](int rows) {
    return [&, rows](int) {
      if (const auto kept = insert(database, next.fetch_add(rows), rows); !kept)
        throw std::runtime_error(kept.error().text());
      return rows;
    };
  };
  const auto theirs = [&](int rows) {
    return [&, rows](int client) {
      return peers[static_cast<std::size_t>(client)]->insert(next.fetch_add(rows), rows);
    };
  };
  for (const int clients : {1, kClients}) {
    const Figure own = measure(clients, seconds, ours(1));
    const std::string what = fmt::format("commits, {} client{}", clients, clients == 1 ? "" : "s");
    print(what.c_str(), own, measure(clients, seconds, theirs(1)));
  }
  const Figure own = measure(1, seconds, ours(kBatch));
  print("rows in batches, 1 client", own, measure(1, seconds, theirs(kBatch)));
}

}  // namespace

int main(int argc, char** argv) {
  const char* const url = std::getenv("EKIDEN_TEST_POSTGRES");
  if (url == nullptr) {
    fmt::print(stderr, "run this by tools/with_servers postgres -- sql_postgres_bench\n");
    return 2;
  }
  try {
    run(url, argc > 1 ? std::strtod(argv[1], nullptr) : 5.0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
