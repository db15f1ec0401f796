#include "base/logger.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include <unistd.h>

#include "base/utf8.hpp"

namespace ekiden {

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      const std::size_t length = utf8_sequence_length(text.substr(at));
      if (length == 0) {
        out += "\\ufffd";
        ++at;
      } else {
        out.append(text.substr(at, length));
        at += length;
      }
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c < 0x20 || c == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escaped.data();
    } else {
      out.push_back(static_cast<char>(c));
    }
    ++at;
  }
  out.push_back('"');
}

namespace {

void append_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&field.value)) {
    std::array<char, 40> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
    out += std::isfinite(*number)
               ? std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))
               : std::string_view("null");
  } else {
    out += std::to_string(std::get<std::int64_t>(field.value));
  }
}

}  // namespace

Logger Logger::with(std::string service) const {
  Logger copy = *this;
  copy.service_ = std::move(service);
  return copy;
}

void Logger::debug(std::string_view event, std::initializer_list<LogField> fields) const {
  write(LogLevel::debug, event, fields);
}
void Logger::info(std::string_view event, std::initializer_list<LogField> fields) const {
  write(LogLevel::info, event, fields);
}
void Logger::warning(std::string_view event, std::initializer_list<LogField> fields) const {
  write(LogLevel::warning, event, fields);
}
void Logger::error(std::string_view event, std::initializer_list<LogField> fields) const {
  write(LogLevel::error, event, fields);
}

void Logger::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (level < least_) return;
  std::string line = "{\"at\":\"" + to_rfc3339(clock_->now()) + "\",\"level\":\"";
  line += to_string(level);
  line += "\",\"service\":";
  append_json_string(line, service_);
  line += ",\"event\":";
  append_json_string(line, event);
  for (const LogField& field : fields) {
    line.push_back(',');
    append_json_string(line, field.key);
    line.push_back(':');
    append_value(line, field);
  }
  line.push_back('}');
  sink_->write(level, std::move(line));
}

void FdLogSink::write(LogLevel, std::string line) {
  line.push_back('\n');
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written <= 0) return;  // Nowhere is left to report that the log cannot be written.
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace ekiden
