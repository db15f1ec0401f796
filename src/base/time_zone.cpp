#include "base/time_zone.hpp"

#include <stdexcept>
#include <string>

#include <date/tz.h>

namespace ekiden {

namespace {

const date::time_zone* find_zone(std::string_view name) {
  if (name.empty() || name.size() > 64) return nullptr;
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::runtime_error&) {  // the library's way of saying that there is no such zone
    return nullptr;
  }
}

}  // namespace

bool is_time_zone(std::string_view name) {
  return find_zone(name) != nullptr;
}

std::optional<std::chrono::seconds> utc_offset_of(std::string_view zone, Timestamp at) {
  const date::time_zone* found = find_zone(zone);
  if (found == nullptr) return std::nullopt;
  return found->get_info(std::chrono::floor<std::chrono::seconds>(at)).offset;
}

}  // namespace ekiden
