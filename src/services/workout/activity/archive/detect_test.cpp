// The kind of a file is what its bytes say.
#include "services/workout/activity/archive/detect.hpp"

#include <string>

#include <gtest/gtest.h>

#include "services/workout/activity/fit/testing/fit_writer.hpp"

namespace ekiden::activity {
namespace {

using std::string_literals::operator""s;

std::string utf16(std::string_view text, bool big_endian, bool with_mark) {
  std::string out;
  if (with_mark) out = big_endian ? "\xfe\xff"s : "\xff\xfe"s;
  for (const char c : text) {
    if (big_endian) out += '\0';
    out += c;
    if (!big_endian) out += '\0';
  }
  return out;
}

TEST(Detect, KnowsTheRootElement) {
  EXPECT_EQ(detect("<gpx version='1.1'>"), FileKind::gpx);
  EXPECT_EQ(detect("<gpx>"), FileKind::gpx);
  EXPECT_EQ(detect("<gpx/>"), FileKind::gpx);
  EXPECT_EQ(detect("<ns2:gpx xmlns:ns2='…'>"), FileKind::gpx);
  EXPECT_EQ(detect("<TrainingCenterDatabase\n xmlns='…'>"), FileKind::tcx);
  EXPECT_EQ(detect("<kml>"), FileKind::unknown);
  EXPECT_EQ(detect("<gpxx>"), FileKind::unknown);
  EXPECT_EQ(detect("<GPX>"), FileKind::unknown);
}

TEST(Detect, StepsOverWhatMayComeBeforeTheRoot) {
  EXPECT_EQ(detect("\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- <kml> --> <?style a?>\t<gpx>"), FileKind::gpx);
  EXPECT_EQ(detect("<!DOCTYPE gpx [ <!ENTITY a '>]'> ]><gpx>"), FileKind::gpx);
  EXPECT_EQ(detect("<!-- never ends <gpx>"), FileKind::unknown);
  EXPECT_EQ(detect("<?xml never ends <gpx>"), FileKind::unknown);
  EXPECT_EQ(detect("<!DOCTYPE never ends"), FileKind::unknown);
  EXPECT_EQ(detect("text <gpx>"), FileKind::unknown);
}

TEST(Detect, ReadsUtf16WithAndWithoutItsMark) {
  for (const bool big_endian : {false, true}) {
    for (const bool with_mark : {false, true}) {
      EXPECT_EQ(detect(utf16("<?xml version='1.0'?><gpx>", big_endian, with_mark)), FileKind::gpx);
      EXPECT_EQ(detect(utf16("<TrainingCenterDatabase>", big_endian, with_mark)), FileKind::tcx);
    }
  }
}

TEST(Detect, KnowsBinaryFiles) {
  std::string fit_file = fit::small_activity().file();
  EXPECT_EQ(detect(fit_file), FileKind::fit);
  fit_file[8] = 'X';  // only the mark is damaged
  EXPECT_EQ(detect(fit_file), FileKind::fit);
  EXPECT_EQ(detect(fit_file + "more"), FileKind::unknown);
  EXPECT_EQ(detect("\x1f\x8b\x08"), FileKind::gzip);
  EXPECT_EQ(detect("PK\x03\x04…"), FileKind::zip);
  EXPECT_EQ(detect("PK\x05\x06…"), FileKind::zip);
}

TEST(Detect, RefusesTheRest) {
  for (const std::string& bytes :
       {""s, "<"s,
        "\x7f"
        "ELF\x02\x01\x01"s,
        "\x89PNG\r\n\x1a\n"s, "%PDF-1.7"s, "{}"s, std::string(100, '\0'), "\xff\xfe"s, "PK"s}) {
    const auto kind = detect_or_refuse(bytes);
    ASSERT_FALSE(kind);
    EXPECT_EQ(kind.error().code(), Errc::unsupported);
    EXPECT_EQ(kind.error().slug(), "unsupported-file-type");
  }
  EXPECT_TRUE(detect_or_refuse("<gpx>"));
}

TEST(Detect, LooksAtTheBeginningOnly) {
  EXPECT_EQ(detect("<!--" + std::string(2'000'000, ' ') + "--><gpx>"), FileKind::unknown);
}

}  // namespace
}  // namespace ekiden::activity
