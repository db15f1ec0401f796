#include "json/json.hpp"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace ekiden::json {
namespace {

enum class Visibility : std::uint8_t { everyone, followers, private_ };
BOOST_DESCRIBE_ENUM(Visibility, everyone, followers, private_)

struct Point {
  double lat = 0;
  std::int32_t hr = 0;
};
BOOST_DESCRIBE_STRUCT(Point, (), (lat, hr))

struct Profile {
  std::string name;
  std::optional<double> weight_kg;
};
BOOST_DESCRIBE_STRUCT(Profile, (), (name, weight_kg))

struct Body {
  Profile profile;
  std::vector<Point> points;
  Visibility visibility = Visibility::everyone;
  std::map<std::string, std::uint8_t> counts;
  std::optional<UserId> user_id;
  std::optional<Timestamp> at;
  Patch<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Body, (), (profile, points, visibility, counts, user_id, at, note))

struct Settings {
  static constexpr bool kJsonDefaults = true;
  static constexpr bool kJsonOmitNull = true;
  int limit = 7;
  std::optional<std::string> cursor;
  RawJson extra;
};
BOOST_DESCRIBE_STRUCT(Settings, (), (limit, cursor, extra))

std::string nested(int depth) {
  const auto size = static_cast<std::size_t>(depth);
  return std::string(size, '[') + std::string(size, ']');
}

Error error_of(std::string_view body) {
  const auto body_read = read<Body>(body);
  EXPECT_FALSE(body_read) << body;
  return body_read ? Error{Errc::internal, "none", ""} : body_read.error();
}

TEST(Parse, RefusesWhatStrictJsonDoesNotAllow) {
  const std::vector<std::string> bad = {nested(33),
                                        R"({"a":1,"a":2})",
                                        R"({"a":{"b":1,"\u0062":2}})",
                                        "1e400",
                                        "[-1e400]",
                                        R"("\ud800")",
                                        R"("\udc00")",
                                        R"("\ud800\ud800")",
                                        "\xEF\xBB\xBF{}",
                                        "{} x",
                                        "{}{}",
                                        "\"\xC0\xAF\"",
                                        "\"\xED\xA0\x80\"",
                                        "",
                                        " ",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "// c\n1",
                                        "NaN",
                                        "01",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "'a'",
                                        "\"a\nb\"",
                                        "\"\\x\"",
                                        "[1",
                                        "{\"a\"}",
                                        "tru",
                                        std::string("[\0]", 3),
                                        "1 2"};
  for (const std::string& text : bad) {
    const auto parsed = Document::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Errc::malformed);
    EXPECT_EQ(parsed.error().slug(), "bad-json");
    EXPECT_NE(parsed.error().text().find("at byte"), std::string::npos) << parsed.error().text();
  }
}

TEST(Parse, NamesTheReasonAndThePlace) {
  EXPECT_EQ(Document::parse(R"({"a":1,"a":2})").error().text(),
            "This is not valid JSON: a name stands twice in an object, at byte 9.");
  EXPECT_EQ(Document::parse("[1e400]").error().text(),
            "This is not valid JSON: a number is out of range, at byte 6.");
  EXPECT_EQ(Document::parse("\"ab\xff\"").error().text(),
            "This is not valid JSON: invalid UTF-8, at byte 3.");
  EXPECT_EQ(Document::parse("[1,").error().text(), "This is not valid JSON: it ends too early, at byte 3.");
}

TEST(Parse, RefusesMoreBytesThanItsBound) {
  EXPECT_EQ(Document::parse("[1,2]", {.bytes_max = 4}).error().code(), Errc::too_large);
  EXPECT_TRUE(Document::parse("[1,2]", {.bytes_max = 5}));
}

TEST(Parse, TakesWhatIsAtTheEdge) {
  for (const std::string& text :
       {nested(32), std::string(R"({"a":{"b":1},"b":{"a":1}})"), std::string("1e308"), std::string("1e-400"),
        std::string(R"("\ud83c\udfc3")"), std::string(" {} \n")}) {
    EXPECT_TRUE(Document::parse(text)) << text;
  }
}

TEST(Parse, EveryPrefixOfAGoodTextIsRefusedWithoutHarm) {
  const std::string text = R"({"a":[1,2.5,{"b":"\u00e9"}],"c":null})";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(Document::parse(text.substr(0, size))) << size;
}

TEST(Numbers, RoundTripEveryDouble) {
  std::mt19937_64 bits(20261122);
  for (int i = 0; i < 20'000; ++i) {
    const double number = std::bit_cast<double>(bits());
    if (!std::isfinite(number)) continue;
    const auto read_back = read<double>(write(number));
    ASSERT_TRUE(read_back) << write(number);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*read_back), std::bit_cast<std::uint64_t>(number))
        << write(number);
  }
}

TEST(Write, UsesShortNumbers) {
  EXPECT_TRUE(std::signbit(read<double>(write(-0.0)).value()));
  EXPECT_EQ(write(0.0), "0");
  EXPECT_EQ(write(std::vector<double>{3.5, 3, 0.1, 1e300, -0.25}), "[3.5,3,0.1,1e+300,-0.25]");
  EXPECT_EQ(write(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(write(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()}),
            "[-9223372036854775808]");
  EXPECT_EQ(write(std::vector<bool>{true, false}), "[true,false]");
}

TEST(Write, WritesDescribedStructs) {
  Body body;
  body.profile.name = "a\"b\n";
  body.points = {{.lat = 1.5, .hr = 140}};
  body.visibility = Visibility::private_;
  body.counts = {{"runs", 3}};
  body.at = from_micros(0);
  EXPECT_EQ(write(body),
            R"({"profile":{"name":"a\"b\u000a","weight_kg":null},"points":[{"lat":1.5,"hr":140}],)"
            R"("visibility":"private","counts":{"runs":3},"user_id":null,"at":"1970-01-01T00:00:00Z"})");
  body.note = Patch<std::string>::null();
  EXPECT_NE(write(body).find(R"("note":null)"), std::string::npos);
}

TEST(Write, OmitsNullWhereTheTypeSaysSo) {
  EXPECT_EQ(write(Settings{}), R"({"limit":7,"extra":null})");
  Settings settings;
  settings.extra.text = R"({"a":[1]})";
  EXPECT_EQ(write(settings), R"({"limit":7,"extra":{"a":[1]}})");
}

TEST(Read, RoundTrips) {
  const std::string text =
      R"({"profile":{"name":"é","weight_kg":61.5},"points":[{"lat":-1,"hr":3.0}],"visibility":"followers",)"
      R"("counts":{"a":255},"user_id":"017f22e2-79b0-7000-8000-000000000001","at":"2026-11-22T06:30:00Z","note":"n"})";
  const auto body = read<Body>(text);
  ASSERT_TRUE(body) << body.error().text();
  EXPECT_EQ(body->profile.weight_kg, 61.5);
  EXPECT_EQ(body->points.at(0).hr, 3);
  EXPECT_EQ(body->visibility, Visibility::followers);
  EXPECT_EQ(body->counts.at("a"), 255);
  EXPECT_EQ(body->note.value(), "n");
  EXPECT_EQ(read<Body>(write(*body))->user_id, body->user_id);
}

TEST(Read, NamesTheFieldAtFault) {
  const auto check = [](std::string_view text, std::string_view slug, std::string_view field) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code(), Errc::invalid) << text;
    EXPECT_EQ(error.slug(), slug) << text;
    EXPECT_EQ(error.field(), field) << text;
  };
  check("[]", "wrong-type", "");
  check(R"({"role":"admin"})", "unknown-field", "role");
  check(R"({"profile":{"name":"a","weight_lb":1}})", "unknown-field", "profile.weight_lb");
  check(R"({"profile":{}})", "missing-field", "profile.name");
  check(R"({"profile":{"name":"a","weight_kg":"1"}})", "wrong-type", "profile.weight_kg");
  const std::string start = R"({"profile":{"name":"a"},"points":[{"lat":1,"hr":1},)";
  check(start + R"({"lat":true,"hr":1}]})", "wrong-type", "points[1].lat");
  check(start + R"({"lat":1,"hr":1.5}]})", "wrong-type", "points[1].hr");
  check(start + R"({"lat":1,"hr":2147483648}]})", "out-of-range", "points[1].hr");
  const std::string middle = R"({"profile":{"name":"a"},"points":[],"visibility":)";
  check(middle + R"("secret"})", "out-of-range", "visibility");
  check(middle + R"("everyone"})", "missing-field", "counts");
  check(middle + R"("everyone","counts":{"x":256}})", "out-of-range", "counts.x");
  check(middle + R"("everyone","counts":{"x":-1}})", "out-of-range", "counts.x");
  check(middle + R"("everyone","counts":{},"user_id":"1"})", "wrong-type", "user_id");
  check(middle + R"("everyone","counts":{},"at":"yesterday"})", "wrong-type", "at");
}

TEST(Read, PassesOverUnknownMembersWhereAsked) {
  const auto point = read<Point>(R"({"lat":1,"hr":2,"power":3})", Unknown::ignore);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->hr, 2);
}

TEST(Read, KeepsDefaultsWhereTheTypeSaysSo) {
  const auto settings = read<Settings>(R"({"extra":{"b":[1.50,"x"],"a":null}})");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->limit, 7);
  EXPECT_EQ(settings->extra.text, R"({"b":[1.5,"x"],"a":null})");
}

TEST(Read, TellsAbsentFromNullInAPatch) {
  const auto read_note = [](std::string_view note) {
    return read<Body>(R"({"profile":{"name":"a"},"points":[],"visibility":"everyone","counts":{})" +
                      std::string(note) + "}")
        ->note;
  };
  EXPECT_TRUE(read_note("").is_absent());
  EXPECT_TRUE(read_note(R"(,"note":null)").is_null());
  EXPECT_EQ(read_note(R"(,"note":"x")").value(), "x");
  std::optional<std::string> target = "old";
  read_note("").apply_to(target);
  EXPECT_EQ(target, "old");
  read_note(R"(,"note":null)").apply_to(target);
  EXPECT_EQ(target, std::nullopt);
}

TEST(Read, CutsLongNamesInErrors) {
  const Error error = error_of("{\"" + std::string(10'000, 'x') + "\":1}");
  EXPECT_EQ(error.slug(), "unknown-field");
  EXPECT_LT(error.field().size(), 80U);
}

TEST(Schema, SaysWhatReadAccepts) {
  std::string (*schema)() = &schema_of<Profile>;
  EXPECT_EQ(schema(),
            R"({"type":"object","additionalProperties":false,"properties":{"name":{"type":"string"},)"
            R"("weight_kg":{"anyOf":[{"type":"number"},{"type":"null"}]}},"required":["name"]})");
  EXPECT_EQ(schema_of<Visibility>(), R"({"type":"string","enum":["everyone","followers","private"]})");
  EXPECT_EQ((schema_of<std::map<std::string, std::uint8_t>>()),
            R"({"type":"object","additionalProperties":{"type":"integer","minimum":0,"maximum":255}})");
  EXPECT_TRUE(Document::parse(schema_of<Body>()));
  EXPECT_EQ(schema_of<Settings>().find("required"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::json
