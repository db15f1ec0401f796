#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace ekiden {

using Milliseconds = std::chrono::milliseconds;
using ConfigValue =
    std::variant<bool, std::int64_t, double, std::string, Milliseconds, std::vector<std::string>>;

/// One setting: a constant beside the code that uses it. T is bool, an integer, double,
/// std::chrono::milliseconds, std::string or std::vector<std::string>.
template <class T>
struct Option {
  std::string_view key;   ///< `consumer.prefetch`: a table and a name, snake_case
  std::string_view help;  ///< one sentence, with the unit
  T fallback;
  T min;
  T max;
};
template <>
struct Option<bool> {
  std::string_view key;
  std::string_view help;
  bool fallback;
};
template <>
struct Option<std::string> {
  std::string_view key;
  std::string_view help;
  std::string_view fallback = "";
  std::string_view one_of = "";  ///< `sqlite|postgres`; empty: any text
  bool secret = false;           ///< never printed
};
template <>
struct Option<std::vector<std::string>> {
  std::string_view key;
  std::string_view help;
  std::string_view fallback = "";  ///< elements separated by commas
};

/// An Option without its type. Modules hand out lists of these: `std::vector<OptionInfo> options();`.
class OptionInfo {
 public:
  template <class T>
  OptionInfo(const Option<T>& option)  // NOLINT(google-explicit-constructor)
      : key_(option.key), help_(option.help), fallback_(widen(option.fallback)) {
    if constexpr (requires { option.min; }) {
      min_ = widen(option.min);
      max_ = widen(option.max);
    }
    if constexpr (requires { option.one_of; }) {
      one_of_ = option.one_of;
      secret_ = option.secret;
    }
    if constexpr (std::same_as<T, std::vector<std::string>>) fallback_ = split(option.fallback);
  }

  const std::string& key() const { return key_; }
  const std::string& help() const { return help_; }
  const ConfigValue& fallback() const { return fallback_; }
  bool is_secret() const { return secret_; }
  bool has_bounds() const { return min_ != max_; }
  const ConfigValue& min() const { return min_; }
  const ConfigValue& max() const { return max_; }
  const std::string& one_of() const { return one_of_; }
  /// `whole number, 1 to 65536`: what may stand there, for a person.
  std::string form() const;
  /// What is wrong with `value`, as a sentence, or an empty string.
  std::string fault_of(const ConfigValue& value) const;

 private:
  static ConfigValue widen(bool flag) { return flag; }
  static ConfigValue widen(std::integral auto number) { return static_cast<std::int64_t>(number); }
  static ConfigValue widen(double number) { return number; }
  static ConfigValue widen(Milliseconds duration) { return duration; }
  static ConfigValue widen(std::string_view text) { return std::string(text); }
  static std::vector<std::string> split(std::string_view text);

  std::string key_;
  std::string help_;
  ConfigValue fallback_;
  ConfigValue min_;
  ConfigValue max_;
  std::string one_of_;
  bool secret_ = false;
};

/// The settings in force: every option of the schema has a value within its bounds. A value; copy it freely.
class Config {
 public:
  /// Throws std::logic_error where the option is in no list of the schema: a bug, found at start.
  template <class T>
  T get(const Option<T>& option) const {
    const ConfigValue& value = at(option.key);
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
      return static_cast<T>(std::get<std::int64_t>(value));
    } else {
      return std::get<T>(value);
    }
  }
  const ConfigValue& at(std::string_view key) const;

 private:
  friend class ConfigSchema;
  std::map<std::string, ConfigValue, std::less<>> values_;
};

/// All options that the program has, from explicit lists.
class ConfigSchema {
 public:
  /// Throws std::logic_error where a key stands twice, is not `table.name`, or its fallback is out of its own
  /// bounds.
  void add(const std::vector<OptionInfo>& options);

  /// Settings from the fallbacks, then the file, then each `KEY=VALUE`, the later ones winning.
  /// @param file_text TOML; may be empty.   @param overrides as given to `--set`; a text needs no quotes.
  /// @errors invalid  slug `bad-config`: the text holds every fault that was found, one per line.
  Result<Config> load(std::string_view file_text, const std::vector<std::string>& overrides = {}) const;

  /// The whole configuration as TOML with its help; secrets are shown as `"***"` where they are set.
  std::string to_toml(const Config& config) const;
  /// docs/configuration.md: a table of options for each table of the file.
  std::string to_markdown() const;

 private:
  const OptionInfo* find(std::string_view key) const;
  std::string unknown_key(std::string_view key) const;

  std::map<std::string, OptionInfo, std::less<>> options_;
};

/// `250ms`, `10s`, `5m`, `2h`, `7d`: the largest unit that fits exactly.
std::string to_text(Milliseconds duration);
/// @errors nullopt where it is not a whole number and a unit, or beyond 10,000 days.
std::optional<Milliseconds> parse_duration(std::string_view text);

}  // namespace ekiden
