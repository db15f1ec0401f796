#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"

namespace ekiden::workout {

/// Where a list by time goes on; what a cursor holds.
struct Place {
  Timestamp at;
  Uuid id;
};

inline std::string write_place(const Place& place) {
  return std::to_string(to_micros(place.at)) + "/" + place.id.to_string();
}

/// @errors invalid `bad-cursor`: not what `write_place` makes.
inline Result<Place> read_place(std::string_view text) {
  std::int64_t micros = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto id = rest.empty() ? std::nullopt : Uuid::parse(rest.substr(1));
  if (error != std::errc{} || !id)
    return Error{Errc::invalid, "bad-cursor", "this cursor is none of this list", "cursor"};
  return Place{from_micros(micros), *id};
}

}  // namespace ekiden::workout
