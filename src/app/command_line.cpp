#include "app/command_line.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/options.hpp"

namespace ekiden::app {

namespace {

Error usage(std::string text) {
  return {Errc::invalid, "usage", std::move(text)};
}

/// `ADDRESS:PORT`, `[::1]:PORT` or `:PORT` as settings.
Result<std::vector<std::string>> listen_settings(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos) return usage("--listen takes ADDRESS:PORT");
  std::string address = value.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  std::vector<std::string> settings = {"server.port=" + value.substr(colon + 1)};
  if (!address.empty()) settings.push_back("server.address=" + address);
  return settings;
}

Result<void> take_option(CommandLine& line, const std::string& name, std::string value,
                         const CommandShape& shape) {
  if (name == "data") {
    line.data = value;
  } else if (name == "config") {
    line.config_file = value;
  } else if (name == "set") {
    line.settings.push_back(std::move(value));
  } else if (name == "service") {
    line.services.push_back(std::move(value));
  } else if (name == "listen") {
    EKIDEN_TRY(auto settings, listen_settings(value));
    line.settings.insert(line.settings.end(), settings.begin(), settings.end());
  } else if (std::ranges::find(shape.options, name) != shape.options.end()) {
    line.options.emplace_back(name, std::move(value));
  } else {
    return usage("there is no option --" + name + " here (ekiden help)");
  }
  return {};
}

}  // namespace

bool CommandLine::has_flag(std::string_view name) const {
  return std::ranges::find(flags, name) != flags.end();
}

std::optional<std::string> CommandLine::option(std::string_view name) const {
  const auto found = std::ranges::find(options, name, &std::pair<std::string, std::string>::first);
  if (found == options.end()) return std::nullopt;
  return found->second;
}

Result<std::string> CommandLine::required(std::string_view name) const {
  auto value = option(name);
  if (!value) return usage("--" + std::string(name) + " is missing");
  return *std::move(value);
}

Result<CommandLine> parse_command_line(const std::vector<std::string>& words, const CommandShape& shape) {
  CommandLine line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      if (line.arguments.size() >= shape.arguments_max)
        return usage("what is '" + words[i] + "' for? (ekiden help)");
      line.arguments.push_back(words[i]);
      continue;
    }
    std::string name = words[i].substr(2);
    if (std::ranges::find(shape.flags, name) != shape.flags.end()) {
      line.flags.push_back(name);
      continue;
    }
    const std::size_t equals = name.find('=');
    std::string value;
    if (equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return usage("--" + name + " needs a value (ekiden help)");
    }
    EKIDEN_CHECK(take_option(line, name, std::move(value), shape));
  }
  return line;
}

Result<Config> load_config(const CommandLine& line) {
  std::string text;
  if (line.config_file) {
    std::ifstream file(*line.config_file);
    if (!file) return usage("the configuration file " + line.config_file->string() + " cannot be read");
    std::ostringstream content;
    content << file.rdbuf();
    text = std::move(content).str();
  }
  return schema().load(text, line.settings);
}

}  // namespace ekiden::app
