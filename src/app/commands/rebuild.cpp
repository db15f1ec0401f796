#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/operator_job.hpp"
#include "services/gamification/service.hpp"

namespace ekiden::app {

int rebuild(const CommandLine& line) {
  if (line.arguments.empty() || line.arguments.front() != "ranking") {
    const std::string unknown =
        line.arguments.empty() ? "" : "; there is no '" + line.arguments.front() + "'";
    return fail({Errc::invalid, "usage", "say what to make anew: ekiden rebuild ranking" + unknown});
  }
  Toolbox tools(line);
  if (!tools.server_runs()) {
    std::printf("No server runs on %s; the ranking is made anew whenever one starts.\n", line.data.c_str());
    return 0;
  }
  const Result<void> done = run_operator_job(tools, tools.gamification_db(), gamification::kRebuildRankingJob,
                                             std::chrono::minutes{10});
  if (!done) return fail(done.error());
  std::printf("The ranking has been made anew from the ledger's scores.\n");
  return 0;
}

}  // namespace ekiden::app
