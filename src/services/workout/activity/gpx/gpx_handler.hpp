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

/// Makes an Activity of what a Scanner finds in a GPX file. @threads one at a time
class GpxHandler {
 public:
  explicit GpxHandler(const ParseLimits& limits) : points_max_(limits.points_max) {
    stack_[0] = Place::document;
  }

  bool open(const xml::Name& name, std::span<const xml::Attribute> attributes);
  bool close();
  bool text(std::string_view piece) {
    if (stack_[depth_] >= Place::first_value) text_.append(piece);
    return true;
  }
  void detach() { text_.detach(); }
  bool at_record() const { return stack_[depth_] == Place::point; }
  std::uint8_t place() const { return static_cast<std::uint8_t>(stack_[depth_]); }
  std::uint8_t attribute_place(std::string_view name) const {
    if (name == "lat") return static_cast<std::uint8_t>(Place::latitude);
    return static_cast<std::uint8_t>(name == "lon" ? Place::longitude : Place::ignored);
  }
  bool record(std::span<const xml::Slot> slots, const xml::Record::Values& values);
  Error take_error() { return *std::move(error_); }

  /// The activity, once the document has ended well. @errors invalid `no-track-points`
  Result<std::vector<Activity>> take();

 private:
  /// Where in the file an element stands. Those from `first_value` on have text that matters.
  enum class Place : std::uint8_t {
    document,
    gpx,
    metadata,
    track,
    segment,
    point,
    point_extensions,
    ignored,
    first_value,
    elevation = first_value,
    time,
    speed,
    heart_rate,
    cadence,
    power,
    temperature,
    file_name,
    file_description,
    track_name,
    track_description,
    track_type,
    latitude,  // attributes
    longitude,
  };

  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }
  Place child_of(Place parent, std::string_view name) const;
  Place child_of_gpx(std::string_view name) const;
  Place child_of_point(std::string_view name) const;
  static Place child_of_extensions(std::string_view name);
  bool begin_point(std::span<const xml::Attribute> attributes);
  bool begin_point(std::string_view latitude, std::string_view longitude);
  bool end_point();
  void take_value(Place place, std::string_view text);
  void take_time(std::string_view text);
  template <class T>
  void measure(T& value, std::string_view text, std::string_view what) {
    if (std::isnan(value)) value = static_cast<T>(read_optional(text, what, skipped_));
  }

  const std::size_t points_max_;
  std::size_t depth_ = 0;
  std::array<Place, 72> stack_{};  // deeper than any document may be
  LeafText text_;
  TimeReader times_;
  SampleBuilder samples_;
  std::size_t points_seen_ = 0;
  bool begins_segment_ = true;
  bool is_pause_ = false;
  Activity activity_;
  std::string file_name_;
  std::string file_description_;
  Skipped skipped_;
  std::optional<Error> error_;
};

}  // namespace ekiden::activity
