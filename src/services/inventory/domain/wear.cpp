#include "services/inventory/domain/wear.hpp"

#include <algorithm>

namespace ekiden::inventory {

namespace {

/// Within bounds that nobody reaches: 64 bits hold a hundred times of both.
std::int64_t percent_of(std::int64_t used, std::optional<std::int64_t> life) {
  if (!life || used <= 0) return 0;
  return used * 100 / *life;
}

double share_of(std::int64_t used, std::int64_t life) {
  return static_cast<double>(std::max<std::int64_t>(used, 0)) / static_cast<double>(life);
}

}  // namespace

std::optional<double> share_used(const Gear& gear) {
  const Use total = gear.total();
  std::optional<double> share;
  if (gear.life.distance_m) share = share_of(total.distance_m, *gear.life.distance_m);
  if (gear.life.moving_ms)
    share = std::max(share.value_or(0), share_of(total.moving_ms, *gear.life.moving_ms));
  return share;
}

std::int64_t percent_used(const Gear& gear) {
  const Use total = gear.total();
  return std::max(percent_of(total.distance_m, gear.life.distance_m),
                  percent_of(total.moving_ms, gear.life.moving_ms));
}

std::vector<std::int64_t> tell_after_use(Gear& gear) {
  std::vector<std::int64_t> reached;
  if (gear.is_retired()) return reached;
  const std::int64_t percent = percent_used(gear);
  for (const std::int64_t share : gear.life.alert_percents) {
    if (share > gear.told_percent && share <= percent) reached.push_back(share);
  }
  if (!reached.empty()) gear.told_percent = reached.back();
  return reached;
}

std::vector<std::int64_t> tell_after_edit(Gear& gear) {
  gear.told_percent = std::min(gear.told_percent, percent_used(gear));
  return tell_after_use(gear);
}

}  // namespace ekiden::inventory
