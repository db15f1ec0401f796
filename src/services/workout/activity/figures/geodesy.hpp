#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ekiden::activity {

/// The mean radius of the earth. @source IUGG (Moritz 2000)
constexpr double kEarthRadiusM = 6'371'008.8;

/// A place on the mean sphere. Its cosine is worth keeping: each place of a track is the end of one step and
/// the start of the next.
struct Place {
  double phi = 0;  ///< latitude, radians
  double longitude_deg = 0;
  double cosine = 1;  ///< of the latitude

  static constexpr double kRadians = std::numbers::pi / 180;
  static Place at(double latitude_deg, double longitude_deg) {
    const double phi = latitude_deg * kRadians;
    return {phi, longitude_deg, std::cos(phi)};
  }
};

/// Below this angle (1.2 km on the earth) the second term of a series is enough: the third is less than what
/// a double holds beside the first.
constexpr double kSmallAngle = 2e-4;

/// Great-circle distance in metres on the mean sphere, by haversines.
inline double haversine_m(const Place& a, const Place& b) {
  const auto sine = [](double angle) {
    return std::abs(angle) < kSmallAngle ? angle - angle * angle * angle / 6 : std::sin(angle);
  };
  const double north = sine((b.phi - a.phi) / 2);
  const double east = sine((b.longitude_deg - a.longitude_deg) * Place::kRadians / 2);
  const double half = std::sqrt(north * north + a.cosine * b.cosine * (east * east));
  const double angle = half < kSmallAngle ? half + half * half * half / 6 : std::asin(std::min(1.0, half));
  return 2 * kEarthRadiusM * angle;
}

/// The same; arguments in degrees.
inline double haversine_m(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  return haversine_m(Place::at(latitude_a, longitude_a), Place::at(latitude_b, longitude_b));
}

}  // namespace ekiden::activity
