#pragma once

#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/leaf_text.hpp"
#include "services/workout/activity/reading.hpp"
#include "services/workout/activity/sample_builder.hpp"
#include "services/workout/activity/values.hpp"
#include "services/workout/activity/xml/scanner.hpp"

namespace ekiden::activity {

/// Makes Activities of what a Scanner finds in a TCX file. @threads one at a time
class TcxHandler {
 public:
  explicit TcxHandler(const ParseLimits& limits) : limits_(limits) { stack_[0] = Place::document; }

  bool open(const xml::Name& name, std::span<const xml::Attribute> attributes);
  bool close();
  bool text(std::string_view piece) {
    if (stack_[depth_] >= Place::first_value) text_.append(piece);
    return true;
  }
  void detach() { text_.detach(); }
  bool at_record() const { return stack_[depth_] == Place::point; }
  std::uint8_t place() const { return static_cast<std::uint8_t>(stack_[depth_]); }
  std::uint8_t attribute_place(std::string_view) const { return static_cast<std::uint8_t>(Place::ignored); }
  bool record(std::span<const xml::Slot> slots, const xml::Record::Values& values);
  Error take_error() { return *std::move(error_); }

  /// The activities, once the document has ended well. @errors invalid `not-an-activity`, `no-track-points`
  Result<std::vector<Activity>> take();

 private:
  /// Where in the file an element stands. Those from `first_value` on have text that matters.
  enum class Place : std::uint8_t {
    document,
    database,
    activities,
    activity,
    lap,
    track,
    point,
    position,
    point_heart_rate,
    point_extensions,
    lap_average_heart_rate,
    lap_max_heart_rate,
    ignored,
    first_value,
    id = first_value,
    notes,
    lap_time,
    lap_distance,
    lap_max_speed,
    lap_calories,
    lap_average_bpm,
    lap_max_bpm,
    time,
    latitude,
    longitude,
    altitude,
    distance,
    heart_rate,
    cadence,
    run_cadence,
    speed,
    power,
  };
  struct Child {
    Place parent;
    std::string_view name;
    Place place;
  };
  static const Child kChildren[];

  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }
  static Place child_of(Place parent, std::string_view name);
  static Place child_of_point(Place parent, std::string_view name);
  bool begin(Place place, std::span<const xml::Attribute> attributes);
  bool begin_activity(std::span<const xml::Attribute> attributes);
  void begin_lap(std::span<const xml::Attribute> attributes);
  bool end_position();
  bool take_position(std::string_view latitude, std::string_view longitude);
  bool end_point();
  bool is_gap(std::int64_t time_ms) const;
  void end_activity();
  void total_up();
  void take_value(Place place, std::string_view text);
  void take_lap_value(Place place, std::string_view text);
  template <class T>
  void measure(T& value, std::string_view text, std::string_view what) {
    if (std::isnan(value)) value = static_cast<T>(read_optional(text, what, skipped_));
  }

  const ParseLimits limits_;
  std::size_t depth_ = 0;
  std::array<Place, 72> stack_{};  // deeper than any document may be
  LeafText text_;
  TimeReader times_;
  SampleBuilder samples_;
  std::size_t points_seen_ = 0;
  std::size_t points_kept_ = 0;
  std::array<char, 80> latitude_{};
  std::array<char, 80> longitude_{};
  std::size_t latitude_size_ = 0;
  std::size_t longitude_size_ = 0;
  bool has_position_ = false;
  bool begins_lap_ = true;
  bool begins_segment_ = true;
  std::int64_t last_time_ms_ = kNoTime;
  Activity activity_;
  std::vector<Activity> activities_;
  std::size_t activities_seen_ = 0;
  std::size_t activities_empty_ = 0;
  bool has_other_ = false;  // courses or workouts
  Skipped skipped_;
  std::optional<Error> error_;
};

}  // namespace ekiden::activity
