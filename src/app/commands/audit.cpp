#include "services/gamification/audit.hpp"

#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/operator_job.hpp"
#include "app/delivery_audit.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/service.hpp"
#include "services/workout/audit.hpp"

namespace ekiden::app {

namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::minutes kJobPatience{10};

/// Says the findings of one check. @returns how many there are; what could not be checked counts as one.
std::size_t report(std::string_view service, std::string_view check,
                   const Result<std::vector<std::string>>& findings) {
  const std::string name = std::string(service) + "/" + std::string(check);
  if (!findings) {
    std::printf("%-52s could not be checked: %s\n", name.c_str(), findings.error().text().c_str());
    return 1;
  }
  std::printf("%-52s %s\n", name.c_str(), findings->empty() ? "holds" : "DOES NOT HOLD");
  for (const std::string& finding : *findings) std::printf("    %s\n", finding.c_str());
  return findings->size();
}

/// Boards against the workouts themselves: what nothing in between can have lost or doubled.
Result<std::vector<std::string>> ledger_equals_workouts(Toolbox& tools) {
  WorkoutId last;
  std::vector<events::WorkoutState> page;
  std::size_t at = 0;
  return gamification::ledger_equals_workouts(
      tools.gamification_db(), [&]() -> Result<std::optional<gamification::CountedWorkout>> {
        if (at == page.size()) {
          EKIDEN_TRY(page, workout::live_workouts(tools.workout_db(), last, 1000));
          at = 0;
          if (page.empty()) return std::optional<gamification::CountedWorkout>{};
          last = page.back().workout_id;
        }
        EKIDEN_TRY(gamification::CountedWorkout next, gamification::counted(page[at++]));
        return std::optional{std::move(next)};
      });
}

Result<std::vector<std::string>> ranking_of_the_server(Toolbox& tools) {
  const Result<void> done =
      run_operator_job(tools, tools.gamification_db(), gamification::kAuditRankingJob, kJobPatience);
  if (!done && done.error().slug() != "job-failed") return done.error();
  if (!done) return std::vector<std::string>{done.error().text()};
  return std::vector<std::string>{};
}

}  // namespace

int audit(const CommandLine& line) {
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  Toolbox tools(line);
  const http::TokenSigner signer(tools.stores().token_seed());
  const http::CursorSealer cursors(tools.stores().cursor_key());
  runtime::FiguresRegistry figures;
  runtime::Metrics metrics;
  const ServiceContext context{*config, tools.stores(), tools.clock(), tools.random(), tools.ids(),
                               signer,  cursors,        figures,       metrics,        tools.logger()};
  std::vector<std::unique_ptr<RunningService>> services;
  services.push_back(make_user(context));
  services.push_back(make_workout(context));
  services.push_back(make_gamification(context));

  log::Log& log = tools.stores().log();
  const bool repair = line.has_flag("repair");
  const bool running = tools.server_runs();
  const auto wait = std::chrono::seconds{
      std::atoi(line.option("wait").value_or(std::to_string(kPatience.count())).c_str())};
  std::size_t findings =
      report("delivery", "nothing-is-on-its-way",
             wait_until_quiet(services, log, tools.clock(), running ? wait : std::chrono::seconds{0}));
  for (const auto& service : services) {
    findings += report(service->spec.name, "outbox-is-on-the-log",
                       outbox_is_on_the_log(*service, log, tools.clock()));
    findings += report(service->spec.name, "inbox-has-every-event",
                       inbox_has_every_event(*service, log, tools.clock()));
    for (const services::AuditCheck& check : service->spec.audits)
      findings += report(service->spec.name, check.name, check.run(repair));
  }
  findings += report("gamification", "ledger-equals-workouts", ledger_equals_workouts(tools));
  if (running) findings += report("gamification", "ranking-equals-scores", ranking_of_the_server(tools));
  std::printf("%zu findings\n", findings);
  return findings == 0 ? 0 : 1;
}

}  // namespace ekiden::app
