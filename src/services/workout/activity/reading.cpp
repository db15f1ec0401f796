#include "services/workout/activity/reading.hpp"

#include <algorithm>
#include <cmath>

#include "services/workout/activity/values.hpp"

namespace ekiden::activity {
namespace {

/// Pause and resume of OpenTracks and of MyTracks before it.
constexpr double kPauseLatitude = 100;
constexpr double kResumeLatitude = 200;

Error bad_position(std::string_view text, std::string_view name, std::size_t index, std::string_view range) {
  const std::string field = "points[" + std::to_string(index) + "]." + std::string{name};
  const std::string shown = plain_text(text, 40);
  return Error{Errc::invalid, "invalid-position",
               shown.empty()
                   ? field + " is missing"
                   : field + " is '" + shown + "', not a number of degrees from " + std::string{range},
               field};
}

}  // namespace

void Skipped::add(std::string_view what) {
  const auto found = std::ranges::find(kinds_, what, &Kind::what);
  if (found != kinds_.end()) {
    ++found->count;
  } else {
    kinds_.push_back({what, 1});
  }
}

std::vector<std::string> Skipped::warnings() const {
  std::vector<std::string> lines;
  for (const Kind& kind : kinds_) {
    if (lines.size() == 16) break;
    lines.push_back(std::to_string(kind.count) + " " + std::string{kind.what} +
                    " could not be read and were left out");
  }
  return lines;
}

std::optional<Position> read_position(std::string_view latitude, std::string_view longitude,
                                      std::size_t index, std::optional<Error>& error) {
  const auto lat = parse_number(latitude);
  const auto lon = parse_number(longitude);
  if (!lon || std::abs(*lon) > 180) {
    error = bad_position(longitude, "lon", index, "-180 to 180");
  }
  if (lat && (*lat == kPauseLatitude || *lat == kResumeLatitude) && lon) {
    error.reset();
    return Position{.is_pause = true};
  }
  if (!lat || std::abs(*lat) > 90) error = bad_position(latitude, "lat", index, "-90 to 90");
  if (error) return std::nullopt;
  return Position{*lat, *lon, false};
}

double read_optional(std::string_view text, std::string_view what, Skipped& skipped) {
  const auto value = parse_number(text);
  if (value && std::abs(*value) < 1e7) [[likely]] {
    return *value;
  }
  if (!trim(text).empty()) skipped.add(what);
  return kAbsentPosition;
}

Error too_many_points(std::size_t most) {
  return Error{Errc::too_large, "too-many-points",
               "the file has more than " + std::to_string(most) + " points: split it", "file"};
}

}  // namespace ekiden::activity
