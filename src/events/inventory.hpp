#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace ekiden {

/// Shoes, a bike, a part.
using GearId = Id<struct GearIdTag>;

}  // namespace ekiden

/// Topic `inventory`: what happens to people's gear. Keyed by the person.
namespace ekiden::events {

inline constexpr std::string_view kInventoryTopic = "inventory";

/// Has no place in a numbering: a piece of gear changes with every workout, and few of its changes are told.
struct GearWorn {
  static constexpr std::string_view kTopic = kInventoryTopic;
  static constexpr std::string_view kType = "gear.worn";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout =
      "A piece of gear has reached a share of the life that its owner expects of it; told once for each "
      "share.";

  GearId gear_id;
  UserId user_id;
  std::string kind;  ///< `shoes`, `bike`, `part`, `other`
  std::string name;
  std::int64_t share_percent = 0;  ///< the share that was reached, as the owner set it
  std::int64_t distance_m = 0;     ///< in its whole life, what it had before included
  std::int64_t moving_ms = 0;
  std::optional<std::int64_t> life_distance_m;  ///< absent: no such expectation
  std::optional<std::int64_t> life_moving_ms;

  std::string subject() const { return gear_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return 0; }
  friend bool operator==(const GearWorn&, const GearWorn&) = default;
};
BOOST_DESCRIBE_STRUCT(GearWorn, (),
                      (gear_id, user_id, kind, name, share_percent, distance_m, moving_ms, life_distance_m,
                       life_moving_ms))

using InventoryEvents = boost::mp11::mp_list<GearWorn>;

}  // namespace ekiden::events
