#include "services/workout/activity/fit/sports.hpp"

#include <cmath>

namespace ekiden::activity::fit {
namespace {

/// FIT's numbers, as far as they decide something.
enum FitSport {
  kGeneric = 0,
  kRunning = 1,
  kCycling = 2,
  kTransition = 3,
  kFitnessEquipment = 4,
  kSwimming = 5,
  kTraining = 10,
  kWalking = 11,
  kCrossCountrySkiing = 12,
  kAlpineSkiing = 13,
  kSnowboarding = 14,
  kRowing = 15,
  kMountaineering = 16,
  kHiking = 17,
  kPaddling = 19,
  kEBiking = 21,
  kInlineSkating = 30,
  kIceSkating = 33,
  kSnowshoeing = 35,
  kStandUpPaddling = 37,
  kKayaking = 41,
  kRafting = 42,
  kFloorClimbing = 48,
  kDiving = 53,
  kSnorkeling = 82,
  kLastSport = 84,
};
enum FitSubSport {
  kTreadmill = 1,
  kTrail = 3,
  kSpin = 5,
  kIndoorCycling = 6,
  kMountain = 8,
  kDownhill = 9,
  kCyclocross = 11,
  kIndoorRowing = 14,
  kElliptical = 15,
  kStairClimbing = 16,
  kLapSwimming = 17,
  kOpenWater = 18,
  kFlexibility = 19,
  kStrength = 20,
  kIndoorSkiing = 25,
  kCardio = 26,
  kIndoorWalking = 27,
  kYoga = 43,
  kPilates = 44,
  kIndoorRunning = 45,
  kGravel = 46,
  kEBikeMountain = 47,
  kMixedSurface = 49,
  kVirtual = 58,
  kIndoorClimbing = 68,
};

Sport read_running(int sub) {
  switch (sub) {
    case kTreadmill:
    case kIndoorRunning:
      return Sport::treadmill;
    case kTrail:
      return Sport::trail_run;
    default:
      return Sport::run;
  }
}

Sport read_cycling(int sub) {
  switch (sub) {
    case kSpin:
    case kIndoorCycling:
      return Sport::indoor_ride;
    case kMountain:
    case kDownhill:
    case kEBikeMountain:
      return Sport::mountain_bike;
    case kGravel:
    case kCyclocross:
    case kMixedSurface:
      return Sport::gravel;
    case kVirtual:
      return Sport::virtual_ride;
    default:
      return Sport::ride;
  }
}

/// Gyms: the sport is "fitness equipment" or "training", and only the sub sport says what was done.
Sport read_indoor(int sub) {
  switch (sub) {
    case kTreadmill:
    case kIndoorRunning:
      return Sport::treadmill;
    case kSpin:
    case kIndoorCycling:
      return Sport::indoor_ride;
    case kIndoorRowing:
      return Sport::indoor_row;
    case kIndoorWalking:
      return Sport::walk;
    case kLapSwimming:
      return Sport::swim;
    case kStrength:
      return Sport::strength;
    case kYoga:
      return Sport::yoga;
    default:
      return Sport::workout;
  }
}

Sport read_outdoor(int sport, int sub) {
  switch (sport) {
    case kRunning:
      return read_running(sub);
    case kCycling:
    case kEBiking:
      return read_cycling(sub);
    case kSwimming:
      return sub == kOpenWater ? Sport::open_water_swim : Sport::swim;
    case kWalking:
      return Sport::walk;
    case kHiking:
    case kSnowshoeing:
      return Sport::hike;
    case kMountaineering:
      return Sport::mountaineering;
    case kCrossCountrySkiing:
    case kAlpineSkiing:
      return Sport::ski;
    case kSnowboarding:
      return Sport::snowboard;
    case kRowing:
      return sub == kIndoorRowing ? Sport::indoor_row : Sport::row;
    case kPaddling:
    case kStandUpPaddling:
    case kKayaking:
    case kRafting:
      return Sport::paddle;
    case kInlineSkating:
    case kIceSkating:
      return Sport::skate;
    case kDiving:
    case kSnorkeling:
      return Sport::dive;
    default:
      return read_indoor(sub);
  }
}

/// Where the altitude means nothing. Virtual rides stay out: their world has hills.
bool is_indoor(int sport, int sub) {
  switch (sub) {
    case kTreadmill:
    case kSpin:
    case kIndoorCycling:
    case kIndoorRowing:
    case kElliptical:
    case kStairClimbing:
    case kLapSwimming:
    case kFlexibility:
    case kStrength:
    case kIndoorSkiing:
    case kCardio:
    case kIndoorWalking:
    case kYoga:
    case kPilates:
    case kIndoorRunning:
    case kIndoorClimbing:
      return true;
    default:
      return sport == kFitnessEquipment || sport == kFloorClimbing;
  }
}

int to_number(double value) {
  return value >= 0 && value <= 255 ? static_cast<int>(value) : -1;
}

}  // namespace

SportReading read_sport(double sport_value, double sub_sport_value) {
  const int sport = to_number(sport_value);
  const int sub = to_number(sub_sport_value);
  SportReading reading;
  if (sport == kTransition) return {Sport::workout, true, false, true};
  reading.sport = read_outdoor(sport, sub);
  reading.is_indoor = is_indoor(sport, sub);
  reading.is_known = reading.sport != Sport::workout || (sport > kGeneric && sport <= kLastSport);
  return reading;
}

}  // namespace ekiden::activity::fit
