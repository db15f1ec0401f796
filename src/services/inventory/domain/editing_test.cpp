// What people may enter about gear, and which field is named where they may not.
#include "services/inventory/domain/editing.hpp"

#include <gmock/gmock.h>

#include "json/json.hpp"
#include "services/inventory/domain/views.hpp"

namespace ekiden::inventory {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-22T12:00:00Z");

Result<Gear> make(std::string_view json) {
  auto body = json::read<CreateBody>(json);
  if (!body) return body.error();
  return make_gear(*body, kNow);
}

std::string refused_field(std::string_view json) {
  const auto made = make(json);
  return made ? "(accepted)" : made.error().field();
}

TEST(EditingRules, MakesGearOfWhatIsEntered) {
  const auto gear =
      make(R"({"kind":"part","name":" Chain ","component":"chain","brand":"KMC","price_minor":2999,
    "currency":"EUR","bought_on":"2026-01-02","start_distance_m":1000,"start_moving_s":0.5,
    "life_distance_m":3000000,"life_moving_s":360000,"alert_percents":[50,90,100]})");
  ASSERT_TRUE(gear) << gear.error().text();
  EXPECT_EQ(gear->kind, Kind::part);
  EXPECT_EQ(gear->name, "Chain");
  EXPECT_EQ(gear->start, (Use{.distance_m = 1000, .moving_ms = 500}));
  EXPECT_EQ(gear->life.moving_ms, 360'000'000);
  const GearView view = view_of(*gear);
  EXPECT_EQ(view.distance_m, 1000);
  EXPECT_EQ(view.currency, "EUR");
  EXPECT_DOUBLE_EQ(view.cost_per_km_minor.value_or(0), 2999);
}

TEST(EditingRules, NamesTheFieldThatIsOutOfBounds) {
  EXPECT_EQ(refused_field(R"({"kind":"boots","name":"x"})"), "kind");
  EXPECT_EQ(refused_field(R"({"kind":"shoes"})"), "name");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"  "})"), "name");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","brand":")" + std::string(101, 'b') + R"("})"),
            "brand");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","component":"chain"})"), "component");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","price_minor":1})"), "currency");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","currency":"EUR"})"), "price_minor");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","price_minor":-1,"currency":"EUR"})"), "price_minor");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","price_minor":1,"currency":"eur"})"), "currency");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","bought_on":"2026-02-30"})"), "bought_on");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","bought_on":"2027-01-01"})"), "bought_on");
  EXPECT_EQ(
      refused_field(R"({"kind":"shoes","name":"x","bought_on":"2026-01-02","retired_on":"2026-01-01"})"),
      "retired_on");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","start_distance_m":-1})"), "start_distance_m");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","life_distance_m":0})"), "life_distance_m");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","life_moving_s":1e300})"), "life_moving_s");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","alert_percents":[100,80]})"), "alert_percents");
  EXPECT_EQ(refused_field(R"({"kind":"shoes","name":"x","alert_percents":[1,2,3,4,5,6]})"), "alert_percents");
}

TEST(EditingRules, LeavesWhatIsAbsentAndClearsWhatIsNull) {
  const Gear gear = *make(R"({"kind":"shoes","name":"A","brand":"B","price_minor":100,"currency":"EUR",
    "life_distance_m":800000,"alert_percents":[50]})");
  const auto same = apply_change(gear, *json::read<ChangeBody>("{}"), kNow);
  ASSERT_TRUE(same);
  EXPECT_EQ(*same, gear);
  const auto less =
      apply_change(gear,
                   *json::read<ChangeBody>(
                       R"({"brand":null,"price_minor":null,"life_distance_m":null,"alert_percents":null})"),
                   kNow);
  ASSERT_TRUE(less) << less.error().text();
  EXPECT_EQ(less->brand, "");
  EXPECT_EQ(less->currency, "");
  EXPECT_EQ(less->life, Life{});
  EXPECT_EQ(apply_change(gear, *json::read<ChangeBody>(R"({"name":null})"), kNow).error().field(), "name");
}

TEST(EditingRules, AMountingEndsAfterItBegins) {
  const Mounting mounting{.mounting_id = {},
                          .user_id = {},
                          .part_id = {},
                          .bike_id = {},
                          .mounted_at = kNow - std::chrono::hours{2},
                          .unmounted_at = kNow};
  EXPECT_TRUE(check_times(mounting, kNow));
  const auto ended = apply_change(
      mounting, *json::read<MountChangeBody>(R"({"unmounted_at":"2026-11-22T09:00:00Z"})"), kNow);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().field(), "unmounted_at");
  EXPECT_TRUE(
      apply_change(mounting, *json::read<MountChangeBody>(R"({"unmounted_at":null})"), kNow)->covers(kNow));
  EXPECT_FALSE(mounting.covers(kNow)) << "the last instant belongs to the next mounting";
  const Mounting tomorrow{.mounting_id = {},
                          .user_id = {},
                          .part_id = {},
                          .bike_id = {},
                          .mounted_at = kNow + std::chrono::hours{48}};
  EXPECT_EQ(check_times(tomorrow, kNow).error().field(), "mounted_at");
}

TEST(EditingRules, DefaultsAreOfSportsThatThereAreAndEachPieceOnce) {
  const GearId one{Uuid{{1}}};
  const GearId two{Uuid{{2}}};
  const auto read = read_defaults({.sports = {{"run", {one, two, one}}, {"ride", {}}}});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Defaults{{"run", {one, two}}}));
  EXPECT_EQ(read_defaults({.sports = {{"chess", {one}}}}).error().field(), "sports");
}

TEST(EditingRules, AnImageIsWhatItsFirstBytesSay) {
  EXPECT_EQ(image_type("\xff\xd8\xff\xe0 and more"), "image/jpeg");
  EXPECT_EQ(image_type(std::string("\x89PNG\r\n\x1a\n") + "IHDR"), "image/png");
  EXPECT_EQ(image_type(std::string("RIFF\x10\0\0\0WEBPVP8 ", 16)), "image/webp");
  EXPECT_EQ(image_type("RIFF....WAVE"), std::nullopt);
  EXPECT_EQ(image_type("<svg onload=alert(1)>"), std::nullopt);
  EXPECT_EQ(image_type(""), std::nullopt);
}

}  // namespace
}  // namespace ekiden::inventory
