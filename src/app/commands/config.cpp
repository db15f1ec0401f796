#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/options.hpp"

namespace ekiden::app {

int print_config(const CommandLine& line) {
  const ConfigSchema all = schema();
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  const std::string text = line.has_flag("markdown") ? all.to_markdown() : all.to_toml(*config);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace ekiden::app
