// One hot pair of shoes: how many workouts a second count for it, each durable and once, with 8 workers. Ours
// is what the service does: events that have arrived are applied together (inbox, sequence, workout, ledger),
// and the pair is updated once `WHERE version = …`. Nobody who records a workout waits for mileage, so each
// worker has 32 on their way; what comes out where each waits for every single one is told besides. Against
// it, by hand on the engine's own interface and without inbox and ledger: the common loop of 8 clients (read
// the version, UPDATE … WHERE version, again where it was lost), and 8 clients that increment blindly. Rounds
// are interleaved; ratios are of medians. Judges nothing. Usage: gear_bench [SECONDS [ROUNDS [FOLDER]]]
// (default: 2 5 /tmp). With EKIDEN_TEST_POSTGRES also on PostgreSQL: tools/with_servers postgres --
// gear_bench

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "delivery/work_executor.hpp"
#include "events/codec.hpp"
#include "ports/sql/postgres/postgres.hpp"
#include "ports/sql/sqlite/sqlite.hpp"
#include "services/inventory/consumers/workouts.hpp"
#include "services/inventory/service.hpp"

namespace {

using namespace ekiden;

constexpr int kWorkers = 8;
constexpr int kOnTheWay = 64;
constexpr std::size_t kStock = 100'000;
constexpr std::size_t kFullBatch = 256;
const SystemClock kClock;

class Silence final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Runs `work(worker)`, which returns how many updates it made, on each worker's thread; per second.
double measure(double seconds, const std::function<int(int)>& work) {
  std::atomic<bool> is_over{false};
  std::atomic<std::int64_t> done{0};
  const Instant started = kClock.monotonic();
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
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
  return static_cast<double>(done) / spent.count();
}

/// The service's consumer over one database, and workers that wait until their event is durable.
class Ours {
 public:
  explicit Ours(sql::Database& database) : database_(database) {
    must(sql::migrate(database_, inventory::migrations()));
    inventory::Gear shoes;
    shoes.gear_id = gear_id_ = ids_.make<GearId>();
    shoes.user_id = user_id_ = ids_.make<UserId>();
    shoes.kind = inventory::Kind::shoes;
    shoes.name = "hot";
    must(database_.write([&](sql::Tx& tx) { return inventory::insert_gear(tx, shoes); }));
    consumer_ = std::thread([this] { consume(); });
  }
  ~Ours() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    consumer_.join();
  }
  Ours(const Ours&) = delete;
  Ours& operator=(const Ours&) = delete;

  /// Makes events ahead: what is measured begins when they have arrived.
  void stock_up(std::size_t count) {
    while (stock_.size() < count) stock_.push_back(make_item());
  }

  /// So many workouts at once, until they are durable.
  int update(int count) {
    std::unique_lock lock(mutex_);
    for (int i = 0; i < count; ++i) {
      if (stock_.empty()) stock_.push_back(make_item());
      arrived_.push_back(std::move(stock_.back()));
      stock_.pop_back();
    }
    const std::uint64_t turn = sent_ += static_cast<std::uint64_t>(count);
    changed_.notify_all();
    changed_.wait(lock, [&] { return applied_ >= turn; });
    return count;
  }

  /// What the pair has, against what was sent.
  bool is_exact() {
    const auto shoes = must(database_.read([&](sql::Tx& tx) { return inventory::find_gear(tx, gear_id_); }));
    return shoes && shoes->use.workouts == made() && shoes->use.distance_m == made() * 1000;
  }
  std::int64_t version() {
    return must(database_.read([&](sql::Tx& tx) { return inventory::find_gear(tx, gear_id_); }))->version;
  }
  /// Workouts that have been sent.
  std::int64_t made() const { return static_cast<std::int64_t>(sent_); }

 private:
  delivery::ItemPtr make_item() {
    events::WorkoutRecorded event;
    event.workout_id = ids_.make<WorkoutId>();
    event.user_id = user_id_;
    event.version = 1;
    event.sport = "run";
    event.start_time = kClock.now();
    event.distance_m = 1000;
    event.moving_ms = 300'000;
    event.gear_ids = {gear_id_.uuid()};
    delivery::Envelope envelope = events::encode(event);
    envelope.id = ids_.make<EventId>();
    auto arrived = std::make_shared<delivery::Arrived>(delivery::Arrived{
        .record = {}, .event = std::move(envelope), .id = {}, .is_replay = false, .is_discard = false});
    arrived->id = arrived->event->id;
    arrived->record.key = user_id_.to_string();
    arrived->record.appended_at = kClock.now();
    return std::make_shared<delivery::Item>(
        delivery::Item{.at = {}, .key = {}, .arrived = std::move(arrived), .death = {}});
  }

  void apply(std::vector<delivery::ItemPtr> items) {
    const delivery::WorkResult result =
        executor_.execute({.kind = delivery::Work::Kind::apply, .items = std::move(items), .partitions = {}});
    if (result.outcome != delivery::WorkResult::Outcome::done) throw std::runtime_error(result.error->text());
  }

  void consume() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || !arrived_.empty(); });
      if (stopping_) return;
      const std::size_t count = std::min(arrived_.size(), kFullBatch);
      const auto end = arrived_.begin() + static_cast<std::ptrdiff_t>(count);
      std::vector<delivery::ItemPtr> items(arrived_.begin(), end);
      arrived_.erase(arrived_.begin(), end);
      lock.unlock();
      apply(std::move(items));
      lock.lock();
      applied_ += count;
      changed_.notify_all();
    }
  }

  sql::Database& database_;
  SystemRandom random_;
  Ids ids_{kClock, random_};
  GearId gear_id_;
  UserId user_id_;
  delivery::Outbox outbox_{"inventory", events::kInventoryTopic, kClock, ids_, [] {}};
  inventory::Settler settler_{outbox_, {}, kClock};
  delivery::Subscription subscription_ = inventory::workouts_subscription(settler_);
  delivery::WorkExecutor executor_{subscription_, database_, kClock, [] {}};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<delivery::ItemPtr> stock_;
  std::vector<delivery::ItemPtr> arrived_;
  std::uint64_t sent_ = 0;
  std::uint64_t applied_ = 0;
  bool stopping_ = false;
  std::thread consumer_;
};

/// A client's own connection to a table `hot` with one row, as it is written by hand.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::int64_t read_version() = 0;
  /// Whether the row still had this version.
  virtual bool update(std::int64_t version) = 0;
  virtual void increment() = 0;
};

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS hot (id BIGINT PRIMARY KEY, distance_m BIGINT NOT NULL, version BIGINT NOT "
    "NULL)";
constexpr const char* kRow =
    "INSERT INTO hot (id, distance_m, version) VALUES (1, 0, 1) ON CONFLICT DO NOTHING";
constexpr const char* kRead = "SELECT version FROM hot WHERE id = 1";
constexpr const char* kUpdate =
    "UPDATE hot SET distance_m = distance_m + 1000, version = version + 1 WHERE id = 1 AND version = $1";
constexpr const char* kIncrement =
    "UPDATE hot SET distance_m = distance_m + 1000, version = version + 1 WHERE id = 1";

class SqlitePeer final : public Peer {
 public:
  explicit SqlitePeer(const std::string& file) {
    check(sqlite3_open(file.c_str(), &database_));
    sqlite3_busy_timeout(database_, 10'000);
    for (const char* text : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", kTable, kRow})
      check(sqlite3_exec(database_, text, nullptr, nullptr, nullptr));
    check(sqlite3_prepare_v2(database_, kRead, -1, &read_, nullptr));
    check(sqlite3_prepare_v2(database_, kUpdate, -1, &update_, nullptr));
    check(sqlite3_prepare_v2(database_, kIncrement, -1, &increment_, nullptr));
  }
  ~SqlitePeer() override {
    for (sqlite3_stmt* statement : {read_, update_, increment_}) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  SqlitePeer(const SqlitePeer&) = delete;
  SqlitePeer& operator=(const SqlitePeer&) = delete;

  std::int64_t read_version() override {
    if (sqlite3_step(read_) != SQLITE_ROW) throw std::runtime_error(sqlite3_errmsg(database_));
    const std::int64_t version = sqlite3_column_int64(read_, 0);
    sqlite3_reset(read_);
    return version;
  }
  bool update(std::int64_t version) override {
    sqlite3_bind_int64(update_, 1, version);
    run(update_);
    return sqlite3_changes(database_) == 1;
  }
  void increment() override { run(increment_); }

 private:
  void check(int code) {
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_));
  }
  void run(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database_));
    sqlite3_reset(statement);
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* read_ = nullptr;
  sqlite3_stmt* update_ = nullptr;
  sqlite3_stmt* increment_ = nullptr;
};

class PostgresPeer final : public Peer {
 public:
  explicit PostgresPeer(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_));
    for (const char* text : {"SET client_min_messages = error", kTable, kRow})
      PQclear(PQexec(connection_, text));
    PQclear(PQprepare(connection_, "read", kRead, 0, nullptr));
    PQclear(PQprepare(connection_, "update", kUpdate, 1, nullptr));
    PQclear(PQprepare(connection_, "increment", kIncrement, 0, nullptr));
  }
  ~PostgresPeer() override { PQfinish(connection_); }
  PostgresPeer(const PostgresPeer&) = delete;
  PostgresPeer& operator=(const PostgresPeer&) = delete;

  std::int64_t read_version() override {
    PGresult* const result = run("read", nullptr, 0);
    const std::int64_t version = std::atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return version;
  }
  bool update(std::int64_t version) override {
    const std::string text = std::to_string(version);
    const char* const values[] = {text.c_str()};
    PGresult* const result = run("update", values, 1);
    const bool changed = std::string(PQcmdTuples(result)) == "1";
    PQclear(result);
    return changed;
  }
  void increment() override { PQclear(run("increment", nullptr, 0)); }

 private:
  PGresult* run(const char* name, const char* const* values, int count) {
    PGresult* const result = PQexecPrepared(connection_, name, count, values, nullptr, nullptr, 0);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_));
    return result;
  }
  PGconn* connection_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

struct Plan {
  double seconds = 2;
  int rounds = 5;
};

/// Prints this engine's figures. @param open makes a peer's connection.
void compare(const char* engine, const Plan& plan, sql::Database& database,
             const std::function<std::unique_ptr<Peer>()>& open) {
  Ours ours(database);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < kWorkers; ++i) peers.push_back(open());
  const auto peer_of = [&](int worker) -> Peer& { return *peers[static_cast<std::size_t>(worker)]; };
  std::vector<double> own;
  std::vector<double> one;
  std::vector<double> loop;
  std::vector<double> blind;
  for (int round = 0; round < plan.rounds; ++round) {
    ours.stock_up(kStock);
    own.push_back(measure(plan.seconds, [&](int) { return ours.update(kOnTheWay); }));
    loop.push_back(measure(plan.seconds, [&](int worker) {
      return peer_of(worker).update(peer_of(worker).read_version()) ? 1 : 0;
    }));
    blind.push_back(measure(plan.seconds, [&](int worker) {
      peer_of(worker).increment();
      return 1;
    }));
    one.push_back(measure(plan.seconds, [&](int) { return ours.update(1); }));
  }
  if (!ours.is_exact()) throw std::runtime_error("the pair has not what its workouts gave");
  fmt::print(
      "{}: ours {:.0f} workouts/s, read and update loop {:.0f}/s, blind increment {:.0f}/s; ratio to the "
      "loop "
      "{:.2f}, to the increment {:.2f}; waiting for each {:.0f}/s, ratios {:.2f} and {:.2f}; {} workouts in "
      "{} "
      "updates\n",
      engine, median(own), median(loop), median(blind), median(own) / median(loop),
      median(own) / median(blind), median(one), median(one) / median(loop), median(one) / median(blind),
      ours.made(), ours.version() - 1);
  std::fflush(stdout);
}

void run(const Plan& plan, const std::filesystem::path& parent) {
  Silence silence;
  const Logger logger(silence, kClock);
  SystemRandom random;
  const std::filesystem::path folder = parent / fmt::format("gear_bench-{}", to_micros(kClock.now()));
  std::filesystem::create_directories(folder);
  {
    const auto database = must(sql::make_sqlite({.file = folder / "inventory.db"}, kClock, logger));
    const std::string peer_file = folder / "peer.db";
    compare("sqlite", plan, *database, [&] { return std::make_unique<SqlitePeer>(peer_file); });
  }
  std::filesystem::remove_all(folder);
  const char* const url = std::getenv("EKIDEN_TEST_POSTGRES");
  if (url == nullptr) {
    fmt::print("postgres: not measured; tools/with_servers postgres -- gear_bench\n");
    return;
  }
  const auto database =
      must(sql::make_postgres({.url = url, .schema = "gear_bench"}, kClock, random, logger));
  compare("postgres", plan, *database, [url] { return std::make_unique<PostgresPeer>(url); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Plan plan;
    if (argc > 1) plan.seconds = std::strtod(argv[1], nullptr);
    if (argc > 2) plan.rounds = static_cast<int>(std::strtol(argv[2], nullptr, 10));
    run(plan, argc > 3 ? argv[3] : "/tmp");
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
