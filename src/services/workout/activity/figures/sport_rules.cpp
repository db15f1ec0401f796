#include "services/workout/activity/figures/sport_rules.hpp"

namespace ekiden::activity {
namespace {

constexpr double kMoving = 1 / 3.6;
constexpr double kMovingSlowly = 0.1 / 3.6;

constexpr SportRules on_foot(double moving_mps) {
  return {.moving_mps = moving_mps, .plausible_mps = 13, .has_run_records = true};
}
constexpr SportRules outdoors(double plausible_mps) {
  return {.moving_mps = kMoving, .plausible_mps = plausible_mps};
}
constexpr SportRules in_water(double plausible_mps, bool follows_ground) {
  return {.moving_mps = kMovingSlowly,
          .plausible_mps = plausible_mps,
          .altitude_counts = false,
          .follows_ground = follows_ground};
}
constexpr SportRules indoors(double plausible_mps) {
  return {.moving_mps = kMoving,
          .plausible_mps = plausible_mps,
          .altitude_counts = false,
          .follows_ground = false};
}

constexpr SportRules kRun = on_foot(kMoving);
constexpr SportRules kTrail = on_foot(kMovingSlowly);
constexpr SportRules kTreadmill = {.moving_mps = kMoving,
                                   .plausible_mps = 13,
                                   .altitude_counts = false,
                                   .follows_ground = false,
                                   .has_run_records = true};
constexpr SportRules kRide = outdoors(40);
constexpr SportRules kVirtual = {.moving_mps = kMoving, .plausible_mps = 40, .follows_ground = false};
constexpr SportRules kIndoorRide = indoors(40);
constexpr SportRules kIndoors = indoors(15);
constexpr SportRules kPool = in_water(3.5, false);
constexpr SportRules kOpenWater = in_water(5, true);
constexpr SportRules kBoat = outdoors(12);
constexpr SportRules kSnow = outdoors(60);
constexpr SportRules kSkate = outdoors(30);
constexpr SportRules kUnknown = outdoors(40);

}  // namespace

const SportRules& sport_rules(Sport sport) {
  switch (sport) {
    case Sport::run:
      return kRun;
    case Sport::trail_run:
    case Sport::walk:
    case Sport::hike:
    case Sport::mountaineering:
      return kTrail;
    case Sport::treadmill:
      return kTreadmill;
    case Sport::ride:
    case Sport::mountain_bike:
    case Sport::gravel:
      return kRide;
    case Sport::indoor_ride:
      return kIndoorRide;
    case Sport::virtual_ride:
      return kVirtual;
    case Sport::swim:
    case Sport::dive:
      return kPool;
    case Sport::open_water_swim:
      return kOpenWater;
    case Sport::row:
    case Sport::paddle:
      return kBoat;
    case Sport::indoor_row:
    case Sport::strength:
    case Sport::yoga:
      return kIndoors;
    case Sport::ski:
    case Sport::snowboard:
      return kSnow;
    case Sport::skate:
      return kSkate;
    case Sport::workout:
      return kUnknown;
  }
  return kUnknown;
}

std::optional<double> run_record_mps(double distance_m) {
  struct Record {
    double distance_m;
    double time_s;
  };
  constexpr Record kRecords[] = {{42195, 7235},      {21097.5, 3402}, {10000, 1571}, {5000, 755.36},
                                 {1609.344, 223.13}, {1000, 131.96},  {800, 100.91}, {400, 43.03}};
  for (const Record& record : kRecords) {
    if (distance_m >= record.distance_m) return record.distance_m / record.time_s;
  }
  return std::nullopt;
}

}  // namespace ekiden::activity
