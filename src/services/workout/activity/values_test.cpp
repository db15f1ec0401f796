#include "services/workout/activity/values.hpp"

#include <charconv>
#include <cmath>

#include <gtest/gtest.h>

namespace ekiden::activity {
namespace {

TEST(Values, NumbersAreTheNearestDouble) {
  EXPECT_EQ(parse_number("35.6812"), 35.6812);
  EXPECT_EQ(parse_number(" -122.42667141370475292205810546875\n"), -122.42667141370475);
  EXPECT_EQ(parse_number("+1"), 1.0);
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("5."), 5.0);
  EXPECT_EQ(parse_number("1e-05"), 1e-05);
  EXPECT_EQ(parse_number("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(parse_number("99999999999999999999999"), 1e23);
  EXPECT_FALSE(std::signbit(*parse_number("-0")));
}

TEST(Values, RandomNumbersReadBackExactly) {
  std::uint64_t state = 20'260'501;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const double value = (static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5) * 360;
    char buffer[64];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, i % 18).ptr;
    double expected = 0;
    std::from_chars(buffer, end, expected);
    EXPECT_EQ(parse_number({buffer, end}), expected) << std::string(buffer, end);
  }
}

TEST(Values, OtherTextsAreNoNumbers) {
  for (const std::string text : {"", " ", "x", "NaN", "nan", "inf", "INF", "-", "+", ".", "1,5", "1 2",
                                 "0x10", "1e309", "1e400", "--1", "+-1", "1e", "e5"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_number(std::string(400, '1')), std::nullopt);
  EXPECT_EQ(parse_number("1." + std::string(400, '0')), std::nullopt);
}

std::int64_t time_of(std::string_view text) {
  TimeReader reader;
  const auto time = reader.parse(text);
  return time ? time->unix_ms : -1;
}

TEST(Values, TimesOfEveryForm) {
  EXPECT_EQ(time_of("1970-01-01T00:00:01Z"), 1000);
  EXPECT_EQ(time_of("2021-01-07T21:51:59.179+01:15"), 1'610'051'819'179);
  EXPECT_EQ(time_of("2021-01-07T20:36:59.1799"), 1'610'051'819'179);
  EXPECT_EQ(time_of(" 2021-01-07 20:36:59,179z\n"), 1'610'051'819'179);
  EXPECT_EQ(time_of("2021-01-07T17:06:59-0330"), 1'610'051'819'000);
  EXPECT_EQ(time_of("2016-12-31T23:59:60Z"), 1'483'228'800'000);
  EXPECT_EQ(time_of("2020-02-28T24:00:00Z"), time_of("2020-02-29T00:00:00Z"));
  EXPECT_EQ(time_of("9999-12-31T23:59:59Z"), 253'402'300'799'000);
  TimeReader reader;
  EXPECT_EQ(reader.parse("1901-12-13T20:45:52.2073437Z")->unix_ms, -2'147'483'647'793);
  EXPECT_EQ(reader.parse("1901-12-13T20:45:53+02:00")->utc_offset, std::chrono::minutes{120});
  EXPECT_EQ(reader.parse("1901-12-13T20:45:53+00:00")->utc_offset, std::nullopt);
}

TEST(Values, OtherTextsAreNoTimes) {
  for (const char* text :
       {"", "2021-01-07", "2021-13-07T00:00:00Z", "2021-02-30T00:00:00Z", "2021-01-07T25:00:00Z",
        "2021-01-07T00:60:00Z", "2021-01-07T00:00:61Z", "2021-01-07T00:00:00.Z", "2021-01-07T00:00:00+25:00",
        "2021-01-07T00:00:00+1", "2021-01-07T00:00:00ZZ", "21-01-07T00:00:00Z00", "2021/01/07T00:00:00Z",
        "2021-01-07T24:00:01Z", "xxxx-xx-xxTxx:xx:xxZ"}) {
    EXPECT_EQ(time_of(text), -1) << text;
  }
}

TEST(Values, TimesAreWrittenAsTheyAreRead) {
  for (const char* text : {"2021-01-07T20:36:59.179Z", "1969-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z", "2024-02-29T01:02:03.004Z"}) {
    TimeReader reader;
    EXPECT_EQ(format_time(reader.parse(text)->unix_ms), text);
  }
}

TEST(Values, TextBecomesPlain) {
  EXPECT_EQ(plain_text("  a\nb\x7F\xC2\x85 c ", 200), "a b   c");
  EXPECT_EQ(plain_text("\xC3\xA9\xC3\xA9", 3), "\xC3\xA9");
}

}  // namespace
}  // namespace ekiden::activity
