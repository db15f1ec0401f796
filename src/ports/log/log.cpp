#include "ports/log/log.hpp"

#include <cstddef>
#include <stdexcept>

namespace ekiden::log {
namespace {

constexpr std::uint32_t kMultiplier = 0x5bd1e995;

std::uint32_t byte_at(std::string_view data, std::size_t index) {
  return static_cast<std::uint8_t>(data[index]);
}

std::uint32_t little_endian(std::string_view data, std::size_t index) {
  return byte_at(data, index) | byte_at(data, index + 1) << 8 | byte_at(data, index + 2) << 16 |
         byte_at(data, index + 3) << 24;
}

std::uint32_t murmur2(std::string_view data) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(data.size());
  std::size_t at = 0;
  for (; at + 4 <= data.size(); at += 4) {
    std::uint32_t word = little_endian(data, at) * kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  const std::size_t rest = data.size() - at;
  if (rest == 3) hash ^= byte_at(data, at + 2) << 16;
  if (rest >= 2) hash ^= byte_at(data, at + 1) << 8;
  if (rest >= 1) hash = (hash ^ byte_at(data, at)) * kMultiplier;
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ hash >> 15;
}

}  // namespace

std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
  if (partitions < 1) throw std::logic_error("partition_of: a topic has at least one partition");
  // Kafka's toPositive: the sign bit is dropped, which is not the same as the absolute value.
  const std::uint32_t positive = murmur2(key) & 0x7fffffffU;
  return static_cast<std::int32_t>(positive % static_cast<std::uint32_t>(partitions));
}

}  // namespace ekiden::log
