#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/sample_builder.hpp"

namespace ekiden::activity {

/// What both readers of XML do alike.

/// Values that could not be read, counted by kind so that a broken file gives one line for each and not
/// thousands.
class Skipped {
 public:
  /// @param what  as it is to read in the warning, of static life: `times`.
  void add(std::string_view what);
  /// `3 times could not be read and were left out`, a line a kind.
  std::vector<std::string> warnings() const;

 private:
  struct Kind {
    std::string_view what;
    std::size_t count = 0;
  };
  std::vector<Kind> kinds_;
};

/// A position as two texts say it.
struct Position {
  double latitude_deg = kAbsentPosition;
  double longitude_deg = kAbsentPosition;
  bool is_pause = false;  ///< the latitudes 100 and 200 with which OpenTracks marks pause and resume
};

/// Reads a position. @param index  the point's in its file, for the error's field: `points[3].lat`.
/// @errors invalid  a text is missing, no number, or out of range; `error` is set and nothing else is meant.
std::optional<Position> read_position(std::string_view latitude, std::string_view longitude,
                                      std::size_t index, std::optional<Error>& error);

/// The number of an optional value; absent, and counted, where the text is neither empty nor a number.
double read_optional(std::string_view text, std::string_view what, Skipped& skipped);

/// The error for a file with more points than may be read.
Error too_many_points(std::size_t most);

}  // namespace ekiden::activity
