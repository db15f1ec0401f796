#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/adapters.hpp"
#include "app/data_directory.hpp"
#include "app/housekeeper.hpp"
#include "runtime/figures.hpp"
#include "runtime/worker_thread.hpp"

namespace ekiden::app {

struct StoresConfig {
  std::filesystem::path data;
  bool is_beside_server = false;     ///< a command: few connections
  std::function<void()> on_fatal{};  ///< a store cannot be trusted any more: the process should end
};

/// The stores of one process, each opened when it is first asked for, by the adapter that the configuration
/// names (adapters.hpp); schemas are brought up to date then. @threads one, at start; the ports any
class Stores {
 public:
  /// @param figures outlives the stores, and is asked no more once they are gone.
  Stores(const Config& config, StoresConfig settings, const Clock& clock, Random& random,
         runtime::FiguresRegistry& figures, const Logger& logger);
  ~Stores();

  // Each throws std::runtime_error where the store cannot be opened, reached or migrated.
  sql::Database& database(std::string_view service, const std::vector<sql::Migration>& migrations);
  log::Log& log();
  ranking::Ranking& ranking();
  /// @param own the service's database, where an adapter keeps claims as rows beside its tables.
  claims::Claims& claims(std::string_view service, sql::Database& own);
  limits::Limits& limits();
  blobs::Blobs& blobs();

  /// Nothing where the configuration names no adapter on Redis. @threads any, once the stores are made
  std::optional<redis::ClientFigures> redis_figures() const;
  std::optional<limits::RedisLimitsFigures> shared_limits_figures() const;

  /// What stores keep for a while and nobody takes away: removed every hour from now on.
  void start_housekeeping();
  void stop_housekeeping();

  const Secrets& secrets() const { return secrets_; }
  std::filesystem::path spool_folder() const { return settings_.data / "spool"; }
  /// Removes what a killed server has left of forms that it was receiving. Only for who holds the
  /// DirectoryLock.
  void clear_spool() const;

 private:
  AdapterContext context(std::string_view name, sql::Database* own = nullptr);

  const Config& config_;
  const StoresConfig settings_;
  const Clock& clock_;
  Random& random_;
  runtime::FiguresRegistry& figures_;
  const Logger logger_;
  Secrets secrets_;
  Shared shared_;
  std::map<std::string, std::unique_ptr<sql::Database>, std::less<>> databases_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<blobs::Blobs> blobs_;
  std::unique_ptr<ranking::Ranking> ranking_;
  std::map<std::string, std::unique_ptr<claims::Claims>, std::less<>> claims_;
  std::unique_ptr<limits::Limits> limits_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<runtime::WorkerThread> housekeeping_;
};

}  // namespace ekiden::app
