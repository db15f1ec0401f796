#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/toolbox.hpp"

namespace ekiden::app {

int migrate(const CommandLine& line) {
  std::filesystem::create_directories(line.data);
  Toolbox tools(line);
  tools.user_db();
  tools.workout_db();
  tools.gamification_db();
  tools.stores().log();
  std::printf("The schema of every store in %s is up to date.\n", line.data.c_str());
  return 0;
}

}  // namespace ekiden::app
