#include "services/inventory/domain/views.hpp"

#include "services/inventory/domain/wear.hpp"

namespace ekiden::inventory {

namespace {

constexpr double kMsPerS = 1000;
constexpr std::int64_t kMPerKm = 1000;

double seconds(std::int64_t ms) {
  return static_cast<double>(ms) / kMsPerS;
}

std::optional<double> cost_per_km(const Gear& gear) {
  const std::int64_t distance_m = gear.total().distance_m;
  if (!gear.price_minor || distance_m < kMPerKm) return std::nullopt;
  return static_cast<double>(*gear.price_minor) / (static_cast<double>(distance_m) / kMPerKm);
}

}  // namespace

GearView view_of(const Gear& gear) {
  const Use total = gear.total();
  GearView view{.id = gear.gear_id,
                .kind = std::string(to_string(gear.kind)),
                .component = gear.component,
                .name = gear.name,
                .brand = gear.brand,
                .model = gear.model,
                .notes = gear.notes,
                .price_minor = gear.price_minor,
                .currency = {},
                .bought_on = gear.bought_on,
                .retired_on = gear.retired_on,
                .start_distance_m = gear.start.distance_m,
                .start_moving_s = seconds(gear.start.moving_ms),
                .life_distance_m = gear.life.distance_m,
                .life_moving_s = {},
                .alert_percents = gear.life.alert_percents,
                .distance_m = total.distance_m,
                .moving_s = seconds(total.moving_ms),
                .workout_count = total.workouts,
                .share_used = share_used(gear),
                .cost_per_km_minor = cost_per_km(gear),
                .photo_type = {},
                .version = gear.version,
                .created_at = gear.created_at,
                .changed_at = gear.changed_at};
  if (gear.price_minor) view.currency = gear.currency;
  if (gear.life.moving_ms) view.life_moving_s = seconds(*gear.life.moving_ms);
  if (gear.photo) view.photo_type = gear.photo->type;
  return view;
}

DueView due_view_of(const Gear& gear) {
  const Use total = gear.total();
  DueView view{
      .id = gear.gear_id,
      .kind = std::string(to_string(gear.kind)),
      .name = gear.name,
      .share_used = share_used(gear).value_or(0),
      .due = !gear.life.alert_percents.empty() && percent_used(gear) >= gear.life.alert_percents.front(),
      .distance_left_m = {},
      .moving_left_s = {}};
  if (gear.life.distance_m) view.distance_left_m = *gear.life.distance_m - total.distance_m;
  if (gear.life.moving_ms) view.moving_left_s = seconds(*gear.life.moving_ms - total.moving_ms);
  return view;
}

MonthView view_of(const MonthUse& month) {
  return {.month = month.month,
          .distance_m = month.use.distance_m,
          .moving_s = seconds(month.use.moving_ms),
          .workout_count = month.use.workouts};
}

MountingView view_of(const Mounting& mounting) {
  return {.id = mounting.mounting_id,
          .part_id = mounting.part_id,
          .bike_id = mounting.bike_id,
          .mounted_at = mounting.mounted_at,
          .unmounted_at = mounting.unmounted_at,
          .version = mounting.version};
}

DefaultsView view_of(const DefaultSet& set) {
  return {.sports = set.sports, .version = set.version};
}

}  // namespace ekiden::inventory
