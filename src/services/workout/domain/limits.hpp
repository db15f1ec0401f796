#pragma once

#include <cstddef>

namespace ekiden::workout {

/// What people may write about a workout.
inline constexpr std::size_t kNameChars = 200;
inline constexpr std::size_t kDescriptionChars = 5000;
inline constexpr std::size_t kExternalIdChars = 200;
inline constexpr std::size_t kGearMax = 10;

}  // namespace ekiden::workout
