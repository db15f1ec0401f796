#include "app/adapters.hpp"

#include <array>
#include <set>
#include <span>
#include <stdexcept>

#include "app/server_adapters.hpp"
#include "ports/blobs/directory/directory_blobs.hpp"
#include "ports/claims/sql/sql_claims.hpp"
#include "ports/limits/memory/memory_limits.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace ekiden::app {

namespace {

constexpr Option<std::int64_t> kReaders{.key = "sql.readers",
                                        .help = "Connections of each database for reads, a thread each.",
                                        .fallback = 2,
                                        .min = 1,
                                        .max = 64};

std::vector<OptionInfo> no_options() {
  return {};
}

/// Shows a database's lanes beside the executors: each is a connection with a thread.
void show_lanes(const sql::Database& database, const AdapterContext& context) {
  context.figures.add([&database, service = context.name](std::vector<runtime::ExecutorFigures>& all) {
    const sql::DatabaseFigures lanes = database.figures();
    all.push_back({.service = service,
                   .name = "sql",
                   .model = "sql_lanes",
                   .threads = static_cast<std::int64_t>(lanes.lanes),
                   .threads_busy = static_cast<std::int64_t>(lanes.lanes_busy),
                   .queue_depth = static_cast<std::int64_t>(lanes.queued),
                   .queue_max = static_cast<std::int64_t>(lanes.queue_max),
                   .completed = static_cast<std::int64_t>(lanes.committed + lanes.rolled_back)});
  });
}

std::vector<OptionInfo> sqlite_options() {
  return {kReaders};
}

std::unique_ptr<sql::Database> sqlite_database(const AdapterContext& context) {
  sql::SqliteConfig sqlite;
  sqlite.file = context.data / (context.name + ".db");
  sqlite.readers = context.is_beside_server ? 1 : static_cast<int>(context.config.get(kReaders));
  sqlite.on_fatal = context.on_fatal;
  return or_throw(
      sql::make_sqlite(std::move(sqlite), context.clock, context.logger.with("sql." + context.name)),
      context.name + ".db cannot be opened");
}

std::unique_ptr<log::Log> sqlite_log(const AdapterContext& context) {
  std::unique_ptr<sql::Database> database = sqlite_database(context);
  show_lanes(*database, context);
  return or_throw(log::make_sqlite_log(std::move(database), {}, context.clock, context.logger.with("log")),
                  "log.db cannot be opened");
}

std::unique_ptr<ranking::Ranking> memory_ranking(const AdapterContext&) {
  return ranking::make_memory_ranking();
}

std::unique_ptr<claims::Claims> sql_claims(const AdapterContext& context) {
  if (context.own == nullptr) throw std::logic_error("claims in SQL need the service's own tables");
  return claims::make_sql_claims(*context.own, context.clock);
}

std::unique_ptr<limits::Limits> memory_limits(const AdapterContext& context) {
  limits::MemoryLimitsConfig config;
  context.random.fill(std::as_writable_bytes(std::span{config.hash_secret}));
  return limits::make_memory_limits(context.clock, config);
}

std::unique_ptr<blobs::Blobs> directory_blobs(const AdapterContext& context) {
  return blobs::make_directory_blobs(context.data / "blobs");
}

// Which adapters there are. The first of a port is the one that is taken where the configuration does not
// say.
constexpr Adapter<sql::Database> kSql[] = {{"sqlite", sqlite_options, sqlite_database},
                                           {"postgres", postgres_options, postgres_database}};
constexpr Adapter<log::Log> kLog[] = {{"sqlite", sqlite_options, sqlite_log},
                                      {"kafka", kafka_options, kafka_log}};
constexpr Adapter<ranking::Ranking> kRanking[] = {{"memory", no_options, memory_ranking},
                                                  {"redis", redis_options, redis_ranking}};
constexpr Adapter<claims::Claims> kClaims[] = {{"sql", no_options, sql_claims},
                                               {"redis", redis_options, redis_claims}};
constexpr Adapter<limits::Limits> kLimits[] = {{"memory", no_options, memory_limits},
                                               {"redis", redis_options, redis_limits}};
constexpr Adapter<blobs::Blobs> kBlobs[] = {{"directory", no_options, directory_blobs},
                                            {"postgres", postgres_options, postgres_blobs}};

/// A port's table and the option that chooses from it.
template <class Port>
class Choice {
 public:
  Choice(std::string_view key, std::string_view help, std::span<const Adapter<Port>> rows) : rows_(rows) {
    for (const Adapter<Port>& row : rows) names_ += (names_.empty() ? "" : "|") + std::string(row.name);
    option_ = {.key = key, .help = help, .fallback = rows.front().name, .one_of = names_};
  }
  Choice(const Choice&) = delete;
  Choice& operator=(const Choice&) = delete;

  void list(std::vector<OptionInfo>& options) const {
    options.emplace_back(option_);
    for (const Adapter<Port>& row : rows_) {
      for (OptionInfo& option : row.options()) options.push_back(std::move(option));
    }
  }

  std::string chosen(const Config& config) const { return config.get(option_); }

  std::unique_ptr<Port> make(const AdapterContext& context) const {
    const std::string name = chosen(context.config);
    for (const Adapter<Port>& row : rows_) {
      if (row.name == name) return row.make(context);
    }
    throw std::logic_error("there is no adapter " + name);
  }

 private:
  std::span<const Adapter<Port>> rows_;
  std::string names_;
  Option<std::string> option_{};
};

struct Choices {
  Choice<sql::Database> sql{"sql.adapter", "Where services keep their tables.", kSql};
  Choice<log::Log> log{"log.adapter", "Where events go from service to service.", kLog};
  Choice<ranking::Ranking> ranking{"ranking.adapter", "Where boards are kept in order.", kRanking};
  Choice<claims::Claims> claims{"claims.adapter", "Where is noted who does what must be done once.", kClaims};
  Choice<limits::Limits> limits{"limits.adapter", "Where clients' budgets are kept.", kLimits};
  Choice<blobs::Blobs> blobs{"blobs.adapter", "Where uploaded originals are kept.", kBlobs};
};

const Choices& choices() {
  static const Choices all;
  return all;
}

}  // namespace

std::vector<OptionInfo> adapter_options() {
  std::vector<OptionInfo> all;
  const Choices& ports = choices();
  ports.sql.list(all);
  ports.log.list(all);
  ports.ranking.list(all);
  ports.claims.list(all);
  ports.limits.list(all);
  ports.blobs.list(all);
  // Two adapters of one server may share its settings.
  std::set<std::string, std::less<>> keys;
  std::erase_if(all, [&keys](const OptionInfo& option) { return !keys.insert(option.key()).second; });
  return all;
}

bool are_tables_shared(const Config& config) {
  return choices().sql.chosen(config) != "sqlite";
}

std::unique_ptr<sql::Database> make_database(const AdapterContext& context) {
  std::unique_ptr<sql::Database> database = choices().sql.make(context);
  show_lanes(*database, context);
  return database;
}
std::unique_ptr<log::Log> make_log(const AdapterContext& context) {
  return choices().log.make(context);
}
std::unique_ptr<ranking::Ranking> make_ranking(const AdapterContext& context) {
  return choices().ranking.make(context);
}
std::unique_ptr<claims::Claims> make_claims(const AdapterContext& context) {
  return choices().claims.make(context);
}
std::unique_ptr<limits::Limits> make_limits(const AdapterContext& context) {
  return choices().limits.make(context);
}
std::unique_ptr<blobs::Blobs> make_blobs(const AdapterContext& context) {
  return choices().blobs.make(context);
}

}  // namespace ekiden::app
