#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/workout/activity/fit/profile.hpp"

namespace ekiden::activity::fit {

/// A refusal that says where: "… (at byte N)". The field is always `file`.
Error fit_error(Errc code, std::string_view slug, std::string_view what, std::size_t offset);

constexpr std::uint32_t kFitEpoch_s = 631'065'600;         ///< 1989-12-31T00:00:00Z in Unix time
constexpr std::uint32_t kRelativeTimeEnd_s = 0x1000'0000;  ///< FIT times below this count from power-on.

/// The values of one message, by the slots of profile.hpp: scaled, NaN where absent.
using Slots = std::array<double, kSlotCount>;
constexpr double kAbsentValue = std::numeric_limits<double>::quiet_NaN();

/// How the bytes of a field become a number; the FIT base type without its endianness bit.
enum class BaseType : std::uint8_t {
  enumeration,
  sint8,
  uint8,
  sint16,
  uint16,
  sint32,
  uint32,
  string,
  float32,
  float64,
  uint8z,
  uint16z,
  uint32z,
  byte,
  sint64,
  uint64,
  uint64z,
};
constexpr unsigned kBaseTypeCount = 17;

/// One number to be taken out of a message: value = raw / scale - offset.
struct FieldPlan {
  std::uint32_t position;  ///< bytes from the start of the message's payload
  BaseType type;
  std::uint8_t slot;
  bool scaled;
  double scale;
  double offset;
};

/// A field that is taken as bytes (arrays, packed components); size 0 where the message has none.
struct RawField {
  std::uint32_t position = 0;
  std::uint32_t size = 0;
  BaseType type = BaseType::byte;
};

/// What a definition message says, compiled: which bytes of the data messages that follow go into which slot.
struct Definition {
  bool known = false;
  bool big_endian = false;
  Message message = Message::other;
  std::uint16_t global_number = 0;
  std::uint32_t size = 0;  ///< bytes of the payload, developer fields included
  std::uint32_t plan_count = 0;
  std::array<FieldPlan, kSlotCount> plan;
  std::array<RawField, kRawCount> raw;
};

/// One definition message as it lies in the file: `fields` and `developer_fields` are 3 bytes a field.
struct DefinitionBytes {
  bool big_endian;
  std::uint16_t global_number;
  std::string_view fields;
  std::string_view developer_fields;
};

/// Compiles a definition. Unknown base types, sizes that are no multiple of the type's, repeated fields and
/// fields that the profile does not list are skipped, and only their size counts.
void compile(const DefinitionBytes& bytes, Definition& out);

/// Reads the planned fields of one message into the first `slot_count` slots.
/// @param payload  `definition.size` readable bytes.
void decode(const Definition& definition, const unsigned char* payload, Slots& out);

/// One unsigned number of 1..8 bytes.
std::uint64_t read_uint(const unsigned char* bytes, std::size_t size, bool big_endian);

/// The header of one sequence.
struct Header {
  std::size_t size;       ///< 12 or 14
  std::size_t data_size;  ///< lies inside the file, with two bytes of CRC behind it
};

/// Reads the header at `offset` of `file`.
/// @errors invalid fit-bad-header: no room, size neither 12 nor 14, `.FIT` missing, or more data than the
/// file has.
///         invalid fit-bad-crc: the header's own CRC is given and wrong.
Result<Header> read_header(std::string_view file, std::size_t offset);

/// True where a sequence seems to begin at `offset`: anything else behind a sequence is garbage.
bool looks_like_header(std::string_view file, std::size_t offset);

}  // namespace ekiden::activity::fit
