#include "services/gamification/domain/boards.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace ekiden::gamification {

namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr int kYearMin = 1970;
constexpr int kYearMax = 2199;

struct SportGroup {
  std::string_view sport;
  std::string_view group;
  std::int64_t points_per_minute;
};
constexpr std::array kSportGroups = {
    SportGroup{"run", "run", 10},
    SportGroup{"trail_run", "run", 10},
    SportGroup{"treadmill", "run", 9},
    SportGroup{"ride", "ride", 6},
    SportGroup{"mountain_bike", "ride", 7},
    SportGroup{"gravel", "ride", 7},
    SportGroup{"indoor_ride", "ride", 6},
    SportGroup{"virtual_ride", "ride", 6},
    SportGroup{"walk", "walk", 4},
    SportGroup{"hike", "hike", 5},
    SportGroup{"mountaineering", "hike", 7},
    SportGroup{"swim", "swim", 9},
    SportGroup{"open_water_swim", "swim", 9},
    SportGroup{"row", "row", 8},
    SportGroup{"indoor_row", "row", 8},
    SportGroup{"paddle", "paddle", 6},
    SportGroup{"ski", "ski", 8},
    SportGroup{"snowboard", "ski", 5},
    SportGroup{"skate", "skate", 6},
    SportGroup{"strength", "gym", 5},
    SportGroup{"yoga", "gym", 3},
};
constexpr SportGroup kOtherSport{"", "other", 4};

const SportGroup& group_of(std::string_view sport) {
  const auto found = std::ranges::find(kSportGroups, sport, &SportGroup::sport);
  return found == kSportGroups.end() ? kOtherSport : *found;
}

/// Monday of the first ISO week: the week that holds January 4.
sys_days first_monday(int iso_year) {
  const sys_days fourth{year{iso_year} / month{1} / day{4}};
  return fourth - (weekday{fourth} - std::chrono::Monday);
}

std::pair<int, unsigned> iso_week(year_month_day date) {
  const sys_days that_day{date};
  int iso_year = static_cast<int>(date.year());
  if (that_day >= first_monday(iso_year + 1)) ++iso_year;
  if (that_day < first_monday(iso_year)) --iso_year;
  return {iso_year, static_cast<unsigned>((that_day - first_monday(iso_year)).count() / 7) + 1};
}

unsigned weeks_in(int iso_year) {
  return static_cast<unsigned>((first_monday(iso_year + 1) - first_monday(iso_year)).count() / 7);
}

/// Exactly `digits` digits as a number, or nullopt.
std::optional<unsigned> number(std::string_view text, std::size_t digits) {
  unsigned value = 0;
  if (text.size() != digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string lower(std::string text) {
  std::ranges::replace(text, 'W', 'w');
  return text;
}

/// A period as people write it, of its part in a key.
std::string upper(std::string_view text) {
  std::string period(text);
  std::ranges::replace(period, 'w', 'W');
  return period;
}

}  // namespace

std::string_view to_string(Metric metric) {
  switch (metric) {
    case Metric::distance:
      return "distance";
    case Metric::moving_time:
      return "moving_time";
    case Metric::elevation_gain:
      return "elevation_gain";
    case Metric::workouts:
      return "workouts";
    case Metric::points:
      return "points";
  }
  return "points";
}

std::optional<Metric> parse_metric(std::string_view text) {
  for (const Metric metric : kMetrics) {
    if (to_string(metric) == text) return metric;
  }
  return std::nullopt;
}

std::string_view unit_of(Metric metric) {
  switch (metric) {
    case Metric::distance:
    case Metric::elevation_gain:
      return "m";
    case Metric::moving_time:
      return "s";
    case Metric::workouts:
      return "count";
    case Metric::points:
      return "points";
  }
  return "points";
}

bool is_board_sport(std::string_view text) {
  return std::ranges::find(kBoardSports, text) != kBoardSports.end();
}

std::string_view board_sport_of(std::string_view sport) {
  return group_of(sport).group;
}

std::string_view to_string(Period::Kind kind) {
  switch (kind) {
    case Period::Kind::all:
      return "all";
    case Period::Kind::year:
      return "year";
    case Period::Kind::month:
      return "month";
    case Period::Kind::week:
      return "week";
    case Period::Kind::day:
      return "day";
  }
  return "all";
}

std::optional<Period> Period::parse(std::string_view text) {
  if (text == "all") return Period{Kind::all, 0, 0, 0};
  const auto parsed_year = number(text.substr(0, std::min<std::size_t>(4, text.size())), 4);
  if (!parsed_year || std::cmp_less(*parsed_year, kYearMin) || std::cmp_greater(*parsed_year, kYearMax))
    return std::nullopt;
  const int y = static_cast<int>(*parsed_year);
  std::string_view rest = text.substr(4);
  if (rest.empty()) return Period{Kind::year, y, 0, 0};
  if (rest.front() != '-') return std::nullopt;
  rest.remove_prefix(1);
  if (rest.starts_with('W')) {
    const auto week = number(rest.substr(1), 2);
    if (!week || *week < 1 || *week > weeks_in(y)) return std::nullopt;
    return Period{Kind::week, y, *week, 0};
  }
  const auto m = number(rest.substr(0, std::min<std::size_t>(2, rest.size())), 2);
  if (!m || *m < 1 || *m > 12) return std::nullopt;
  rest.remove_prefix(2);
  if (rest.empty()) return Period{Kind::month, y, *m, 0};
  if (rest.front() != '-') return std::nullopt;
  const auto d = number(rest.substr(1), 2);
  if (!d || !year_month_day{year{y}, month{*m}, day{*d}}.ok()) return std::nullopt;
  return Period{Kind::day, y, *m, *d};
}

Period Period::of(Kind kind, year_month_day date) {
  const int y = static_cast<int>(date.year());
  const auto m = static_cast<unsigned>(date.month());
  switch (kind) {
    case Kind::all:
      return {kind, 0, 0, 0};
    case Kind::year:
      return {kind, y, 0, 0};
    case Kind::month:
      return {kind, y, m, 0};
    case Kind::day:
      return {kind, y, m, static_cast<unsigned>(date.day())};
    case Kind::week:
      break;
  }
  const auto [iso_year, week] = iso_week(date);
  return {Kind::week, iso_year, week, 0};
}

std::string Period::to_string() const {
  std::array<char, 32> out{};
  switch (kind_) {
    case Kind::all:
      return "all";
    case Kind::year:
      std::snprintf(out.data(), out.size(), "%04d", year_);
      break;
    case Kind::month:
      std::snprintf(out.data(), out.size(), "%04d-%02u", year_, part_);
      break;
    case Kind::week:
      std::snprintf(out.data(), out.size(), "%04d-W%02u", year_, part_);
      break;
    case Kind::day:
      std::snprintf(out.data(), out.size(), "%04d-%02u-%02u", year_, part_, day_);
      break;
  }
  return out.data();
}

std::string BoardName::to_key() const {
  return std::string(gamification::to_string(metric)) + ":" + sport + ":" + lower(period.to_string());
}

std::optional<BoardName> BoardName::parse_key(std::string_view key) {
  const std::size_t first = key.find(':');
  const std::size_t second = first == std::string_view::npos ? first : key.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto name =
      parse(key.substr(0, first), key.substr(first + 1, second - first - 1), upper(key.substr(second + 1)));
  if (!name) return std::nullopt;
  return *std::move(name);
}

Result<BoardName> BoardName::parse(std::string_view metric, std::string_view sport, std::string_view period) {
  const auto unknown = [](std::string text, const char* field) {
    return Error{Errc::not_found, "unknown-leaderboard", std::move(text), field};
  };
  const auto parsed_metric = parse_metric(metric);
  if (!parsed_metric)
    return unknown("the metrics are distance, moving_time, elevation_gain, workouts and points", "metric");
  if (!is_board_sport(sport)) {
    return unknown("the sports are all, run, ride, walk, hike, swim, row, paddle, ski, skate, gym and other",
                   "sport");
  }
  const auto parsed_period = Period::parse(period);
  if (!parsed_period) return unknown("a period is all, 2026, 2026-11, 2026-W47 or 2026-11-22", "period");
  return BoardName{*parsed_metric, std::string(sport), *parsed_period};
}

std::optional<sys_days> Period::last_day() const {
  switch (kind_) {
    case Kind::all:
      return std::nullopt;
    case Kind::year:
      return sys_days{year{year_} / month{12} / day{31}};
    case Kind::month:
      return sys_days{year{year_} / month{part_} / std::chrono::last};
    case Kind::week:
      return first_monday(year_) + std::chrono::days{7 * part_ - 1};
    case Kind::day:
      return sys_days{year{year_} / month{part_} / day{day_}};
  }
  return std::nullopt;
}

std::optional<sys_days> settled_on(std::string_view key) {
  const std::size_t last = key.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;
  const auto period = Period::parse(upper(key.substr(last + 1)));
  if (!period) return std::nullopt;
  const auto end = period->last_day();
  // The last week of a year may end in the next one.
  if (end && period->kind() == Period::Kind::year) return *end + std::chrono::days{7};
  return end;
}

std::int64_t points_of(const CountedWorkout& workout) {
  const std::int64_t per_minute = group_of(workout.sport).points_per_minute;
  return workout.moving_s * per_minute / 60 + workout.elevation_gain_m;
}

std::vector<Contribution> contributions_of(const CountedWorkout& workout) {
  std::vector<Contribution> contributions;
  if (!workout.counts) return contributions;
  const std::array<std::pair<Metric, std::int64_t>, 5> amounts = {
      {{Metric::distance, workout.distance_m},
       {Metric::moving_time, workout.moving_s},
       {Metric::elevation_gain, workout.elevation_gain_m},
       {Metric::workouts, 1},
       {Metric::points, points_of(workout)}}};
  const std::array<std::string_view, 2> sports = {"all", board_sport_of(workout.sport)};
  contributions.reserve(amounts.size() * sports.size() * kPeriodKinds.size());
  for (const Period::Kind kind : kPeriodKinds) {
    const std::string period = lower(Period::of(kind, workout.local_date).to_string());
    for (const std::string_view sport : sports) {
      for (const auto& [metric, amount] : amounts) {
        if (amount <= 0) continue;
        std::string board(to_string(metric));
        board.append(":").append(sport).append(":").append(period);
        contributions.push_back({std::move(board), amount});
      }
    }
  }
  return contributions;
}

double percentile_of(std::int64_t rank, std::int64_t members) {
  if (members <= 0 || rank < 1) return 0;
  const double share = static_cast<double>(members - rank + 1) / static_cast<double>(members);
  return std::round(share * 1000.0) / 10.0;
}

}  // namespace ekiden::gamification
