#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/id.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "ports/blobs/blobs.hpp"
#include "ports/claims/claims.hpp"
#include "ports/limits/limits.hpp"
#include "ports/limits/redis/redis_limits.hpp"
#include "ports/log/log.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/redis_client/client.hpp"
#include "ports/sql/sql.hpp"
#include "runtime/figures.hpp"
#include "services/service_spec.hpp"

namespace ekiden::app {

/// What several adapters of one process stand on, each made when it is first asked for. Outlives the
/// adapters.
struct Shared {
  std::unique_ptr<redis::Client> redis{};
  std::unique_ptr<limits::Limits> own_limits{};       ///< decide while the shared ones cannot
  const limits::RedisLimits* redis_limits = nullptr;  ///< where they are the ones in use
  std::unique_ptr<sql::Database> blob_database{};     ///< where originals are rows
  std::vector<services::Sweep> blob_sweeps{};         ///< over that
  std::unique_ptr<Ids> ids{};
};

/// What an adapter may be made with. All of it outlives what is made, but for `name`.
struct AdapterContext {
  const Config& config;
  std::filesystem::path data;     ///< where embedded stores live
  std::string name{};             ///< which one: a service's name, or the port's
  sql::Database* own = nullptr;   ///< the service's own database, for adapters that keep a table there
  bool is_beside_server = false;  ///< a command: few connections
  Shared& shared;
  std::function<void()> on_fatal{};  ///< the store cannot be trusted any more: the process should end
  const Clock& clock;
  Random& random;
  runtime::FiguresRegistry& figures;  ///< of what has threads of its own
  Logger logger;
};

/// One adapter of a port: what `<port>.adapter` calls it, its own settings, and how it is made. `make` throws
/// std::runtime_error where its store cannot be reached or opened.
template <class Port>
struct Adapter {
  std::string_view name;
  std::vector<OptionInfo> (*options)();
  std::unique_ptr<Port> (*make)(const AdapterContext& context);
};

/// The choice of each port (`sql.adapter`, …) and the settings of every adapter.
std::vector<OptionInfo> adapter_options();

/// Whether other processes may work on the same tables.
bool are_tables_shared(const Config& config);

/// These make the one that the configuration names.
std::unique_ptr<sql::Database> make_database(const AdapterContext& context);
std::unique_ptr<log::Log> make_log(const AdapterContext& context);
std::unique_ptr<ranking::Ranking> make_ranking(const AdapterContext& context);
std::unique_ptr<claims::Claims> make_claims(const AdapterContext& context);
std::unique_ptr<limits::Limits> make_limits(const AdapterContext& context);
std::unique_ptr<blobs::Blobs> make_blobs(const AdapterContext& context);

}  // namespace ekiden::app
