#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/toolbox.hpp"

namespace ekiden::app {

namespace {

int order(const CommandLine& line, const ServiceRow& service, const Rebuild& what) {
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  Toolbox tools(line, *config);
  if (!tools.server_runs()) {
    std::printf("No server runs on %s; the %s is made anew whenever one starts.\n", line.data.c_str(),
                std::string(what.name).c_str());
    return 0;
  }
  const Result<void> done = tools.run_job(service.name, what.job);
  if (!done) return fail(done.error());
  std::printf("%s\n", std::string(what.done).c_str());
  return 0;
}

}  // namespace

int rebuild(const CommandLine& line) {
  const std::string wanted = line.arguments.empty() ? "" : line.arguments.front();
  std::string names;
  for (const ServiceRow& service : service_table()) {
    for (const Rebuild& what : service.rebuilds) {
      if (what.name == wanted) return order(line, service, what);
      names += (names.empty() ? "" : "|") + std::string(what.name);
    }
  }
  const std::string unknown = wanted.empty() ? "" : "; there is no '" + wanted + "'";
  return fail({Errc::invalid, "usage", "say what to make anew: ekiden rebuild " + names + unknown});
}

}  // namespace ekiden::app
