// Bodies of POST and PATCH /workouts: whatever comes in is refused or makes a workout within its bounds.
#include <cmath>
#include <cstdlib>

#include "json/json.hpp"
#include "services/workout/domain/editing.hpp"
#include "services/workout/domain/views.hpp"

using namespace ekiden;

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

void check(const workout::Workout& workout) {
  require(workout.distance_m >= 0 && workout.distance_m <= 20'000'000);
  require(workout.elapsed_ms >= 1000 && workout.moving_ms >= 0 && workout.moving_ms <= workout.elapsed_ms);
  require(!workout.average_speed_mps || std::isfinite(*workout.average_speed_mps));
  require(workout.gear_ids.size() <= 10 && !workout.name.empty());
  require(json::read<workout::WorkoutView>(json::write(workout::view_of(workout))).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const Timestamp now = from_micros(1'790'000'000'000'000);
  const workout::Person person{.time_zone = "Europe/Berlin"};
  static const workout::Workout kMade = [] {
    workout::CreateBody made;
    made.sport = "run";
    made.start_time = from_micros(1'789'000'000'000'000);
    made.elapsed_s = 3600;
    return workout::make_manual(made, {}, from_micros(1'790'000'000'000'000)).value();
  }();
  if (const auto read = json::read<workout::CreateBody>(body)) {
    if (const auto made = workout::make_manual(*read, person, now)) check(*made);
  }
  if (const auto read = json::read<workout::ChangeBody>(body)) {
    if (const auto edited = workout::apply_change(kMade, *read, person, now)) check(edited->workout);
  }
  return 0;
}
