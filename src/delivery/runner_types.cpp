#include "delivery/runner_types.hpp"

#include <array>

namespace ekiden::delivery {
namespace {

/// FNV-1a over both parts, then SplitMix64's finalizer. @source RFC 9923 (FNV), Steele et al. 2014
std::uint64_t mixed(std::uint64_t seed, std::string_view space, std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    hash = (hash ^ 0xFFU) * 0x100000001B3ULL;
  };
  add(space);
  add(name);
  hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBULL;
  return hash ^ (hash >> 31U);
}

/// Unreadable records have no id of their own that could be trusted: their bytes make one. Not their place:
/// two relays may publish one row twice, and a copy is no second dead letter.
EventId id_of_unreadable(const log::Record& record) {
  std::string bytes = record.value;
  const auto add = [&bytes](std::string_view part) { bytes.append(1, '\0').append(part); };
  add(record.key);
  for (const auto& [name, value] : record.headers) {
    add(name);
    add(value);
  }
  return derived_id("unreadable/" + record.at.topic, bytes);
}

}  // namespace

EventId derived_id(std::string_view space, std::string_view name) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t word = mixed(half * 0x9E3779B97F4A7C15ULL, space, name);
    for (std::size_t i = 0; i < 8; ++i) bytes[half * 8 + i] = static_cast<std::uint8_t>(word >> (8 * i));
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x80U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  return EventId{Uuid{bytes}};
}

std::shared_ptr<Arrived> arrive(log::Record record, std::string_view group) {
  Result<Envelope> event = decode(record);
  const std::string* replay = find_header(record.headers, header::kReplayGroup);
  const std::string* mode = find_header(record.headers, header::kReplayMode);
  const std::string* known_as = find_header(record.headers, header::kEventId);
  auto arrived =
      std::make_shared<Arrived>(Arrived{.record = std::move(record), .event = std::move(event), .id = {}});
  arrived->is_replay = replay != nullptr && *replay == group;
  arrived->is_others = replay != nullptr && !arrived->is_replay;
  arrived->is_discard = arrived->is_replay && mode != nullptr && *mode == "discard";
  std::optional<EventId> known;
  if (known_as != nullptr && replay != nullptr) known = EventId::parse(*known_as);
  if (arrived->event) {
    arrived->id = arrived->event->id;
  } else {
    arrived->id = known ? *known : id_of_unreadable(arrived->record);
  }
  return arrived;
}

}  // namespace ekiden::delivery
