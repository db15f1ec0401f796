#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/stores.hpp"
#include "base/config.hpp"
#include "base/id.hpp"
#include "http/cursor.hpp"
#include "runtime/executor.hpp"
#include "runtime/metrics.hpp"
#include "services/service_spec.hpp"

namespace ekiden::app {

struct ServiceRow;

/// What the process lends to all of its services. It outlives them.
struct ProcessParts {
  const Config& config;
  Stores& stores;
  const Clock& clock;
  Random& random;
  Ids& ids;
  const http::TokenSigner& signer;
  const http::CursorSealer& cursors;
  runtime::FiguresRegistry& figures;
  runtime::Metrics& metrics;
  const Logger& logger;
  SpanSink* spans = nullptr;  ///< null where nobody looks at traces
};

/// What one service is made with: its own tables, loops and relay, and of the stores those that its row
/// names.
struct ServiceContext {
  const ServiceRow& row;
  const ProcessParts& process;
  sql::Database* tables = nullptr;         ///< brought up to date; null where the row has no migrations
  runtime::LoopExecutor* loops = nullptr;  ///< the service's own; null for a thread pool
  std::function<void()> wake_relay{};      ///< tells of new rows in its outbox
  Logger logger;

  // Each throws std::logic_error where the row does not name the port: `--list` would not be true.
  sql::Database& database() const;
  ranking::Ranking& ranking() const;
  claims::Claims& claims() const;
  blobs::Blobs& blobs() const;
};

enum class Port : std::uint8_t { sql, log, ranking, claims, limits, blobs };
std::string_view name_of(Port port);

/// How an audit reaches the tables of any service, and the server, where one runs.
class AuditPlace {
 public:
  virtual ~AuditPlace() = default;
  virtual sql::Database& database(std::string_view service) = 0;
  virtual bool server_runs() const = 0;
  /// Orders a job of the running server and waits for its end. @errors the job's own; timeout.
  virtual Result<void> run_job(std::string_view service, std::string_view kind) = 0;
};

/// An equation between the tables of two services, or one that only the running server can check. What a
/// service can check alone is in its ServiceSpec.
struct CrossAudit {
  std::string_view name;
  bool needs_server = false;
  Result<std::vector<std::string>> (*run)(AuditPlace& place);
};

/// Something that the running server makes anew from its source when `ekiden rebuild NAME` orders it.
struct Rebuild {
  std::string_view name;
  std::string_view job;
  std::string_view done;  ///< what is said then
};

/// A row of the table of services: everything that the program knows of one. `serve`, `--list`, `migrate`,
/// `audit`, `rebuild`, `config` and the system page follow from it.
struct ServiceRow {
  std::string_view name;
  std::vector<Port> ports;  ///< stores that it needs
  runtime::Model (*model)(const Config& config);
  std::vector<OptionInfo> (*options)();
  std::vector<sql::Migration> (*migrations)() = nullptr;  ///< null: it has no tables
  /// Its routes without handlers, for a gateway that does not run it; null only for the gateway.
  std::vector<http::Route> (*routes)(const Config& config) = nullptr;
  /// Null only for the gateway, which is made of all the others' routes (door.hpp).
  services::ServiceSpec (*make)(const ServiceContext& context) = nullptr;
  std::vector<CrossAudit> audits{};
  std::vector<Rebuild> rebuilds{};
};

/// All services, in the order in which they are made; they are destroyed in the reverse one.
const std::vector<ServiceRow>& service_table();
/// The names of those that a gateway may call in other processes.
std::vector<std::string_view> callable_services();
/// @errors invalid `unknown-service`: there is no such row.
Result<const ServiceRow*> find_service(std::string_view name);

/// `thread pool`, `event loop`, …: as `--list` and the start page say it.
std::string describe(const runtime::Model& model);

}  // namespace ekiden::app
