#include <cstdio>
#include <cstdlib>

#include "app/commands/commands.hpp"
#include "app/commands/operator_job.hpp"
#include "app/commands/toolbox.hpp"
#include "app/delivery_audit.hpp"

namespace ekiden::app {

namespace {

constexpr std::chrono::seconds kPatience{30};

/// Says the findings of one check. @returns how many there are; what could not be checked counts as one, but
/// for what only a running server can tell where none runs.
std::size_t report(std::string_view service, std::string_view check,
                   const Result<std::vector<std::string>>& findings) {
  const std::string name = std::string(service) + "/" + std::string(check);
  if (!findings && findings.error().slug() == kNobodyTakesJobs) {
    std::printf("%-52s not checked: no process runs that could\n", name.c_str());
    return 0;
  }
  if (!findings) {
    std::printf("%-52s could not be checked: %s\n", name.c_str(), findings.error().text().c_str());
    return 1;
  }
  std::printf("%-52s %s\n", name.c_str(), findings->empty() ? "holds" : "DOES NOT HOLD");
  for (const std::string& finding : *findings) std::printf("    %s\n", finding.c_str());
  return findings->size();
}

std::chrono::seconds patience_of(const CommandLine& line) {
  return std::chrono::seconds{
      std::atoi(line.option("wait").value_or(std::to_string(kPatience.count())).c_str())};
}

/// What each service can check alone, and what its events say.
std::size_t audit_service(const RunningService& service, Toolbox& tools, bool repair) {
  log::Log& log = tools.stores().log();
  std::size_t findings = 0;
  if (service.db != nullptr) {
    findings +=
        report(service.spec.name, "outbox-is-on-the-log", outbox_is_on_the_log(service, log, tools.clock()));
    findings += report(service.spec.name, "inbox-has-every-event",
                       inbox_has_every_event(service, log, tools.clock()));
  }
  for (const services::AuditCheck& check : service.spec.audits)
    findings += report(service.spec.name, check.name, check.run(repair));
  return findings;
}

std::size_t audit_between(Toolbox& tools, bool server_runs) {
  std::size_t findings = 0;
  for (const ServiceRow& row : service_table()) {
    for (const CrossAudit& check : row.audits) {
      if (server_runs || !check.needs_server) findings += report(row.name, check.name, check.run(tools));
    }
  }
  return findings;
}

}  // namespace

int audit(const CommandLine& line) {
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  Toolbox tools(line, *config);
  const http::TokenSigner signer(tools.stores().secrets().token_seed);
  const http::CursorSealer cursors(tools.stores().secrets().cursor_key);
  runtime::Metrics metrics;
  const RunningServices services =
      make_services({}, {*config, tools.stores(), tools.clock(), tools.random(), tools.ids(), signer, cursors,
                         tools.figures(), metrics, tools.logger()});
  const bool running = tools.server_runs();
  const std::chrono::seconds patience = running ? patience_of(line) : std::chrono::seconds{0};
  std::size_t findings = report("delivery", "nothing-is-on-its-way",
                                wait_until_quiet(services, tools.stores().log(), tools.clock(), patience));
  for (const auto& service : services) findings += audit_service(*service, tools, line.has_flag("repair"));
  findings += audit_between(tools, running);
  std::printf("%zu findings\n", findings);
  return findings == 0 ? 0 : 1;
}

}  // namespace ekiden::app
