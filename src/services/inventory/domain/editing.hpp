#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "json/types.hpp"
#include "services/inventory/domain/counting.hpp"
#include "services/inventory/domain/gear.hpp"

namespace ekiden::inventory {

/// A piece of gear as its owner enters it.
struct CreateBody {
  Kind kind = Kind::other;
  std::string name;
  std::optional<std::string> component;
  std::optional<std::string> brand;
  std::optional<std::string> model;
  std::optional<std::string> notes;
  std::optional<std::int64_t> price_minor;
  std::optional<std::string> currency;
  std::optional<std::string> bought_on;
  std::optional<std::string> retired_on;
  std::optional<std::int64_t> start_distance_m;
  std::optional<double> start_moving_s;
  std::optional<std::int64_t> life_distance_m;
  std::optional<double> life_moving_s;
  std::optional<std::vector<std::int64_t>> alert_percents;
};
BOOST_DESCRIBE_STRUCT(CreateBody, (),
                      (kind, name, component, brand, model, notes, price_minor, currency, bought_on,
                       retired_on, start_distance_m, start_moving_s, life_distance_m, life_moving_s,
                       alert_percents))

/// An edit. What it is (`kind`) stays.
struct ChangeBody {
  json::Patch<std::string> name;
  json::Patch<std::string> component;
  json::Patch<std::string> brand;
  json::Patch<std::string> model;
  json::Patch<std::string> notes;
  json::Patch<std::int64_t> price_minor;
  json::Patch<std::string> currency;
  json::Patch<std::string> bought_on;
  json::Patch<std::string> retired_on;
  json::Patch<std::int64_t> start_distance_m;
  json::Patch<double> start_moving_s;
  json::Patch<std::int64_t> life_distance_m;
  json::Patch<double> life_moving_s;
  json::Patch<std::vector<std::int64_t>> alert_percents;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (),
                      (name, component, brand, model, notes, price_minor, currency, bought_on, retired_on,
                       start_distance_m, start_moving_s, life_distance_m, life_moving_s, alert_percents))

struct MountBody {
  GearId bike_id;
  Timestamp mounted_at;
  std::optional<Timestamp> unmounted_at;
};
BOOST_DESCRIBE_STRUCT(MountBody, (), (bike_id, mounted_at, unmounted_at))

struct MountChangeBody {
  json::Patch<GearId> bike_id;
  json::Patch<Timestamp> mounted_at;
  json::Patch<Timestamp> unmounted_at;
};
BOOST_DESCRIBE_STRUCT(MountChangeBody, (), (bike_id, mounted_at, unmounted_at))

/// Sport -> gear that workouts count for which name none. A sport that is left out has no defaults.
struct DefaultsBody {
  std::map<std::string, std::vector<GearId>> sports;
};
BOOST_DESCRIBE_STRUCT(DefaultsBody, (), (sports))

/// What was entered as a piece of gear; ids and times are the caller's to fill in.
/// @errors invalid: the field that is out of bounds, and the bounds.
Result<Gear> make_gear(const CreateBody& body, Timestamp now);
/// `gear` as the edit leaves it. @errors as `make_gear`.
Result<Gear> apply_change(const Gear& gear, const ChangeBody& body, Timestamp now);

/// @errors invalid: a time out of bounds, or the end not after the beginning.
Result<void> check_times(const Mounting& mounting, Timestamp now);
/// `mounting` as the edit leaves it. @errors as `check_times`.
Result<Mounting> apply_change(const Mounting& mounting, const MountChangeBody& body, Timestamp now);

/// The defaults that the body asks for, each piece once. @errors invalid: a sport that there is not, too many
/// pieces.
Result<Defaults> read_defaults(const DefaultsBody& body);

/// The type of an image by its first bytes: JPEG, PNG or WebP; nullopt for all else.
std::optional<std::string_view> image_type(std::string_view head);

}  // namespace ekiden::inventory
