#include "base/clock.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ekiden {

namespace {

/// Reads exactly `digits` decimal digits at `at` and moves on. -1 where there is something else.
int read_digits(std::string_view text, std::size_t& at, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool read_char(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

std::optional<std::chrono::microseconds> read_fraction(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '.') return std::chrono::microseconds{0};
  ++at;
  std::int64_t micros = 0;
  int digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
    if (digits < 6) micros = micros * 10 + (text[at] - '0');
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (; digits < 6; ++digits) micros *= 10;
  return std::chrono::microseconds{micros};
}

std::optional<std::chrono::minutes> read_offset(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return std::nullopt;
  const char sign = text[at++];
  if (sign == 'Z' || sign == 'z') return std::chrono::minutes{0};
  if (sign != '+' && sign != '-') return std::nullopt;
  const int hours = read_digits(text, at, 2);
  if (hours < 0 || hours > 23 || !read_char(text, at, ':')) return std::nullopt;
  const int minutes = read_digits(text, at, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{hours * 60 + minutes};
  return sign == '-' ? -offset : offset;
}

}  // namespace

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Instant SystemClock::monotonic() const {
  return std::chrono::steady_clock::now();
}

Duration Deadline::left(const Clock& clock) const {
  if (is_never()) return Duration::max();
  return std::max(at_ - clock.monotonic(), Duration::zero());
}

std::string to_rfc3339(Timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 48> out{};
  const auto micros = time.subseconds().count();
  int size =
      std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()));
  std::string text(out.data(), static_cast<std::size_t>(size));
  if (micros != 0) {
    const bool whole_millis = micros % 1000 == 0;
    size = std::snprintf(out.data(), out.size(), whole_millis ? ".%03d" : ".%06d",
                         static_cast<int>(whole_millis ? micros / 1000 : micros));
    text.append(out.data(), static_cast<std::size_t>(size));
  }
  return text + "Z";
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  const int year = read_digits(text, at, 4);
  if (year < 1 || !read_char(text, at, '-')) return std::nullopt;
  const int month = read_digits(text, at, 2);
  if (month < 1 || !read_char(text, at, '-')) return std::nullopt;
  const int day = read_digits(text, at, 2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(std::max(day, 0))}};
  if (!date.ok() || at >= text.size() || (text[at] != 'T' && text[at] != 't' && text[at] != ' '))
    return std::nullopt;
  ++at;
  const int hour = read_digits(text, at, 2);
  if (hour < 0 || hour > 23 || !read_char(text, at, ':')) return std::nullopt;
  const int minute = read_digits(text, at, 2);
  if (minute < 0 || minute > 59 || !read_char(text, at, ':')) return std::nullopt;
  const int second = read_digits(text, at, 2);
  if (second < 0 || second > 60) return std::nullopt;
  const auto fraction = read_fraction(text, at);
  if (!fraction) return std::nullopt;
  const auto offset = read_offset(text, at);
  if (!offset || at != text.size()) return std::nullopt;
  return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + *fraction - *offset;
}

}  // namespace ekiden
