#include "base/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "base/toml.hpp"

namespace ekiden {

namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kDurationMax = std::int64_t{10'000} * 86'400'000;

std::string digits_of(double number) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  std::string text(digits.data(), end);
  // A float of TOML shows that it is one.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

struct Show {
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return digits_of(number); }
  std::string operator()(const std::string& text) const { return to_toml_string(text); }
  std::string operator()(Milliseconds duration) const { return to_toml_string(to_text(duration)); }
  std::string operator()(const std::vector<std::string>& list) const {
    std::string text = "[";
    for (const std::string& element : list) {
      if (text.size() > 1) text += ", ";
      text += to_toml_string(element);
    }
    return text + "]";
  }
};

std::string show(const ConfigValue& value) {
  return std::visit(Show{}, value);
}

std::string_view kind_of(const ConfigValue& value) {
  constexpr std::array<std::string_view, 6> kKinds{
      "true or false", "whole number", "number", "text", "duration (\"250ms\", \"10s\", \"5m\", \"2h\")",
      "list of texts"};
  return kKinds.at(value.index());
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    list.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return list;
}

/// The file's value as the option's type, or nullopt where it is of another. A list may be written as one
/// text.
std::optional<ConfigValue> convert(const OptionInfo& option, const TomlValue& value) {
  const ConfigValue& model = option.fallback();
  if (std::holds_alternative<double>(model)) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  }
  if (std::holds_alternative<Milliseconds>(model)) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return std::nullopt;
    return parse_duration(*text);
  }
  if (std::holds_alternative<std::vector<std::string>>(model)) {
    if (const auto* text = std::get_if<std::string>(&value)) return ConfigValue{split_list(*text)};
  }
  ConfigValue converted =
      std::visit([](const auto& alternative) -> ConfigValue { return alternative; }, value);
  if (converted.index() != model.index()) return std::nullopt;
  return converted;
}

/// The value of `--set KEY=VALUE`: read as TOML, but texts and lists need no quotes.
std::optional<ConfigValue> convert_text(const OptionInfo& option, const std::string& text) {
  const ConfigValue& model = option.fallback();
  if (std::holds_alternative<std::string>(model)) return ConfigValue{text};
  if (std::holds_alternative<Milliseconds>(model)) return convert(option, TomlValue{text});
  if (std::holds_alternative<std::vector<std::string>>(model)) return ConfigValue{split_list(text)};
  const TomlFile file = read_toml("v = " + text);
  if (!file.faults.empty() || file.entries.size() != 1) return std::nullopt;
  return convert(option, file.entries[0].value);
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::string_view table_of(std::string_view key) {
  return key.substr(0, key.rfind('.'));
}

/// Letters to change, add or remove to come from one text to the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[to.size()];
}

}  // namespace

std::string to_text(Milliseconds duration) {
  for (const auto& [unit, size] : kUnits) {
    if (duration.count() % size == 0 && (duration.count() != 0 || unit == "s")) {
      return std::to_string(duration.count() / size) + std::string(unit);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

std::optional<Milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || number < 0) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  for (const auto& [unit, size] : kUnits) {
    if (rest == unit && number <= kDurationMax / size) return Milliseconds{number * size};
  }
  return std::nullopt;
}

std::vector<std::string> OptionInfo::split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::string OptionInfo::form() const {
  if (!one_of_.empty()) {
    std::string text = "one of ";
    for (const char c : one_of_) text += c == '|' ? std::string(", ") : std::string(1, c);
    return text;
  }
  std::string text(kind_of(fallback_));
  if (has_bounds()) text += ", " + show(min_) + " to " + show(max_);
  return text;
}

std::string OptionInfo::fault_of(const ConfigValue& value) const {
  const bool within = !has_bounds() || (value >= min_ && value <= max_);
  bool known = one_of_.empty();
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !known) {
    known = ("|" + one_of_ + "|").find("|" + *text + "|") != std::string::npos && !text->empty();
  }
  if (value.index() == fallback_.index() && within && known) return {};
  const std::string given = secret_ ? "the given value" : show(value);
  return key_ + ": expected " + form() + ", not " + given;
}

const ConfigValue& Config::at(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    throw std::logic_error("the option " + std::string(key) + " is in no list of options");
  }
  return found->second;
}

void ConfigSchema::add(const std::vector<OptionInfo>& options) {
  for (const OptionInfo& option : options) {
    const std::string& key = option.key();
    const bool is_named =
        key.find('.') != std::string::npos && !option.help().empty() &&
        key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string::npos;
    if (!is_named)
      throw std::logic_error("the option `" + key + "` must be named table.name and have a help text");
    if (const std::string fault = option.fault_of(option.fallback()); !fault.empty())
      throw std::logic_error(fault);
    if (!options_.emplace(key, option).second) throw std::logic_error("the option " + key + " stands twice");
  }
}

const OptionInfo* ConfigSchema::find(std::string_view key) const {
  const auto found = options_.find(key);
  return found == options_.end() ? nullptr : &found->second;
}

std::string ConfigSchema::unknown_key(std::string_view key) const {
  const auto nearest = std::ranges::min_element(
      options_, {}, [key](const auto& option) { return distance(key, option.first); });
  std::string text = "there is no option " + std::string(key);
  if (nearest != options_.end() && distance(key, nearest->first) <= 3)
    text += "; " + nearest->first + " is meant?";
  return text;
}

Result<Config> ConfigSchema::load(std::string_view file_text,
                                  const std::vector<std::string>& overrides) const {
  Config config;
  for (const auto& [key, option] : options_) config.values_.emplace(key, option.fallback());
  TomlFile file = read_toml(file_text);
  std::vector<std::string> faults = std::move(file.faults);

  const auto set = [&](const std::string& where, const std::string& key, const auto& value, auto converter) {
    const OptionInfo* option = find(key);
    if (option == nullptr) return faults.push_back(where + unknown_key(key));
    const std::optional<ConfigValue> converted = converter(*option, value);
    if (!converted) return faults.push_back(where + key + ": expected " + option->form());
    if (const std::string fault = option->fault_of(*converted); !fault.empty()) {
      return faults.push_back(where + fault);
    }
    config.values_.find(key)->second = *converted;
  };
  for (const TomlEntry& entry : file.entries) {
    set("line " + std::to_string(entry.line) + ": ", entry.key, entry.value, convert);
  }
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      faults.push_back("--set " + text + ": `=` is missing");
    } else {
      set("--set: ", text.substr(0, equals), text.substr(equals + 1), convert_text);
    }
  }
  if (!faults.empty()) return Error{Errc::invalid, "bad-config", join_lines(faults)};
  return config;
}

std::string ConfigSchema::to_toml(const Config& config) const {
  std::string text;
  std::string_view table;
  for (const auto& [key, option] : options_) {
    if (table_of(key) != table) {
      table = table_of(key);
      text += (text.empty() ? "[" : "\n[") + std::string(table) + "]\n";
    }
    const ConfigValue& value = config.at(key);
    const bool masked = option.is_secret() && value != option.fallback();
    text += "# " + option.help() + " (" + option.form() + "; " +
            (value == option.fallback() ? "as built in" : "built in: " + show(option.fallback())) + ")\n";
    text += key.substr(table.size() + 1) + " = " + (masked ? "\"***\"" : show(value)) + "\n";
  }
  return text;
}

std::string ConfigSchema::to_markdown() const {
  std::string text =
      "# Configuration\n\nMade from the options in the code by `ekiden config --markdown`; do not edit it by "
      "hand.\n";
  std::string_view table;
  for (const auto& [key, option] : options_) {
    if (table_of(key) != table) {
      table = table_of(key);
      text += "\n## [" + std::string(table) +
              "]\n\n| key | what it does | form | built in |\n|---|---|---|---|\n";
    }
    text += "| `" + key.substr(table.size() + 1) + "` | " + option.help() + " | " + option.form() + " | `" +
            show(option.fallback()) + "` |\n";
  }
  return text;
}

}  // namespace ekiden
