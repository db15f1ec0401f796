#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "events/inventory.hpp"
#include "ports/blobs/blobs.hpp"

namespace ekiden::inventory {

using MountingId = Id<struct MountingIdTag>;

// What people may write about their gear.
inline constexpr std::size_t kNameChars = 100;
inline constexpr std::size_t kComponentChars = 40;
inline constexpr std::size_t kNotesChars = 5000;
inline constexpr std::size_t kAlertsMax = 5;
inline constexpr std::size_t kDefaultsPerSport = 10;
inline constexpr std::int64_t kAlertPercentMax = 200;
inline constexpr std::int64_t kPriceMax = 100'000'000'00;
inline constexpr std::int64_t kDistanceMaxM = 2'000'000'000;
inline constexpr std::int64_t kMovingMaxMs = std::int64_t{200'000} * 3'600'000;

/// The sports that a person can have default gear for: those of the workouts' events.
inline constexpr std::array<std::string_view, 23> kSports = {"run",
                                                             "trail_run",
                                                             "treadmill",
                                                             "ride",
                                                             "mountain_bike",
                                                             "gravel",
                                                             "indoor_ride",
                                                             "virtual_ride",
                                                             "walk",
                                                             "hike",
                                                             "mountaineering",
                                                             "swim",
                                                             "open_water_swim",
                                                             "row",
                                                             "indoor_row",
                                                             "paddle",
                                                             "ski",
                                                             "snowboard",
                                                             "skate",
                                                             "strength",
                                                             "yoga",
                                                             "dive",
                                                             "workout"};
bool is_sport(std::string_view text);

enum class Kind : std::uint8_t { shoes, bike, part, other };
BOOST_DESCRIBE_ENUM(Kind, shoes, bike, part, other)
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

/// Distance, time and number of workouts. In the ledger, sums and differences of them: exact.
struct Use {
  std::int64_t distance_m = 0;
  std::int64_t moving_ms = 0;
  std::int64_t workouts = 0;
  Use& operator+=(const Use& other) {
    distance_m += other.distance_m;
    moving_ms += other.moving_ms;
    workouts += other.workouts;
    return *this;
  }
  Use& operator-=(const Use& other) {
    distance_m -= other.distance_m;
    moving_ms -= other.moving_ms;
    workouts -= other.workouts;
    return *this;
  }
  friend bool operator==(const Use&, const Use&) = default;
};

/// What the owner says of how long it lasts; a measure that is absent does not wear it.
struct Life {
  std::optional<std::int64_t> distance_m{};
  std::optional<std::int64_t> moving_ms{};
  std::vector<std::int64_t> alert_percents{80, 100};  ///< rising; shares of the life that are told
  friend bool operator==(const Life&, const Life&) = default;
};

struct Photo {
  blobs::Hash hash;
  std::string type;  ///< `image/jpeg`, …
  friend bool operator==(const Photo&, const Photo&) = default;
};

/// A piece of gear as it is kept.
struct Gear {
  GearId gear_id;
  UserId user_id;
  std::int64_t version = 1;  ///< the ETag
  Kind kind = Kind::other;
  std::string component{};  ///< of a part: `chain`, `tyre`, in the owner's word
  std::string name;
  std::string brand{};
  std::string model{};
  std::string notes{};
  std::optional<std::int64_t> price_minor{};  ///< in the currency's smallest unit
  std::string currency{};                     ///< ISO 4217, where there is a price
  std::optional<std::string> bought_on{};     ///< `2026-11-22`
  std::optional<std::string> retired_on{};
  Use start{};  ///< what it had done before; no workouts
  Life life{};
  std::int64_t told_percent = 0;  ///< shares of the life up to this one have been told
  std::optional<Photo> photo{};
  Use use{};  ///< the sum of its ledger
  Timestamp created_at;
  Timestamp changed_at;

  bool is_retired() const { return retired_on.has_value(); }
  /// Of its whole life.
  Use total() const {
    Use sum = start;
    return sum += use;
  }
  friend bool operator==(const Gear&, const Gear&) = default;
};

/// A part on a bike, from the first instant up to, not including, the last one.
struct Mounting {
  MountingId mounting_id;
  UserId user_id;
  std::int64_t version = 1;
  GearId part_id;
  GearId bike_id;
  Timestamp mounted_at;
  std::optional<Timestamp> unmounted_at{};  ///< absent: it still is

  bool covers(Timestamp at) const { return mounted_at <= at && (!unmounted_at || at < *unmounted_at); }
  friend bool operator==(const Mounting&, const Mounting&) = default;
};

}  // namespace ekiden::inventory
