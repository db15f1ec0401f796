#include "services/workout/activity/fit/decoder.hpp"

#include <array>
#include <bitset>
#include <cmath>
#include <cstdint>
#include <string>

#include "services/workout/activity/fit/collector.hpp"

namespace ekiden::activity::fit {
namespace {

constexpr unsigned kCompressedBit = 0x80;
constexpr unsigned kDefinitionBit = 0x40;
constexpr unsigned kDeveloperBit = 0x20;

class SequenceDecoder {
 public:
  SequenceDecoder(std::string_view file, std::size_t begin, std::size_t end, const ParseLimits& limits,
                  Recording& out)
      : file_(file),
        bytes_(reinterpret_cast<const unsigned char*>(file.data())),
        at_(begin),
        end_(end),
        out_(out),
        collector_(limits, out) {}

  Result<void> run();

 private:
  Result<void> define(unsigned header);
  Result<void> truncated(std::string_view what) const {
    return fit_error(Errc::invalid, "fit-truncated", what, at_);
  }
  Result<void> beyond_limit() const;
  bool settle_time(bool is_compressed, unsigned header);
  void describe(const Slots& slots);
  void count_undescribed(std::string_view developer_fields);

  std::string_view file_;
  const unsigned char* bytes_;
  std::size_t at_;
  std::size_t end_;
  Recording& out_;
  Collector collector_;
  Slots slots_;
  std::array<Definition, 16> definitions_;
  bool has_time_ = false;
  std::uint32_t last_time_ = 0;
  std::bitset<65536> described_;  ///< developer index * 256 + field number
};

Result<void> SequenceDecoder::run() {
  while (at_ < end_) {
    const unsigned header = bytes_[at_];
    const bool is_compressed = (header & kCompressedBit) != 0;
    if (!is_compressed && (header & kDefinitionBit) != 0) {
      EKIDEN_CHECK(define(header));
      continue;
    }
    const unsigned local = is_compressed ? header >> 5U & 3U : header & 15U;
    const Definition& definition = definitions_[local];
    if (!definition.known) {
      return fit_error(Errc::invalid, "fit-undefined-message",
                       "A FIT data message of local type " + std::to_string(local) + " was never defined",
                       at_);
    }
    if (end_ - at_ - 1 < definition.size) return truncated("The FIT data ends inside a message");
    const unsigned char* payload = bytes_ + at_ + 1;
    decode(definition, payload, slots_);
    if (settle_time(is_compressed, header)) {
      if (!collector_.add(definition, payload, slots_)) return beyond_limit();
      if (definition.message == Message::field_description) describe(slots_);
    }
    at_ += 1 + definition.size;
  }
  return {};
}

/// Fills in a compressed timestamp, and remembers the last time. @return false where there is nothing to
/// count from.
bool SequenceDecoder::settle_time(bool is_compressed, unsigned header) {
  double& time = slots_[kTimestamp];
  if (!(time >= 0 && time <= 4294967294.0)) time = kAbsentValue;
  if (is_compressed && std::isnan(time)) {
    if (!has_time_) {
      ++out_.compressed_without_time;
      return false;
    }
    const std::uint32_t ahead = ((header & 0x1FU) - last_time_) & 0x1FU;
    time = static_cast<double>(last_time_ + ahead);
  }
  if (!std::isnan(time)) {
    last_time_ = static_cast<std::uint32_t>(time);
    has_time_ = true;
  }
  return true;
}

Result<void> SequenceDecoder::define(unsigned header) {
  constexpr std::size_t kFixed = 6;  // header, reserved, architecture, global number (2), field count
  if (end_ - at_ < kFixed) return truncated("The FIT data ends inside a definition");
  const unsigned architecture = bytes_[at_ + 2];
  if (architecture > 1) {
    return fit_error(Errc::invalid, "fit-bad-definition", "A FIT definition is neither little nor big endian",
                     at_ + 2);
  }
  const bool big_endian = architecture == 1;
  DefinitionBytes parts{
      .big_endian = big_endian,
      .global_number = static_cast<std::uint16_t>(read_uint(bytes_ + at_ + 3, 2, big_endian)),
      .fields = {},
      .developer_fields = {},
  };
  const std::size_t fields_size = std::size_t{bytes_[at_ + 5]} * 3;
  std::size_t next = at_ + kFixed;
  if (end_ - next < fields_size) return truncated("The FIT data ends inside a definition");
  parts.fields = file_.substr(next, fields_size);
  next += fields_size;
  if ((header & kDeveloperBit) != 0) {
    if (next >= end_) return truncated("The FIT data ends inside a definition");
    const std::size_t developer_size = std::size_t{bytes_[next]} * 3;
    ++next;
    if (end_ - next < developer_size) return truncated("The FIT data ends inside a definition");
    parts.developer_fields = file_.substr(next, developer_size);
    next += developer_size;
    count_undescribed(parts.developer_fields);
  }
  compile(parts, definitions_[header & 15U]);
  at_ = next;
  return {};
}

void SequenceDecoder::describe(const Slots& slots) {
  const double index = slots[field_description::developer_index];
  const double number = slots[field_description::field_number];
  if (!(index >= 0 && index < 256 && number >= 0 && number < 256)) return;
  described_.set(static_cast<std::size_t>(index) * 256 + static_cast<std::size_t>(number));
}

void SequenceDecoder::count_undescribed(std::string_view developer_fields) {
  for (std::size_t at = 0; at + 3 <= developer_fields.size(); at += 3) {
    const auto number = static_cast<unsigned char>(developer_fields[at]);
    const auto index = static_cast<unsigned char>(developer_fields[at + 2]);
    if (!described_[std::size_t{index} * 256 + number]) ++out_.undescribed_developer_fields;
  }
}

Result<void> SequenceDecoder::beyond_limit() const {
  const std::string_view slug = collector_.excess();
  std::string_view what = "The FIT file holds more laps, lengths or timer events than are taken";
  if (slug == "too-many-points") what = "The FIT file holds more points than are taken";
  if (slug == "too-many-activities") what = "The FIT file holds more activities than are taken";
  return fit_error(Errc::too_large, slug, what, at_);
}

}  // namespace

Result<Recording> decode_sequence(std::string_view file, std::size_t begin, std::size_t end,
                                  const ParseLimits& limits) {
  Recording recording;
  recording.offset = begin;
  SequenceDecoder decoder(file, begin, end, limits, recording);
  EKIDEN_CHECK(decoder.run());
  return recording;
}

}  // namespace ekiden::activity::fit
