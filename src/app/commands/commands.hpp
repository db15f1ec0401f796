#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.hpp"

namespace ekiden::app {

/// A command: a row of the table in main.cpp. Returns the process's exit code: 0 well, 1 it found or met
/// something, 2 it was called wrongly.
struct Command {
  std::string_view name;
  std::string_view usage;
  CommandShape shape;
  int (*run)(const CommandLine& line);
};

int serve(const CommandLine& line);
int print_config(const CommandLine& line);
int migrate(const CommandLine& line);
int admin(const CommandLine& line);
int audit(const CommandLine& line);
int dead_letters(const CommandLine& line);
int rebuild(const CommandLine& line);

/// Says `error` on standard error. @returns the exit code that fits it.
int fail(const Error& error);

}  // namespace ekiden::app
