#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "json/types.hpp"
#include "services/inventory/domain/counting.hpp"

namespace ekiden::inventory {

/// A piece of gear as its owner sees it. Distance and time are of its whole life.
struct GearView {
  GearId id;
  std::string kind;
  std::string component;
  std::string name;
  std::string brand;
  std::string model;
  std::string notes;
  std::optional<std::int64_t> price_minor;
  std::optional<std::string> currency;
  std::optional<std::string> bought_on;
  std::optional<std::string> retired_on;
  std::int64_t start_distance_m = 0;
  double start_moving_s = 0;
  std::optional<std::int64_t> life_distance_m;
  std::optional<double> life_moving_s;
  std::vector<std::int64_t> alert_percents;
  std::int64_t distance_m = 0;
  double moving_s = 0;
  std::int64_t workout_count = 0;
  std::optional<double> share_used;         ///< of the expected life; 1 is all of it
  std::optional<double> cost_per_km_minor;  ///< in the price's currency; from the first kilometre on
  std::optional<std::string> photo_type;    ///< absent: there is none
  std::int64_t version = 1;
  Timestamp created_at;
  Timestamp changed_at;
};
BOOST_DESCRIBE_STRUCT(GearView, (),
                      (id, kind, component, name, brand, model, notes, price_minor, currency, bought_on,
                       retired_on, start_distance_m, start_moving_s, life_distance_m, life_moving_s,
                       alert_percents, distance_m, moving_s, workout_count, share_used, cost_per_km_minor,
                       photo_type, version, created_at, changed_at))
GearView view_of(const Gear& gear);

struct GearListView {
  std::vector<GearView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(GearListView, (), (items, next_cursor))

/// How far a piece is on its way through its expected life.
struct DueView {
  GearId id;
  std::string kind;
  std::string name;
  double share_used = 0;
  bool due = false;  ///< the lowest of its alert percentages is reached
  std::optional<std::int64_t>
      distance_left_m;  ///< below 0: so much beyond; absent: not expected to wear by distance
  std::optional<double> moving_left_s;
};
BOOST_DESCRIBE_STRUCT(DueView, (), (id, kind, name, share_used, due, distance_left_m, moving_left_s))
DueView due_view_of(const Gear& gear);

struct DueListView {
  std::vector<DueView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(DueListView, (), (items, next_cursor))

struct MonthView {
  std::string month;
  std::int64_t distance_m = 0;
  double moving_s = 0;
  std::int64_t workout_count = 0;
};
BOOST_DESCRIBE_STRUCT(MonthView, (), (month, distance_m, moving_s, workout_count))

struct MonthsView {
  std::vector<MonthView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(MonthsView, (), (items, next_cursor))
MonthView view_of(const MonthUse& month);

struct MountingView {
  MountingId id;
  GearId part_id;
  GearId bike_id;
  Timestamp mounted_at;
  std::optional<Timestamp> unmounted_at;
  std::int64_t version = 1;
};
BOOST_DESCRIBE_STRUCT(MountingView, (), (id, part_id, bike_id, mounted_at, unmounted_at, version))
MountingView view_of(const Mounting& mounting);

struct MountingsView {
  std::vector<MountingView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(MountingsView, (), (items, next_cursor))

struct DefaultsView {
  std::map<std::string, std::vector<GearId>> sports;
  std::int64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(DefaultsView, (), (sports, version))
DefaultsView view_of(const DefaultSet& set);

}  // namespace ekiden::inventory
