#include "services/workout/activity/fit/protocol.hpp"

#include <bit>
#include <bitset>
#include <cmath>

#include "services/workout/activity/fit/crc.hpp"

namespace ekiden::activity::fit {
namespace {

constexpr std::array<std::uint8_t, kBaseTypeCount> kTypeSizes{1, 1, 1, 2, 2, 4, 4, 1, 4,
                                                              8, 1, 2, 4, 1, 8, 8, 8};

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

const FieldSpec* find_field(const MessageSpec& spec, std::uint8_t number) {
  for (const FieldSpec& field : spec.fields) {
    if (field.number == number) return &field;
  }
  return nullptr;
}

bool is_number(BaseType type) {
  return type != BaseType::string;
}

double to_signed(std::uint64_t raw, unsigned bits, std::uint64_t invalid) {
  if (raw == invalid) return kAbsentValue;
  const unsigned shift = 64 - bits;
  return static_cast<double>(static_cast<std::int64_t>(raw << shift) >> shift);
}

double to_unsigned(std::uint64_t raw, std::uint64_t invalid) {
  return raw == invalid ? kAbsentValue : static_cast<double>(raw);
}

double finite(double value) {
  return std::isfinite(value) ? value : kAbsentValue;
}

template <class T, bool kBigEndian>
T load(const unsigned char* bytes) {
  T value = 0;
  __builtin_memcpy(&value, bytes, sizeof value);
  if constexpr (kBigEndian && sizeof(T) > 1) value = std::byteswap(value);
  return value;
}

/// One number, NaN where it is the type's invalid value (0xFF…, 0x7F…, 0 for the z types).
template <bool kBigEndian>
double read_number(BaseType type, const unsigned char* at) {
  switch (type) {
    case BaseType::enumeration:
    case BaseType::uint8:
    case BaseType::byte:
      return to_unsigned(*at, 0xFF);
    case BaseType::sint8:
      return to_signed(*at, 8, 0x7F);
    case BaseType::uint8z:
      return to_unsigned(*at, 0);
    case BaseType::sint16:
      return to_signed(load<std::uint16_t, kBigEndian>(at), 16, 0x7FFF);
    case BaseType::uint16:
      return to_unsigned(load<std::uint16_t, kBigEndian>(at), 0xFFFF);
    case BaseType::uint16z:
      return to_unsigned(load<std::uint16_t, kBigEndian>(at), 0);
    case BaseType::sint32:
      return to_signed(load<std::uint32_t, kBigEndian>(at), 32, 0x7FFF'FFFF);
    case BaseType::uint32:
      return to_unsigned(load<std::uint32_t, kBigEndian>(at), 0xFFFF'FFFF);
    case BaseType::uint32z:
      return to_unsigned(load<std::uint32_t, kBigEndian>(at), 0);
    case BaseType::float32:
      return finite(std::bit_cast<float>(load<std::uint32_t, kBigEndian>(at)));
    case BaseType::float64:
      return finite(std::bit_cast<double>(load<std::uint64_t, kBigEndian>(at)));
    case BaseType::sint64:
      return to_signed(load<std::uint64_t, kBigEndian>(at), 64, 0x7FFF'FFFF'FFFF'FFFF);
    case BaseType::uint64:
      return to_unsigned(load<std::uint64_t, kBigEndian>(at), ~std::uint64_t{0});
    case BaseType::uint64z:
      return to_unsigned(load<std::uint64_t, kBigEndian>(at), 0);
    case BaseType::string:
      break;
  }
  return kAbsentValue;
}

template <bool kBigEndian>
void decode_as(const Definition& definition, const unsigned char* payload, Slots& out) {
  for (std::uint32_t i = 0; i < definition.plan_count; ++i) {
    const FieldPlan& plan = definition.plan[i];
    const double raw = read_number<kBigEndian>(plan.type, payload + plan.position);
    out[plan.slot] = plan.scaled ? raw / plan.scale - plan.offset : raw;
  }
}

/// Plans one field. Of a field that is given twice the first counts, so a plan never outgrows its slots.
void plan_field(const FieldSpec& spec, RawField field, std::bitset<256>& planned, Definition& out) {
  if (planned[spec.number]) return;
  planned.set(spec.number);
  if (spec.raw) {
    out.raw[spec.slot] = field;
    return;
  }
  const std::uint32_t type_size = kTypeSizes[static_cast<std::size_t>(field.type)];
  if (!is_number(field.type) || field.size == 0 || field.size % type_size != 0) return;
  out.plan[out.plan_count++] = FieldPlan{
      .position = field.position,
      .type = field.type,
      .slot = spec.slot,
      .scaled = spec.scale != 1 || spec.offset != 0,
      .scale = spec.scale,
      .offset = spec.offset,
  };
}

}  // namespace

Error fit_error(Errc code, std::string_view slug, std::string_view what, std::size_t offset) {
  std::string text(what);
  text += " (at byte ";
  text += std::to_string(offset);
  text += ").";
  return Error{code, std::string(slug), std::move(text), "file"};
}

std::uint64_t read_uint(const unsigned char* bytes, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | bytes[big_endian ? i : size - 1 - i];
  return value;
}

void compile(const DefinitionBytes& bytes, Definition& out) {
  const MessageSpec& spec = message_spec(bytes.global_number);
  out.known = true;
  out.big_endian = bytes.big_endian;
  out.message = spec.message;
  out.global_number = bytes.global_number;
  out.plan_count = 0;
  out.raw = {};
  std::bitset<256> planned;
  std::uint32_t position = 0;
  for (std::size_t at = 0; at + 3 <= bytes.fields.size(); at += 3) {
    const std::uint8_t size = byte_at(bytes.fields, at + 1);
    const unsigned type = byte_at(bytes.fields, at + 2) & 0x1FU;
    const FieldSpec* field = find_field(spec, byte_at(bytes.fields, at));
    if (field != nullptr && type < kBaseTypeCount) {
      plan_field(*field, RawField{position, size, static_cast<BaseType>(type)}, planned, out);
    }
    position += size;
  }
  for (std::size_t at = 0; at + 3 <= bytes.developer_fields.size(); at += 3) {
    position += byte_at(bytes.developer_fields, at + 1);
  }
  out.size = position;
}

void decode(const Definition& definition, const unsigned char* payload, Slots& out) {
  out.fill(kAbsentValue);
  if (definition.big_endian) {
    decode_as<true>(definition, payload, out);
  } else {
    decode_as<false>(definition, payload, out);
  }
}

bool looks_like_header(std::string_view file, std::size_t offset) {
  return file.size() - offset >= 12 && file.substr(offset + 8, 4) == ".FIT";
}

Result<Header> read_header(std::string_view file, std::size_t offset) {
  const std::string_view rest = file.substr(offset);
  const auto bad = [&](std::string_view what, std::size_t at) {
    return fit_error(Errc::invalid, "fit-bad-header", what, offset + at);
  };
  if (rest.size() < 12) return bad("The file ends inside the FIT header", rest.size());
  const std::size_t size = byte_at(rest, 0);
  if (size != 12 && size != 14) return bad("A FIT header has 12 or 14 bytes; this one says otherwise", 0);
  if (rest.substr(8, 4) != ".FIT") return bad("The FIT header lacks its mark \".FIT\"", 8);
  const auto* bytes = reinterpret_cast<const unsigned char*>(rest.data());
  const std::uint64_t data_size = read_uint(bytes + 4, 4, false);
  if (data_size + size + 2 > rest.size()) {
    return bad(
        "The FIT header promises " + std::to_string(data_size) + " bytes of data, more than the file has", 4);
  }
  if (size == 14) {
    const std::uint64_t crc = read_uint(bytes + 12, 2, false);
    if (crc != 0 && crc != crc16(rest.substr(0, 12))) {
      return fit_error(Errc::invalid, "fit-bad-crc", "The checksum of the FIT header is wrong", offset + 12);
    }
  }
  return Header{size, static_cast<std::size_t>(data_size)};
}

}  // namespace ekiden::activity::fit
