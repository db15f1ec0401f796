#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden {

/// Wall-clock time in UTC, to the microsecond, as it is stored and shown.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
/// Monotonic time: for deadlines, leases within one process, and measurements.
using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Where time comes from. Passed in, so that a test owns it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  virtual Instant monotonic() const = 0;
};

/// The machine's own clocks. @threads any
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  Instant monotonic() const override;
};

/// A point in time after which nobody waits for the answer any more. Travels with a request.
class Deadline {
 public:
  Deadline() : at_(Instant::max()) {}
  explicit Deadline(Instant at) : at_(at) {}
  static Deadline never() { return Deadline{}; }
  static Deadline after(const Clock& clock, Duration timeout) {
    return Deadline{clock.monotonic() + timeout};
  }

  Instant at() const { return at_; }
  bool is_never() const { return at_ == Instant::max(); }
  bool passed(const Clock& clock) const { return !is_never() && clock.monotonic() >= at_; }
  /// Time left, 0 when it has passed.
  Duration left(const Clock& clock) const;

 private:
  Instant at_;
};

constexpr std::int64_t to_micros(Timestamp at) {
  return at.time_since_epoch().count();
}
constexpr Timestamp from_micros(std::int64_t micros) {
  return Timestamp{std::chrono::microseconds{micros}};
}

/// RFC 3339 in UTC with a `Z`; fractions of a second only where there are any: `2026-11-22T06:30:00Z`,
/// `…00.250Z`.
std::string to_rfc3339(Timestamp at);
/// Reads RFC 3339 with `Z` or an offset. Years 0001 to 9999; up to nine digits of fraction (cut to micros).
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace ekiden
