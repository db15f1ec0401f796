#pragma once

#include <cstdint>
#include <string_view>

namespace ekiden::activity::fit {

/// The checksum of the FIT protocol: CRC-16 with the reflected polynomial 0xA001, starting at `crc`.
/// The CRC of bytes that end in their own CRC (low byte first) is 0.
std::uint16_t crc16(std::string_view bytes, std::uint16_t crc = 0);

}  // namespace ekiden::activity::fit
