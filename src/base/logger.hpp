#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"

namespace ekiden {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel level);

/// One `key: value` of a log line.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
};

/// Takes finished lines (no newline inside, none at the end).
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Must not block for long and must not throw. @threads any
  virtual void write(LogLevel level, std::string line) = 0;
};

/// Structured logs: one event a line, as a JSON object: `{"at":…,"level":…,"service":…,"event":…,…}`.
/// Values are escaped, so no input can start a line of its own. Secrets, tokens and positions never go in.
/// A Logger is a small value: copy it, and give it the service's name by `with`. @threads any
class Logger {
 public:
  Logger(LogSink& sink, const Clock& clock, LogLevel least = LogLevel::info)
      : sink_(&sink), clock_(&clock), least_(least) {}
  Logger with(std::string service) const;

  /// @param event snake_case, stable: what happened (`relay_stopped`); operators search for it.
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void warning(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const;

 private:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;

  LogSink* sink_;
  const Clock* clock_;
  LogLevel least_;
  std::string service_ = "ekiden";
};

/// Writes each line to a file descriptor with one write(2). @threads any; blocks as the descriptor does.
class FdLogSink final : public LogSink {
 public:
  explicit FdLogSink(int fd) : fd_(fd) {}
  void write(LogLevel level, std::string line) override;

 private:
  int fd_;
};

/// Appends `text` to `out` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace ekiden
