#include "app/service_set.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/adapters.hpp"
#include "app/cross_audits.hpp"
#include "app/options.hpp"
#include "services/gamification/service.hpp"
#include "services/gateway/options.hpp"
#include "services/inventory/service.hpp"
#include "services/user/service.hpp"
#include "services/workout/service.hpp"

namespace ekiden::app {

namespace {

services::ServiceSpec make_user(const ServiceContext& context) {
  const ProcessParts& process = context.process;
  return user::user_service({.db = context.database(),
                             .signer = process.signer,
                             .cursors = process.cursors,
                             .figures = process.figures,
                             .wake_relay = context.wake_relay,
                             .clock = process.clock,
                             .ids = process.ids,
                             .random = process.random,
                             .logger = context.logger},
                            user::read_config(process.config));
}

services::ServiceSpec make_workout(const ServiceContext& context) {
  const ProcessParts& process = context.process;
  return workout::workout_service({.db = context.database(),
                                   .blobs = context.blobs(),
                                   .loops = *context.loops,
                                   .cursors = process.cursors,
                                   .figures = process.figures,
                                   .metrics = process.metrics,
                                   .wake_relay = context.wake_relay,
                                   .clock = process.clock,
                                   .ids = process.ids,
                                   .random = process.random,
                                   .logger = context.logger,
                                   .process = member_name(process.config)},
                                  workout::read_config(process.config));
}

services::ServiceSpec make_gamification(const ServiceContext& context) {
  const ProcessParts& process = context.process;
  return gamification::gamification_service({.db = context.database(),
                                             .ranking = context.ranking(),
                                             .cursors = process.cursors,
                                             .clock = process.clock,
                                             .ids = process.ids,
                                             .random = process.random,
                                             .figures = process.figures,
                                             .logger = context.logger,
                                             .process = member_name(process.config)},
                                            gamification::read_config(process.config));
}

services::ServiceSpec make_inventory(const ServiceContext& context) {
  const ProcessParts& process = context.process;
  return inventory::inventory_service({.db = context.database(),
                                       .blobs = context.blobs(),
                                       .loops = *context.loops,
                                       .cursors = process.cursors,
                                       .figures = process.figures,
                                       .metrics = process.metrics,
                                       .wake_relay = context.wake_relay,
                                       .clock = process.clock,
                                       .ids = process.ids,
                                       .random = process.random,
                                       .logger = context.logger,
                                       .process = member_name(process.config)},
                                      inventory::read_config(process.config));
}

/// A service's model, from its settings.
template <auto model, auto read>
runtime::Model model_of(const Config& config) {
  return model(read(config));
}

/// A service's routes, likewise.
template <auto routes, auto read>
std::vector<http::Route> routes_of(const Config& config) {
  return routes(read(config));
}

void check(const ServiceRow& row, Port port) {
  if (std::ranges::find(row.ports, port) != row.ports.end()) return;
  throw std::logic_error(std::string(row.name) + " uses the port " + std::string(name_of(port)) +
                         ", which its row does not name");
}

}  // namespace

const std::vector<ServiceRow>& service_table() {
  static const std::vector<ServiceRow> table = {
      {.name = "gateway",
       .ports = {Port::limits, Port::log},
       .model = model_of<gateway::model, gateway::read_config>,
       .options = gateway::options},
      {.name = "user",
       .ports = {Port::sql, Port::log},
       .model = model_of<user::model, user::read_config>,
       .options = user::options,
       .migrations = user::migrations,
       .routes = routes_of<user::routes, user::read_config>,
       .make = make_user},
      {.name = "workout",
       .ports = {Port::sql, Port::log, Port::blobs},
       .model = model_of<workout::model, workout::read_config>,
       .options = workout::options,
       .migrations = workout::migrations,
       .routes = routes_of<workout::routes, workout::read_config>,
       .make = make_workout},
      {.name = "gamification",
       .ports = {Port::sql, Port::log, Port::ranking},
       .model = model_of<gamification::model, gamification::read_config>,
       .options = gamification::options,
       .migrations = gamification::migrations,
       .routes = routes_of<gamification::routes, gamification::read_config>,
       .make = make_gamification,
       .audits = {{.name = "ledger-equals-workouts", .run = ledger_equals_workouts},
                  {.name = "ranking-equals-scores", .needs_server = true, .run = ranking_equals_scores}},
       .rebuilds = {{.name = "ranking",
                     .job = gamification::kRebuildRankingJob,
                     .done = "The ranking has been made anew from the ledger's scores."}}},
      {.name = "inventory",
       .ports = {Port::sql, Port::log, Port::blobs},
       .model = model_of<inventory::model, inventory::read_config>,
       .options = inventory::options,
       .migrations = inventory::migrations,
       .routes = routes_of<inventory::routes, inventory::read_config>,
       .make = make_inventory,
       .audits = {{.name = "ledger-equals-workouts", .run = gear_ledger_equals_workouts}}},
  };
  return table;
}

std::vector<std::string_view> callable_services() {
  std::vector<std::string_view> names;
  for (const ServiceRow& row : service_table()) {
    if (row.routes != nullptr) names.push_back(row.name);
  }
  return names;
}

Result<const ServiceRow*> find_service(std::string_view name) {
  const auto found = std::ranges::find(service_table(), name, &ServiceRow::name);
  if (found != service_table().end()) return &*found;
  return Error{Errc::invalid, "unknown-service",
               "there is no service '" + std::string(name) + "' (ekiden serve --list)", "service"};
}

sql::Database& ServiceContext::database() const {
  check(row, Port::sql);
  if (tables == nullptr) throw std::logic_error(std::string(row.name) + " has no migrations");
  return *tables;
}

ranking::Ranking& ServiceContext::ranking() const {
  check(row, Port::ranking);
  return process.stores.ranking();
}

claims::Claims& ServiceContext::claims() const {
  check(row, Port::claims);
  return process.stores.claims(row.name, database());
}

blobs::Blobs& ServiceContext::blobs() const {
  check(row, Port::blobs);
  return process.stores.blobs();
}

std::string_view name_of(Port port) {
  switch (port) {
    case Port::sql:
      return "sql";
    case Port::log:
      return "log";
    case Port::ranking:
      return "ranking";
    case Port::claims:
      return "claims";
    case Port::limits:
      return "limits";
    case Port::blobs:
      return "blobs";
  }
  return "";
}

std::string describe(const runtime::Model& model) {
  std::string words(runtime::name_of(model));
  std::ranges::replace(words, '_', ' ');
  return words;
}

}  // namespace ekiden::app
