#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"

namespace ekiden::gamification {

enum class Metric : std::uint8_t { distance, moving_time, elevation_gain, workouts, points };
inline constexpr std::array kMetrics = {Metric::distance, Metric::moving_time, Metric::elevation_gain,
                                        Metric::workouts, Metric::points};
std::string_view to_string(Metric metric);
std::optional<Metric> parse_metric(std::string_view text);
/// `m`, `s`, `count`, `points`
std::string_view unit_of(Metric metric);

/// The groups of sports that have boards of their own; `all` holds every sport.
inline constexpr std::array<std::string_view, 12> kBoardSports = {
    "all", "run", "ride", "walk", "hike", "swim", "row", "paddle", "ski", "skate", "gym", "other"};
bool is_board_sport(std::string_view text);
/// The group of a workout's sport: `trail_run` and `treadmill` are of `run`. `other` for what is not known.
std::string_view board_sport_of(std::string_view sport);

/// A span of local calendar days that has boards: a day, an ISO week, a month, a year, or all time.
class Period {
 public:
  enum class Kind : std::uint8_t { all, year, month, week, day };
  /// @errors nullopt where `text` is none of `all`, `2026`, `2026-11`, `2026-W47`, `2026-11-22` (years 1970
  /// to 2199).
  static std::optional<Period> parse(std::string_view text);
  /// The period of this kind that holds `day`.
  static Period of(Kind kind, std::chrono::year_month_day day);

  Kind kind() const { return kind_; }
  /// nullopt for all time.
  std::optional<std::chrono::sys_days> last_day() const;
  std::string to_string() const;
  friend bool operator==(const Period&, const Period&) = default;

 private:
  Period(Kind kind, int year, unsigned part, unsigned day)
      : kind_(kind), year_(year), part_(part), day_(day) {}
  Kind kind_;
  int year_ = 0;
  unsigned part_ = 0;  ///< month or ISO week
  unsigned day_ = 0;
};
inline constexpr std::array kPeriodKinds = {Period::Kind::day, Period::Kind::week, Period::Kind::month,
                                            Period::Kind::year, Period::Kind::all};
std::string_view to_string(Period::Kind kind);

struct BoardName {
  Metric metric;
  std::string sport;
  Period period;
  /// As the ranking stores know it: `distance:run:2026-w47`.
  std::string to_key() const;
  static std::optional<BoardName> parse_key(std::string_view key);
  /// @errors not_found: there is no such metric, sport or period; the text names which there are.
  static Result<BoardName> parse(std::string_view metric, std::string_view sport, std::string_view period);
};

/// The day after which neither the board of this key belongs to the present nor any whose key begins with it
/// (a year's weeks, a month's days). nullopt for all time, and for what is no board's key.
std::optional<std::chrono::sys_days> settled_on(std::string_view key);

/// What a version of a workout says about its worth. Deleted and unranked ones are worth nothing.
struct CountedWorkout {
  WorkoutId workout_id;
  UserId user_id;
  std::string sport;
  std::chrono::year_month_day local_date;  ///< where it was done
  Timestamp ended_at;
  std::int64_t distance_m = 0;
  std::int64_t moving_s = 0;
  std::int64_t elevation_gain_m = 0;
  bool counts = true;
};

struct Contribution {
  std::string board;
  std::int64_t amount = 0;
  friend bool operator==(const Contribution&, const Contribution&) = default;
};

/// What the workout gives to each board: at most metrics x 2 sports x 5 periods; nothing where it does not
/// count, no entry where the amount is 0.
std::vector<Contribution> contributions_of(const CountedWorkout& workout);

/// Points: a minute of moving weighs 10 for a run, less where a sport is easier on the body, and each 10 m of
/// climb weighs as much as a minute of running. Whole points, rounded down.
std::int64_t points_of(const CountedWorkout& workout);

/// Share of the members that stand at or below this rank, in percent with one decimal: 100 for the first.
double percentile_of(std::int64_t rank, std::int64_t members);

}  // namespace ekiden::gamification
