// What a FIT file may do to its reader: damaged headers and checksums, nonsense definitions, hostile sizes.
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/fit/crc.hpp"
#include "services/workout/activity/fit/fit.hpp"
#include "services/workout/activity/fit/testing/fit_writer.hpp"

namespace ekiden::activity::fit {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string slug_of(std::string_view bytes, const ParseLimits& limits = {}) {
  const auto parsed = parse_fit(bytes, limits);
  if (parsed) return "accepted";
  EXPECT_THAT(parsed.error().text(), HasSubstr("at byte "));
  EXPECT_EQ(parsed.error().field(), "file");
  EXPECT_EQ(parsed.error().code(),
            parsed.error().slug().starts_with("too-") || parsed.error().slug() == "fit-too-many-sequences"
                ? Errc::too_large
                : Errc::invalid);
  return parsed.error().slug();
}

/// Rewrites both checksums after a change.
std::string with_crc(std::string file) {
  file.resize(file.size() - 2);
  FitWriter::append_crc(file);
  return file;
}

TEST(FitCrc, IsThatOfTheProtocol) {
  EXPECT_EQ(crc16(""), 0);
  EXPECT_EQ(crc16("123456789"), 0xBB3D);
  const std::string text(1000, 'x');
  std::uint16_t in_parts = 0;
  for (const std::size_t size : {1UL, 15UL, 16UL, 17UL, 951UL})
    in_parts = crc16(text.substr(0, size), in_parts);
  EXPECT_EQ(in_parts, crc16(text));
}

TEST(FitProtocol, ReadsBothHeaderSizes) {
  for (const std::size_t size : {12UL, 14UL}) {
    const auto parsed = parse_fit(small_activity().file(size));
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->front().samples.size(), 10U);
  }
}

TEST(FitProtocol, RefusesOtherHeaderSizes) {
  for (const int size : {0, 11, 13, 15, 255}) {
    std::string file = small_activity().file();
    file[0] = static_cast<char>(size);
    EXPECT_EQ(slug_of(with_crc(file)), "fit-bad-header") << size;
  }
}

TEST(FitProtocol, RefusesAFileWithoutItsMark) {
  std::string file = small_activity().file();
  file[9] = 'X';
  EXPECT_EQ(slug_of(file), "fit-bad-header");
}

TEST(FitProtocol, RefusesAPromiseOfMoreDataThanThereIs) {
  const std::string sound = small_activity().file(12);
  for (const std::uint64_t size : {sound.size() - 13, sound.size(), 0x7FFF'FFFFUL, 0xFFFF'FFFFUL}) {
    std::string file = sound;
    for (std::size_t i = 0; i < 4; ++i) file[4 + i] = static_cast<char>(size >> (8 * i) & 0xFFU);
    EXPECT_EQ(slug_of(file), "fit-bad-header") << size;
  }
}

TEST(FitProtocol, RefusesEveryTruncation) {
  const std::string file = small_activity().file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(slug_of(std::string_view(file).substr(0, size)), "fit-bad-header") << size;
  }
}

TEST(FitProtocol, RefusesAWrongHeaderChecksumAndTakesAnAbsentOne) {
  std::string file = small_activity().file();
  file[12] = static_cast<char>(file[12] ^ 1);
  EXPECT_EQ(slug_of(file), "fit-bad-crc");
  file[12] = file[13] = 0;
  EXPECT_EQ(slug_of(with_crc(file)), "accepted");
}

TEST(FitProtocol, RefusesEverySingleFlippedBitOfTheData) {
  const std::string sound = small_activity().file();
  for (std::size_t i = 14; i < sound.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string file = sound;
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
      EXPECT_EQ(slug_of(file), "fit-bad-crc") << i << " bit " << bit;
    }
  }
}

TEST(FitProtocol, IgnoresGarbageBehindASoundSequence) {
  EXPECT_EQ(slug_of(small_activity().file() + "garbage"), "accepted");
  EXPECT_EQ(slug_of(small_activity().file() + std::string(1000, '\0')), "accepted");
}

TEST(FitProtocol, ReadsChainedSequences) {
  std::string file;
  for (int i = 0; i < 3; ++i) file += small_activity().file();
  const auto parsed = parse_fit(file);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 3U);
}

TEST(FitProtocol, RefusesMoreSequencesThanTheLimit) {
  std::string file;
  for (int i = 0; i < 16; ++i) file += small_activity().file();
  EXPECT_EQ(slug_of(file), "accepted");
  for (int i = 16; i < 10'000; ++i) file += FitWriter().file();
  EXPECT_EQ(slug_of(file), "fit-too-many-sequences");
}

TEST(FitProtocol, RefusesDataWithoutADefinition) {
  FitWriter writer;
  write_file_id(writer).raw(std::string_view("\x05", 1));
  EXPECT_EQ(slug_of(writer.file()), "fit-undefined-message");
  // A compressed header names one of four local types.
  FitWriter compressed;
  write_file_id(compressed).raw(std::string_view("\xE3", 1));
  EXPECT_EQ(slug_of(compressed.file()), "fit-undefined-message");
}

TEST(FitProtocol, ADefinitionHoldsForItsOwnSequenceOnly) {
  const FitWriter second = FitWriter().raw(std::string(14, '\x01'));
  EXPECT_EQ(slug_of(small_activity().file() + second.file()), "fit-undefined-message");
}

TEST(FitProtocol, RefusesAnUnknownArchitecture) {
  FitWriter writer = small_activity();
  writer.raw(std::string_view("\x41\x00\x07\x00\x14\x00", 6));
  EXPECT_EQ(slug_of(writer.file()), "fit-bad-definition");
}

TEST(FitProtocol, NeverReadsPastTheDataInsideADefinitionOrAMessage) {
  FitWriter definition = small_activity();
  definition.raw(std::string_view("\x61\x00\x00\x14\x00\x01\xFD\x04\x86\x02\x00\x01", 12));
  EXPECT_EQ(slug_of(definition.file()), "fit-truncated");
  FitWriter message = small_activity();
  message.raw(std::string_view("\x01\x00\x00", 3));
  EXPECT_EQ(slug_of(message.file()), "fit-truncated");
  FitWriter huge = small_activity();
  huge.define(4, kRecordNumber, std::vector<FieldDefinition>(255, {3, 255, kUint8}))
      .raw(std::string(1, '\x04'));
  EXPECT_EQ(slug_of(huge.file()), "fit-truncated");
}

TEST(FitProtocol, TakesTheFirstOfAFieldThatIsGiven255Times) {
  FitWriter writer;
  write_file_id(writer);
  std::vector<FieldDefinition> fields(254, {3, 255, kUint8});
  fields.insert(fields.begin(), {253, 4, kUint32});
  writer.define(1, kRecordNumber, fields);
  std::string message(1 + 4 + 254 * 255, '\x50');
  message[0] = 1;
  for (std::size_t i = 0; i < 4; ++i) message[1 + i] = static_cast<char>(kStart >> (8 * i) & 0xFFU);
  const auto parsed = parse_fit(writer.raw(message).file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_THAT(parsed->front().samples.heart_rate_bpm, ElementsAre(80.0F));
}

TEST(FitProtocol, SkipsFieldsOfUnknownTypesAndOddSizes) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(
      1, kRecordNumber,
      {{253, 4, kUint32}, {3, 1, 0x1F}, {4, 1, kUint8}, {5, 3, kUint32}, {7, 2, kUint32}, {13, 0, kSint8}});
  writer.data(1, {kStart, 99, 80, 77, 200, 0}).data(1, {kStart + 1, 99, 81, 77, 200, 0});
  const auto parsed = parse_fit(writer.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  const Samples& samples = parsed->front().samples;
  EXPECT_THAT(samples.cadence_rpm, ElementsAre(80.0F, 81.0F));
  EXPECT_TRUE(samples.heart_rate_bpm.empty());
  EXPECT_TRUE(samples.distance_m.empty());
  EXPECT_TRUE(samples.power_w.empty());
}

TEST(FitProtocol, ReadsBigEndianFiles) {
  const auto little = parse_fit(small_activity(10, false).file());
  const auto big = parse_fit(small_activity(10, true).file());
  ASSERT_TRUE(little && big);
  EXPECT_EQ(little->front().samples.time_ms, big->front().samples.time_ms);
  EXPECT_EQ(little->front().samples.distance_m, big->front().samples.distance_m);
  EXPECT_EQ(big->front().recorded.distance_m, 27.0);
  EXPECT_EQ(little->front().device_id, big->front().device_id);
}

TEST(FitProtocol, RedefiningManyTimesCostsOnlyItsBytes) {
  FitWriter writer;
  write_file_id(writer);
  for (int i = 0; i < 160'000; ++i) {
    writer.define(static_cast<std::uint8_t>(i % 16), kRecordNumber, {{253, 4, kUint32}, {3, 1, kUint8}});
  }
  writer.data(1, {kStart, 100}).data(1, {kStart + 1, 101});
  const auto parsed = parse_fit(writer.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->front().samples.size(), 2U);
}

TEST(FitProtocol, CompressedTimestampsCountFromTheLastWholeOne) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(1, kRecordNumber, {{3, 1, kUint8}});
  writer.define(4, kRecordNumber, {{253, 4, kUint32}, {3, 1, kUint8}});
  const auto low = static_cast<std::uint8_t>(kStart & 0x1FU);
  writer.data(4, {kStart, 100});
  for (const int ahead : {1, 5, 31, 40}) writer.compressed(1, static_cast<std::uint8_t>(low + ahead), {101});
  const auto parsed = parse_fit(writer.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_THAT(parsed->front().samples.time_ms, ElementsAre(kStart_ms, kStart_ms + 1000, kStart_ms + 5000,
                                                           kStart_ms + 31'000, kStart_ms + 40'000));
}

TEST(FitProtocol, ACompressedTimestampBeforeAnyWholeOneIsLeftOut) {
  FitWriter writer;
  writer.define(0, kFileIdNumber, {{0, 1, kEnum}}).data(0, {4});
  writer.define(1, kRecordNumber, {{3, 1, kUint8}}).compressed(1, 7, {99});
  writer.define(4, kRecordNumber, {{253, 4, kUint32}, {3, 1, kUint8}}).data(4, {kStart, 100});
  const auto parsed = parse_fit(writer.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_THAT(parsed->front().samples.heart_rate_bpm, ElementsAre(100.0F));
  EXPECT_THAT(parsed->front().warnings, Contains(HasSubstr("1 messages whose time counts from nothing")));
}

TEST(FitProtocol, StepsOverDeveloperFieldsAndWarnsOfUndescribedOnes) {
  FitWriter writer;
  write_file_id(writer);
  writer.define(5, kFieldDescriptionNumber, {{0, 1, kUint8}, {1, 1, kUint8}, {3, 4, kString}});
  writer.data(5, {0, 7, 0x64636261});  // its name is not terminated
  const std::vector<FieldDefinition> fields{{253, 4, kUint32}, {3, 1, kUint8}};
  writer.define(1, kRecordNumber, fields, {{7, 4, 0}}).data(1, {kStart, 100, 0xFFFF'FFFF});
  EXPECT_TRUE(parse_fit(writer.file())->front().warnings.empty());
  writer.define(1, kRecordNumber, fields, std::vector<FieldDefinition>(255, {9, 1, 3}))
      .data(1, {kStart + 1, 101});
  const auto parsed = parse_fit(writer.file());
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_THAT(parsed->front().samples.heart_rate_bpm, ElementsAre(100.0F, 101.0F));
  EXPECT_THAT(parsed->front().warnings, Contains(HasSubstr("255 developer fields without a description")));
}

TEST(FitProtocol, HoldsItsLimits) {
  ParseLimits limits;
  limits.points_max = 10;
  EXPECT_EQ(slug_of(small_activity(10).file(), limits), "accepted");
  EXPECT_EQ(slug_of(small_activity(11).file(), limits), "too-many-points");
  EXPECT_EQ(slug_of(small_activity(6).file() + small_activity(6).file(), limits), "too-many-points");
  limits = {};
  limits.activities_max = 2;
  FitWriter writer = small_activity();
  writer.data(2, {kStart + 1, 1000, 1, 1, 0}).data(2, {kStart + 2, 1000, 1, 1, 0});
  EXPECT_EQ(slug_of(writer.file(), limits), "too-many-activities");
  EXPECT_EQ(slug_of(small_activity().file() + small_activity().file() + small_activity().file(), limits),
            "too-many-activities");
  FitWriter laps = small_activity();
  laps.define(4, kLapNumber, {}).raw(std::string(10'001, '\x04'));
  EXPECT_EQ(slug_of(laps.file()), "too-many-messages");
}

TEST(FitProtocol, SaysWhatAFileThatIsNoActivityIs) {
  FitWriter workout;
  write_file_id(workout, 5);
  const auto parsed = parse_fit(workout.file());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().slug(), "not-an-activity");
  EXPECT_THAT(parsed.error().text(), HasSubstr("\"workout\""));
  FitWriter settings;
  write_file_id(settings, 2);
  EXPECT_EQ(slug_of(settings.file()), "not-an-activity");
  FitWriter empty;
  write_file_id(empty, 4);
  EXPECT_EQ(slug_of(empty.file()), "not-an-activity");
  EXPECT_EQ(slug_of(FitWriter().file()), "not-an-activity");
}

TEST(FitProtocol, ACourseIsNoActivityThoughItHasRecords) {
  FitWriter writer;
  write_file_id(writer, 6);
  define_records(writer).data(1, {kStart, 0, 100}).data(1, {kStart + 1, 300, 101});
  EXPECT_EQ(slug_of(writer.file()), "not-an-activity");
}

}  // namespace
}  // namespace ekiden::activity::fit
