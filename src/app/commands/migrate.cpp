#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/toolbox.hpp"

namespace ekiden::app {

int migrate(const CommandLine& line) {
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  std::filesystem::create_directories(line.data);
  Toolbox tools(line, *config);
  for (const ServiceRow& row : service_table()) {
    if (row.migrations != nullptr) tools.database(row.name);
  }
  tools.stores().log();
  std::printf("The schema of every store in %s is up to date.\n", line.data.c_str());
  return 0;
}

}  // namespace ekiden::app
