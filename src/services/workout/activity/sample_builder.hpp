#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// One point of a recording; what it does not have stays absent.
struct Sample {
  std::int64_t time_ms = kNoTime;
  double latitude_deg = kAbsentPosition;
  double longitude_deg = kAbsentPosition;
  double distance_m = kAbsentPosition;
  double altitude_m = kAbsentPosition;
  float speed_mps = kAbsent;
  float heart_rate_bpm = kAbsent;
  float cadence_rpm = kAbsent;
  float power_w = kAbsent;
  float temperature_c = kAbsent;
};

/// Turns points into columns. Columns grow by half and one after another, so that little more than the points
/// themselves is ever in memory. @threads one at a time
class SampleBuilder {
 public:
  /// The point to fill in next; it is blank.
  Sample& next() { return batch_[count_]; }

  /// Keeps the point that `next` gave out.
  void commit() {
    if (++count_ == batch_.size()) flush();
    batch_[count_] = Sample{};
  }

  /// Forgets what was written to the point that `next` gave out.
  void discard() { batch_[count_] = Sample{}; }

  /// Points kept so far.
  std::size_t size() const { return samples_.time_ms.size() + count_; }

  /// The columns; the builder is empty then.
  Samples take();

 private:
  void flush();

  Samples samples_;
  std::array<Sample, 128> batch_;
  std::size_t count_ = 0;
};

}  // namespace ekiden::activity
