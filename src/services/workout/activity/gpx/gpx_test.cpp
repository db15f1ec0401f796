#include "services/workout/activity/gpx/gpx.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/testing/documents.hpp"

namespace ekiden::activity {
namespace {

using ::testing::ElementsAre;
using testing::gpx;
using ::testing::HasSubstr;
using testing::point;

/// A source that gives out a text a few bytes at a time.
class SlowSource final : public ByteSource {
 public:
  explicit SlowSource(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t size = std::min({into.size(), text_.size() - at_, std::size_t{7}});
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(at_), size, into.begin());
    at_ += size;
    return size;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

Activity one(std::string_view document) {
  auto activities = parse_gpx(document, {});
  EXPECT_TRUE(activities.has_value()) << (activities ? "" : activities.error().text());
  if (!activities || activities->size() != 1) return {};
  return std::move(activities->front());
}

Error fault(std::string_view document, const ParseLimits& limits = {}) {
  const auto activities = parse_gpx(document, limits);
  EXPECT_FALSE(activities.has_value());
  return activities ? Error{Errc::internal, "none", "none"} : activities.error();
}

TEST(Gpx, ReadsPointsWithEverySensor) {
  const std::string document =
      gpx("<trkpt lat='1.5' lon='-2.5'><ele>12.25</ele><time>2020-01-01T01:00:00+01:00</time><extensions>"
          "<power>210</power><x:TrackPointExtension><x:hr>141</x:hr><x:cad>85</x:cad><x:atemp>20.5</x:atemp>"
          "<x:speed>3.5</x:speed></x:TrackPointExtension></extensions></trkpt>"
          "<trkpt lat='1.6' "
          "lon='-2.6'><ele/><time>later</time><extensions><y:PowerInWatts>5</y:PowerInWatts></extensions>"
          "<extensions><gpxdata:hr>99</gpxdata:hr><gpxdata:cadence> "
          "7\n</gpxdata:cadence><hAcc>1</hAcc></extensions></trkpt>");
  const Activity activity = one(document);
  EXPECT_EQ(activity.name, "Morning");
  EXPECT_EQ(activity.sport, Sport::run);
  EXPECT_TRUE(activity.sport_is_known);
  EXPECT_EQ(activity.utc_offset, std::chrono::minutes{60});
  const Samples& samples = activity.samples;
  EXPECT_THAT(samples.latitude_deg, ElementsAre(1.5, 1.6));
  EXPECT_THAT(samples.longitude_deg, ElementsAre(-2.5, -2.6));
  EXPECT_THAT(samples.time_ms, ElementsAre(1'577'836'800'000, kNoTime));
  EXPECT_EQ(samples.altitude_m[0], 12.25);
  EXPECT_TRUE(std::isnan(samples.altitude_m[1]));
  EXPECT_THAT(samples.power_w, ElementsAre(210, 5));
  EXPECT_THAT(samples.heart_rate_bpm, ElementsAre(141, 99));
  EXPECT_THAT(samples.cadence_rpm, ElementsAre(85, 7));
  EXPECT_EQ(samples.temperature_c[0], 20.5F);
  EXPECT_EQ(samples.speed_mps[0], 3.5F);
  EXPECT_TRUE(samples.distance_m.empty());
  EXPECT_THAT(activity.warnings, ElementsAre("1 times could not be read and were left out"));
}

TEST(Gpx, SegmentsAndPauseMarksBeginSegments) {
  const Activity activity =
      one(gpx(point("1", "1") + point("1", "2") + point("100", "0") + point("200", "0") + point("1", "3") +
              "</trkseg><trkseg></trkseg></trk><trk><trkseg>" + point("1", "4")));
  EXPECT_EQ(activity.samples.size(), 4U);
  EXPECT_THAT(activity.segment_starts, ElementsAre(0, 2, 3));
}

TEST(Gpx, AFileHasTheNameOfItsFirstTrackElseItsOwn) {
  EXPECT_EQ(
      one("<gpx><name>old &amp; good</name><trk><trkseg>" + point("1", "1") + "</trkseg></trk></gpx>").name,
      "old & good");
  EXPECT_EQ(one("<gpx><metadata><name>m</name></metadata><trk><name><![CDATA[<t>]]>!</name><trkseg>" +
                point("1", "1") + "</trkseg></trk></gpx>")
                .name,
            "<t>!");
}

TEST(Gpx, RefusesAPositionThatIsNoneWithItsPoint) {
  const std::string many(400, '9');
  for (const std::string bad : {"NaN", "91", "-90.5", "1e309", "", "inf", "x", "1,5", many.c_str()}) {
    const Error error = fault(gpx(point("1", "1") + "\n" + point(bad, "1")));
    EXPECT_EQ(error.code(), Errc::invalid) << bad;
    EXPECT_EQ(error.slug(), "invalid-position") << bad;
    EXPECT_EQ(error.field(), "points[1].lat") << bad;
    EXPECT_THAT(error.text(), HasSubstr("line 5: points[1].lat is")) << bad;
  }
  EXPECT_EQ(fault(gpx(point("1", "180.1"))).field(), "points[0].lon");
  EXPECT_EQ(fault(gpx("<trkpt lat='1'/>")).field(), "points[0].lon");
  EXPECT_EQ(fault(gpx("<trkpt lon='1'/>")).field(), "points[0].lat");
  EXPECT_EQ(one(gpx(point("-0", "-180") + point("&#57;0", "1e1"))).samples.size(), 2U);
}

TEST(Gpx, RefusesWhatHoldsNoTrack) {
  EXPECT_EQ(fault("<gpx><wpt lat='1' lon='1'/><rte><rtept lat='x' lon='y'/></rte></gpx>").slug(),
            "no-track-points");
  EXPECT_EQ(fault(gpx("")).slug(), "no-track-points");
  EXPECT_EQ(fault(gpx(point("100", "0"))).slug(), "no-track-points");
  EXPECT_EQ(fault("<kml/>").slug(), "not-gpx");
  EXPECT_EQ(fault("").slug(), "xml-not-well-formed");
}

TEST(Gpx, RefusesTooManyPoints) {
  ParseLimits limits;
  limits.points_max = 300;
  std::string points;
  for (int i = 0; i < 300; ++i) points += point("1", "1");
  EXPECT_EQ(parse_gpx(gpx(points), limits)->front().samples.size(), 300U);
  const Error error = fault(gpx(points + point("1", "1")), limits);
  EXPECT_EQ(error.code(), Errc::too_large);
  EXPECT_EQ(error.slug(), "too-many-points");
}

TEST(Gpx, AColumnThatBeginsLateIsFilledUp) {
  std::string points;
  for (int i = 0; i < 1000; ++i) {
    points +=
        i < 777 ? point("1", "1") : "<trkpt lat='1' lon='1'><ele>" + std::to_string(i) + "</ele></trkpt>";
  }
  const Activity activity = one(gpx(points));
  ASSERT_EQ(activity.samples.altitude_m.size(), 1000U);
  EXPECT_TRUE(std::isnan(activity.samples.altitude_m[776]));
  EXPECT_EQ(activity.samples.altitude_m[777], 777);
  EXPECT_EQ(activity.samples.altitude_m[999], 999);
}

// Points that look alike are taken by a quicker way; a comment in each keeps the scanner from it. Both have
// to read the same, and to refuse the same at the same line.
TEST(Gpx, TheQuickWayReadsWhatTheSlowOneReads) {
  const std::string shapes[] = {
      "<trkpt lat=\"@\" lon=\"@\"><ele>@</ele><time>2020-01-01T00:00:@Z</time>#</trkpt>\n",
      "<trkpt lon='@' lat='@'><ele> @ </ele>#<extensions><a:b "
      "xmlns:a='u'><a:hr>@</a:hr></a:b></extensions></trkpt>",
      "<trkpt lat='@' lon='@'><ele></ele><hdop>@</hdop><ele>@</ele>#</trkpt>",
      "<trkpt lat='@' lon='@'><ele>1<x>@</x>2</ele>text<time>@</time>#</trkpt>\n\n",
      "<trkpt lat='@' lon='@' xmlns='v'><ele>&#49;@</ele>#<speed>@</speed></trkpt>",
  };
  const std::string_view numbers[] = {"1", "-2.5", "35.123456789012345678", "07", "100", "0", "", "12",
                                      "]", "&amp;"};
  std::uint32_t state = 7;
  const auto next = [&](std::uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 16) % bound;
  };
  for (int round = 0; round < 300; ++round) {
    std::string quick;
    std::string slow;
    for (int i = 0; i < 12; ++i) {
      for (const char c : shapes[next(8) < 5 ? static_cast<std::uint32_t>(round) % 5 : next(5)]) {
        const std::string_view number = numbers[next(40) == 0 ? next(10) : next(4)];
        if (c == '@') {
          quick += number;
          slow += number;
        } else if (c == '#') {
          slow += "<!-- -->";
        } else {
          quick += c;
          slow += c;
        }
      }
    }
    const auto a = parse_gpx(gpx(quick), {});
    const auto b = parse_gpx(gpx(slow), {});
    ASSERT_EQ(a.has_value(), b.has_value()) << quick;
    if (!a) {
      EXPECT_EQ(a.error().slug(), b.error().slug()) << quick;
      EXPECT_EQ(a.error().field(), b.error().field()) << quick;
      continue;
    }
    const Samples& x = a->front().samples;
    const Samples& y = b->front().samples;
    EXPECT_EQ(x.latitude_deg, y.latitude_deg) << quick;
    EXPECT_EQ(x.longitude_deg, y.longitude_deg);
    EXPECT_EQ(x.time_ms, y.time_ms);
    EXPECT_EQ(a->front().segment_starts, b->front().segment_starts);
    EXPECT_EQ(a->front().warnings, b->front().warnings);
    ASSERT_EQ(x.altitude_m.size(), y.altitude_m.size()) << quick;
    for (std::size_t i = 0; i < x.altitude_m.size(); ++i) {
      EXPECT_TRUE(x.altitude_m[i] == y.altitude_m[i] ||
                  (std::isnan(x.altitude_m[i]) && std::isnan(y.altitude_m[i])));
    }
    EXPECT_EQ(x.heart_rate_bpm.size(), y.heart_rate_bpm.size());
  }
}

TEST(Gpx, AFaultBehindManyAlikePointsIsFoundThere) {
  std::string points;
  for (int i = 0; i < 500; ++i) points += point("1", "2", "2020-01-01T00:00:00Z");
  EXPECT_THAT(
      fault(gpx(points + "<trkpt lat=\"1\" lon=\"2\"><time>2020-01-01T00:00:00Z</tim></trkpt>")).text(),
      HasSubstr("line 503: an end tag is not </time>"));
  EXPECT_THAT(fault(gpx(points + point("1", "2<", "2020-01-01T00:00:00Z"))).text(),
              HasSubstr("'<' stands in"));
  EXPECT_THAT(fault(gpx(points + point("1", "2", "]]>"))).text(), HasSubstr("']]>'"));
  EXPECT_EQ(fault(gpx(points + point("91", "2", "2020-01-01T00:00:00Z"))).field(), "points[500].lat");
  EXPECT_EQ(fault(gpx(points) + "x").slug(), "xml-not-well-formed");
  EXPECT_EQ(fault(gpx(points + "</trkseg>")).slug(), "xml-not-well-formed");
}

TEST(Gpx, ASourceGivesTheSameAsTheBytes) {
  const std::string document = gpx(point("1.25", "2.5", "2020-01-01T00:00:00Z") + point("1.5", "2.5"));
  SlowSource source{document};
  const auto slow = parse_gpx(source, {});
  ASSERT_TRUE(slow.has_value());
  EXPECT_EQ(slow->front().samples.latitude_deg, one(document).samples.latitude_deg);
  EXPECT_EQ(slow->front().samples.time_ms, one(document).samples.time_ms);
}

TEST(Gpx, PiecesOfAnySizeGiveTheSame) {
  const std::string document = gpx("<trkpt lat='1.5' lon='-2.5'><ele>1<!-- -->2</ele></trkpt>" +
                                   point("1.25", "2.5", "2020-01-01T00:00:00.5Z"));
  for (std::size_t piece = 1; piece < 60; ++piece) {
    GpxReader reader{{}};
    for (std::string_view rest = document; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      ASSERT_TRUE(reader.feed(rest.substr(0, piece)).has_value());
    }
    const auto activities = reader.finish();
    ASSERT_TRUE(activities.has_value());
    EXPECT_EQ(activities->front().samples.altitude_m[0], 12);
    EXPECT_EQ(activities->front().samples.time_ms[1], 1'577'836'800'500);
    EXPECT_EQ(activities->front().name, "Morning");
  }
}

}  // namespace
}  // namespace ekiden::activity
