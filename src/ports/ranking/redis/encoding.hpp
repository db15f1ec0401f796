#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ports/ranking/ranking.hpp"

/// How a standing lies in a sorted set: under the negated score, as 8 bytes of `reached_at` (big-endian, the
/// sign bit turned) and 16 bytes of user id. Redis orders by score and then by bytes, both rising: more
/// points first, then the earlier, then the smaller id. Beside it a hash leads from the user id to those 8
/// bytes and the score in decimal digits.
namespace ekiden::ranking::encoding {

inline constexpr std::size_t kTimeBytes = 8;
inline constexpr std::size_t kElementBytes = 24;

std::string time_bytes(Timestamp at);
std::string element(const Standing& standing);
/// What a sorted set answers for one member. nullopt where it is none of ours.
std::optional<Standing> standing(std::string_view element, std::string_view negated_score);
/// What the hash holds for this member.
std::optional<Standing> standing_of_hash(UserId member, std::string_view value);
/// Where the claim of an event lies: ids of one minute (65.5 s of a UUID of version 7) share a set.
std::string event_bucket(const EventId& event);

}  // namespace ekiden::ranking::encoding
