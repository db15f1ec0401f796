#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"

namespace ekiden::app {

/// What stands behind `ekiden COMMAND`. Options that every command takes are read here; what is left is the
/// command's.
struct CommandLine {
  std::string command;
  std::filesystem::path data = "data";
  std::optional<std::filesystem::path> config_file;
  std::vector<std::string> settings;                         ///< `KEY=VALUE`, in order
  std::vector<std::string> services;                         ///< of `--service`
  std::vector<std::string> arguments;                        ///< without a dash, in order
  std::vector<std::pair<std::string, std::string>> options;  ///< `--email E`, as the command's own
  std::vector<std::string> flags;                            ///< `--list`

  bool has_flag(std::string_view name) const;
  std::optional<std::string> option(std::string_view name) const;
  /// @errors invalid: it is missing.
  Result<std::string> required(std::string_view name) const;
};

/// What a command takes beside `--data`, `--config` and `--set`.
struct CommandShape {
  std::vector<std::string_view> options;  ///< with a value
  std::vector<std::string_view> flags;    ///< without
  std::size_t arguments_max = 0;
};

/// @errors invalid: an option that the command does not have, or one without its value; the text names it.
Result<CommandLine> parse_command_line(const std::vector<std::string>& words, const CommandShape& shape);

/// Reads the file and the settings. @errors invalid: every fault at once.
Result<Config> load_config(const CommandLine& line);

}  // namespace ekiden::app
