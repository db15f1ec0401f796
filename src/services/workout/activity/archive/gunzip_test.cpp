// gzip: what it holds, and what it may not do.
#include "services/workout/activity/archive/gunzip.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/archive/testing/zip_writer.hpp"

namespace ekiden::activity {
namespace {

using ::testing::HasSubstr;

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i)
    text += "<trkpt lat=\"" + std::to_string(i * 7919 % 100'003) + "\"/>";
  text.resize(size);
  return text;
}

void expect_bad(const Result<std::string>& result, std::string_view why) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::invalid);
  EXPECT_EQ(result.error().slug(), "bad-archive");
  EXPECT_EQ(result.error().field(), "file");
  EXPECT_THAT(result.error().text(), HasSubstr(std::string(why)));
}

TEST(Gunzip, GivesBackWhatWasPacked) {
  for (const std::size_t size : {0UL, 1UL, 65'536UL, 65'537UL, 3'000'000UL}) {
    const std::string text = text_of(size);
    const auto unpacked = gunzip(gzip_for_test(text));
    ASSERT_TRUE(unpacked) << unpacked.error().text();
    EXPECT_TRUE(*unpacked == text) << size;
  }
}

TEST(Gunzip, JoinsSeveralMembers) {
  const auto unpacked = gunzip(gzip_for_test("<gpx>") + gzip_for_test("") + gzip_for_test("</gpx>"));
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(*unpacked, "<gpx></gpx>");
}

TEST(Gunzip, RefusesWhatIsDamagedOrCutShort) {
  const std::string sound = gzip_for_test(text_of(2000));
  for (std::size_t size = 0; size < sound.size(); ++size) {
    EXPECT_FALSE(gunzip(std::string_view(sound).substr(0, size))) << size;
  }
  expect_bad(gunzip(std::string_view(sound).substr(0, sound.size() / 2)), "cut short");
  std::string wrong_crc = sound;
  wrong_crc[wrong_crc.size() - 8] = static_cast<char>(wrong_crc[wrong_crc.size() - 8] ^ 1);
  expect_bad(gunzip(wrong_crc), "damaged");
  expect_bad(gunzip("<gpx>"), "no gzip");
  expect_bad(gunzip(""), "no gzip");
}

TEST(Gunzip, RefusesWhatFollowsTheEnd) {
  const std::string sound = gzip_for_test("<gpx/>");
  expect_bad(gunzip(sound + "x"), "follows");
  expect_bad(gunzip(sound + sound.substr(0, 12)), "cut short");
}

TEST(Gunzip, RefusesAnArchiveInside) {
  expect_bad(gunzip(gzip_for_test(gzip_for_test("<gpx/>"))), "inside");
  expect_bad(gunzip(gzip_for_test(ZipWriter().add({.name = "a", .text = "b"}).file())), "inside");
}

TEST(Gunzip, RefusesABombOnceItIsOne) {
  const std::string bomb = gzip_for_test(std::string(20'000'000, '\0'));
  expect_bad(gunzip(bomb), "200 times");
  std::uint64_t seen = 0;
  const auto count = [&](std::string_view piece) -> Result<void> {
    seen += piece.size();
    return {};
  };
  EXPECT_FALSE(gunzip(bomb, InflateLimits{}, count));
  EXPECT_LE(seen, 6'000'000U);  // little more than 200 times its 20 kB
}

TEST(Gunzip, RefusesABombInPieces) {
  std::string bomb;
  for (int i = 0; i < 50; ++i) bomb += gzip_for_test(std::string(900'000, '\0'));
  expect_bad(gunzip(bomb), "200 times");
}

TEST(Gunzip, HoldsItsSizeLimitToTheByte) {
  InflateLimits limits;
  limits.bytes_max = 1000;
  EXPECT_TRUE(gunzip(gzip_for_test(text_of(1000)), limits));
  expect_bad(gunzip(gzip_for_test(text_of(1001)), limits), "more than 1000 bytes");
  expect_bad(gunzip(gzip_for_test(text_of(600)) + gzip_for_test(text_of(600)), limits),
             "more than 1000 bytes");
}

TEST(Gunzip, SmallFilesMayRepeatThemselves) {
  EXPECT_TRUE(gunzip(gzip_for_test(std::string(1'000'000, ' '))));
}

TEST(Gunzip, StopsWhereTheSinkSaysSo) {
  const auto refuse = [](std::string_view) -> Result<void> {
    return Error{Errc::storage_full, "full", "No room."};
  };
  const auto result = gunzip(gzip_for_test("<gpx/>"), InflateLimits{}, refuse);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::storage_full);
}

}  // namespace
}  // namespace ekiden::activity
