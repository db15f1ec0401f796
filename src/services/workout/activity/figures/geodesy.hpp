#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ekiden::activity {

/// The mean radius of the earth. @source IUGG (Moritz 2000)
constexpr double kEarthRadiusM = 6'371'008.8;

/// Great-circle distance in metres on the mean sphere; arguments in degrees.
inline double haversine_m(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kRadians = std::numbers::pi / 180;
  const double phi_a = latitude_a * kRadians;
  const double phi_b = latitude_b * kRadians;
  const double north = std::sin((phi_b - phi_a) / 2);
  const double east = std::sin((longitude_b - longitude_a) * kRadians / 2);
  const double half = north * north + std::cos(phi_a) * std::cos(phi_b) * (east * east);
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(half)));
}

}  // namespace ekiden::activity
