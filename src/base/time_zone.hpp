#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace ekiden {

/// True for a name of the IANA time zone database of this machine (`Europe/Berlin`, `UTC`).
bool is_time_zone(std::string_view name);

/// What local clocks of `zone` are ahead of UTC at `at`; nullopt where there is no such zone. @threads any
std::optional<std::chrono::seconds> utc_offset_of(std::string_view zone, Timestamp at);

/// The calendar day that it is at `at` where clocks are ahead of UTC by `offset`.
constexpr std::chrono::year_month_day local_date(Timestamp at, std::chrono::seconds offset) {
  return std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(at + offset)};
}

}  // namespace ekiden
