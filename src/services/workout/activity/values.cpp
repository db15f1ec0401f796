#include "services/workout/activity/values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.hpp"

namespace ekiden::activity {
namespace {

constexpr std::size_t kNumberBytesMax = 64;

constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
constexpr unsigned digit_of(char c) {
  return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
}

/// Powers of ten that a double holds exactly.
constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

std::optional<double> parse_long_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Two digits at `text`; 100 or more where they are none.
unsigned two_digits(const char* text) {
  const unsigned tens = digit_of(text[0]);
  const unsigned ones = digit_of(text[1]);
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

struct Tail {
  std::int64_t ms = 0;
  std::int64_t offset_minutes = 0;
};

/// What follows the seconds: `.179+01:15`, `Z`, nothing.
std::optional<Tail> parse_tail(std::string_view text) {
  Tail tail;
  if (text == "Z") return tail;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '.' || text[at] == ',')) {
    std::int64_t unit = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && digit_of(text[at]) <= 9; ++at) {
      tail.ms += unit * digit_of(text[at]);
      unit /= 10;
    }
    if (at == first) return std::nullopt;
  }
  text.remove_prefix(at);
  if (text.empty() || text == "Z" || text == "z") return tail;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const bool colon = text.size() == 6 && text[3] == ':';
  if (!colon && text.size() != 5 && text.size() != 3) return std::nullopt;
  const unsigned hours = two_digits(text.data() + 1);
  const unsigned minutes = text.size() == 3 ? 0 : two_digits(text.data() + (colon ? 4 : 3));
  if (hours > 23 || minutes > 59) return std::nullopt;
  tail.offset_minutes = static_cast<std::int64_t>(hours * 60 + minutes) * (text[0] == '-' ? -1 : 1);
  return tail;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.empty() || is_space(text.front()) || is_space(text.back())) text = trim(text);
  if (text.empty() || text.size() > kNumberBytesMax) return std::nullopt;
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = *at == '-';
  if (negative || *at == '+') ++at;
  const char* const first = at;
  std::uint64_t digits = 0;
  while (at < end && digit_of(*at) <= 9) digits = digits * 10 + digit_of(*at++);
  std::ptrdiff_t count = at - first;
  std::ptrdiff_t fraction = 0;
  if (at < end && *at == '.') {
    const char* const point = ++at;
    while (at < end && digit_of(*at) <= 9) digits = digits * 10 + digit_of(*at++);
    fraction = at - point;
    count += fraction;
  }
  if (count == 0) return std::nullopt;
  // Both operands exact, so the quotient is rounded once: the nearest double.
  if (at == end && count <= 19 && digits <= (std::uint64_t{1} << 53)) {
    const double value = static_cast<double>(digits) / kPowersOfTen[static_cast<std::size_t>(fraction)];
    return negative && digits != 0 ? -value : value;
  }
  const auto value = parse_long_number({first, end});
  if (!value) return std::nullopt;
  return negative && *value != 0 ? -*value : *value;
}

std::optional<FileTime> TimeReader::parse(std::string_view text) {
  if (text.empty() || is_space(text.front()) || is_space(text.back())) text = trim(text);
  if (text.size() < 19 || text.size() > 64) return std::nullopt;
  const char* const at = text.data();
  if ((at[10] != 'T' && at[10] != 't' && at[10] != ' ') || at[13] != ':' || at[16] != ':')
    return std::nullopt;
  std::uint64_t year_month = 0;
  std::uint16_t day_text = 0;
  std::memcpy(&year_month, at, 8);
  std::memcpy(&day_text, at + 8, 2);
  if (!has_day_ || year_month != year_month_ || day_text != day_) {
    const unsigned century = two_digits(at);
    const unsigned year = two_digits(at + 2);
    if (century > 99 || year > 99 || at[4] != '-' || at[7] != '-') return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(century * 100 + year)},
                                           std::chrono::month{two_digits(at + 5)},
                                           std::chrono::day{two_digits(at + 8)}};
    if (!date.ok()) return std::nullopt;
    day_ms_ = std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400'000};
    year_month_ = year_month;
    day_ = day_text;
    has_day_ = true;
  }
  const unsigned hour = two_digits(at + 11);
  const unsigned minute = two_digits(at + 14);
  const unsigned second = two_digits(at + 17);
  if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && minute + second != 0)) return std::nullopt;
  const auto tail = parse_tail(text.substr(19));
  if (!tail) return std::nullopt;
  FileTime time;
  time.unix_ms = day_ms_ + (std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second) * 1000 +
                 tail->ms - tail->offset_minutes * 60'000;
  if (tail->offset_minutes != 0) time.utc_offset = std::chrono::minutes{tail->offset_minutes};
  return time;
}

std::string format_time(std::int64_t unix_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{unix_ms}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text;
  const auto append = [&](std::int64_t value, int width, char after) {
    std::string digits = std::to_string(value);
    text.append(static_cast<std::size_t>(std::max<int>(0, width - static_cast<int>(digits.size()))), '0');
    text += digits;
    if (after != 0) text += after;
  };
  append(int{date.year()}, 4, '-');
  append(unsigned{date.month()}, 2, '-');
  append(unsigned{date.day()}, 2, 'T');
  append(clock.hours().count(), 2, ':');
  append(clock.minutes().count(), 2, ':');
  append(clock.seconds().count(), 2, 0);
  if (clock.subseconds().count() != 0) {
    text += '.';
    append(clock.subseconds().count(), 3, 0);
  }
  return text + 'Z';
}

std::string plain_text(std::string_view text, std::size_t bytes_max) {
  std::string out;
  text = trim(text);
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(text));
    if (out.size() + length > bytes_max) break;
    const auto first = static_cast<unsigned char>(text[0]);
    const auto second = static_cast<unsigned char>(length == 2 ? text[1] : 0);
    // U+0080 to U+009F are controls as well.
    if (first < 0x20 || first == 0x7F || (first == 0xC2 && second < 0xA0)) {
      out += ' ';
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return std::string{trim(out)};
}

}  // namespace ekiden::activity
