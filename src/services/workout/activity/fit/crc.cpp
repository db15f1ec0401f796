#include "services/workout/activity/fit/crc.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace ekiden::activity::fit {
namespace {

constexpr std::size_t kLanes = 16;
using Table = std::array<std::uint16_t, 256>;

/// `tables[n][b]` is what byte b contributes when n more bytes follow it, so that 16 bytes need no chain of
/// 16 steps.
constexpr std::array<Table, kLanes> make_tables() {
  std::array<Table, kLanes> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0xA001U : crc >> 1U;
    tables[0][byte] = static_cast<std::uint16_t>(crc);
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const unsigned before = tables[lane - 1][byte];
      tables[lane][byte] = static_cast<std::uint16_t>((before >> 8U) ^ tables[0][before & 0xFFU]);
    }
  }
  return tables;
}

constexpr std::array<Table, kLanes> kTables = make_tables();

}  // namespace

std::uint16_t crc16(std::string_view bytes, std::uint16_t crc) {
  std::array<unsigned char, kLanes> block;
  while (bytes.size() >= kLanes) {
    std::memcpy(block.data(), bytes.data(), kLanes);
    block[0] = static_cast<unsigned char>(block[0] ^ (crc & 0xFFU));
    block[1] = static_cast<unsigned char>(block[1] ^ (crc >> 8U));
    unsigned next = 0;
    for (std::size_t i = 0; i < kLanes; ++i) next ^= kTables[kLanes - 1 - i][block[i]];
    crc = static_cast<std::uint16_t>(next);
    bytes.remove_prefix(kLanes);
  }
  for (const char c : bytes) {
    const unsigned index = (crc ^ static_cast<unsigned char>(c)) & 0xFFU;
    crc = static_cast<std::uint16_t>((crc >> 8U) ^ kTables[0][index]);
  }
  return crc;
}

}  // namespace ekiden::activity::fit
