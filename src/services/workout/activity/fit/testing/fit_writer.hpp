#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/workout/activity/fit/crc.hpp"

namespace ekiden::activity::fit {

/// One field of a definition, for tests.
struct FieldDefinition {
  std::uint8_t number;
  std::uint8_t size;
  std::uint8_t type;  ///< as it stands in the file, endianness bit included
};

constexpr std::uint8_t kEnum = 0x00, kSint8 = 0x01, kUint8 = 0x02, kString = 0x07, kByte = 0x0D;
constexpr std::uint8_t kSint16 = 0x83, kUint16 = 0x84, kSint32 = 0x85, kUint32 = 0x86, kFloat32 = 0x88;
constexpr std::uint8_t kUint32z = 0x8C;

/// Writes FIT files, sound and broken ones. Values go into the fields in their order, as many bytes as
/// defined.
class FitWriter {
 public:
  explicit FitWriter(bool big_endian = false) : big_endian_(big_endian) {}

  FitWriter& define(std::uint8_t local, std::uint16_t global, std::vector<FieldDefinition> fields,
                    std::vector<FieldDefinition> developer_fields = {}) {
    byte(0x40U | local | (developer_fields.empty() ? 0U : 0x20U));
    byte(0);
    byte(big_endian_ ? 1 : 0);
    number(global, 2);
    list(fields);
    if (!developer_fields.empty()) list(developer_fields);
    fields.insert(fields.end(), developer_fields.begin(), developer_fields.end());
    definitions_[local] = std::move(fields);
    return *this;
  }

  FitWriter& data(std::uint8_t local, const std::vector<std::uint64_t>& values) {
    byte(local);
    return payload(local, values);
  }

  /// A message with a compressed timestamp: 5 bits of seconds.
  FitWriter& compressed(std::uint8_t local, std::uint8_t seconds, const std::vector<std::uint64_t>& values) {
    byte(0x80U | static_cast<unsigned>(local) << 5U | (seconds & 0x1FU));
    return payload(local, values);
  }

  FitWriter& raw(std::string_view bytes) {
    data_ += bytes;
    return *this;
  }

  const std::string& bytes() const { return data_; }

  /// The file: header, data, checksum.
  std::string file(std::size_t header_size = 14) const {
    std::string out;
    out += static_cast<char>(header_size);
    out += std::string_view("\x10\x08\x08", 3);
    for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(data_.size() >> shift & 0xFFU);
    out += ".FIT";
    if (header_size >= 14) append_crc(out);
    out += data_;
    append_crc(out);
    return out;
  }

  static void append_crc(std::string& out) {
    const unsigned crc = crc16(out);
    out += static_cast<char>(crc & 0xFFU);
    out += static_cast<char>(crc >> 8U);
  }

 private:
  void byte(unsigned value) { data_ += static_cast<char>(value); }

  void number(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t shift = 8 * (big_endian_ ? size - 1 - i : i);
      byte(shift < 64 ? static_cast<unsigned>(value >> shift & 0xFFU) : 0U);
    }
  }

  void list(const std::vector<FieldDefinition>& fields) {
    byte(static_cast<unsigned>(fields.size()));
    for (const FieldDefinition& field : fields) {
      byte(field.number);
      byte(field.size);
      byte(field.type);
    }
  }

  FitWriter& payload(std::uint8_t local, const std::vector<std::uint64_t>& values) {
    const std::vector<FieldDefinition>& fields = definitions_[local];
    for (std::size_t i = 0; i < fields.size(); ++i) number(i < values.size() ? values[i] : 0, fields[i].size);
    return *this;
  }

  bool big_endian_;
  std::string data_;
  std::array<std::vector<FieldDefinition>, 16> definitions_;
};

/// Global message numbers.
constexpr std::uint16_t kFileIdNumber = 0, kSportNumber = 12, kSessionNumber = 18, kLapNumber = 19,
                        kRecordNumber = 20;
constexpr std::uint16_t kEventNumber = 21, kActivityNumber = 34, kLengthNumber = 101, kHrNumber = 132;
constexpr std::uint16_t kFieldDescriptionNumber = 206;

/// 2020-09-13T12:26:40Z, and the same in FIT seconds.
constexpr std::int64_t kStart_ms = 1'600'000'000'000;
constexpr std::uint64_t kStart = 1'600'000'000 - 631'065'600;

/// The file_id of an activity, as local type 0.
inline FitWriter& write_file_id(FitWriter& writer, std::uint64_t type = 4, std::uint64_t serial = 12345) {
  writer.define(0, kFileIdNumber, {{0, 1, kEnum}, {3, 4, kUint32z}, {4, 4, kUint32}});
  return writer.data(0, {type, serial, kStart});
}

/// Defines records with time, distance (cm) and heart rate as local type 1.
inline FitWriter& define_records(FitWriter& writer) {
  return writer.define(1, kRecordNumber, {{253, 4, kUint32}, {5, 4, kUint32}, {3, 1, kUint8}});
}

/// Defines sessions with start, elapsed (ms), distance (cm), sport and sub sport as local type 2.
inline FitWriter& define_sessions(FitWriter& writer) {
  return writer.define(2, kSessionNumber,
                       {{2, 4, kUint32}, {7, 4, kUint32}, {9, 4, kUint32}, {5, 1, kEnum}, {6, 1, kEnum}});
}

/// Defines timer events as local type 3: time, event, type.
inline FitWriter& define_events(FitWriter& writer) {
  return writer.define(3, kEventNumber, {{253, 4, kUint32}, {0, 1, kEnum}, {1, 1, kEnum}});
}

/// An activity with `count` records, one a second and 3 m long, and a session.
inline FitWriter small_activity(std::size_t count = 10, bool big_endian = false) {
  FitWriter writer(big_endian);
  write_file_id(writer);
  define_records(writer);
  for (std::uint64_t i = 0; i < count; ++i) writer.data(1, {kStart + i, i * 300, 120 + i % 40});
  define_sessions(writer);
  const std::uint64_t seconds = count == 0 ? 0 : count - 1;
  writer.data(2, {kStart, seconds * 1000, seconds * 300, 1, 0});
  return writer;
}

}  // namespace ekiden::activity::fit
