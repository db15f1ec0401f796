#include "services/inventory/domain/gear.hpp"

#include <algorithm>

namespace ekiden::inventory {

bool is_sport(std::string_view text) {
  return std::ranges::find(kSports, text) != kSports.end();
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::shoes:
      return "shoes";
    case Kind::bike:
      return "bike";
    case Kind::part:
      return "part";
    case Kind::other:
      return "other";
  }
  return "other";
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const Kind kind : {Kind::shoes, Kind::bike, Kind::part, Kind::other}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace ekiden::inventory
