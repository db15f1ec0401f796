// When gear is told to be worn: each share once, whatever is taken back; anew where the limit changes.
#include "services/inventory/domain/wear.hpp"

#include <gmock/gmock.h>

namespace ekiden::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Gear shoes(std::int64_t distance_m) {
  Gear gear;
  gear.kind = Kind::shoes;
  gear.life.distance_m = 800'000;
  gear.use.distance_m = distance_m;
  return gear;
}

TEST(WearRules, NothingIsUsedOfWhatIsNotExpectedToEnd) {
  Gear gear = shoes(5'000'000);
  gear.life.distance_m.reset();
  EXPECT_EQ(share_used(gear), std::nullopt);
  EXPECT_EQ(percent_used(gear), 0);
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
}

TEST(WearRules, TheLargerOfDistanceAndTimeCounts) {
  Gear gear = shoes(400'000);
  gear.life.moving_ms = 100'000;
  gear.use.moving_ms = 70'000;
  EXPECT_DOUBLE_EQ(share_used(gear).value_or(0), 0.7);
  EXPECT_EQ(percent_used(gear), 70);
}

TEST(WearRules, StartingMileageIsPartOfTheLife) {
  Gear gear = shoes(40'000);
  gear.start.distance_m = 600'000;
  EXPECT_EQ(percent_used(gear), 80);
}

TEST(WearRules, AShareIsReachedAtItsMetreAndNotBefore) {
  Gear gear = shoes(639'999);
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
  gear.use.distance_m += 1;
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80));
  gear.use.distance_m = 799'999;
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
  gear.use.distance_m = 900'000;
  EXPECT_THAT(tell_after_use(gear), ElementsAre(100));
}

TEST(WearRules, SeveralSharesAtOnceAreToldEach) {
  Gear gear = shoes(1'000'000);
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80, 100));
}

TEST(WearRules, WhatIsTakenBackAndComesAgainIsNotToldAgain) {
  Gear gear = shoes(700'000);
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80));
  gear.use.distance_m = 100'000;
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
  gear.use.distance_m = 700'000;
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
}

TEST(WearRules, AnotherLimitForgetsWhatIsNotReachedAnyMoreAndTellsWhatIs) {
  Gear gear = shoes(700'000);
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80));
  gear.life.distance_m = 850'000;
  EXPECT_THAT(tell_after_edit(gear), IsEmpty()) << "82 %: told already";
  gear.life.distance_m = 1'000'000;
  EXPECT_THAT(tell_after_edit(gear), IsEmpty());
  gear.use.distance_m = 800'000;
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80)) << "80 % of another limit";
  gear.life.distance_m = 500'000;
  EXPECT_THAT(tell_after_edit(gear), ElementsAre(100));
}

TEST(WearRules, OfRetiredGearNothingIsToldUntilItIsUsedAgain) {
  Gear gear = shoes(700'000);
  gear.retired_on = "2026-11-22";
  EXPECT_THAT(tell_after_use(gear), IsEmpty());
  gear.retired_on.reset();
  EXPECT_THAT(tell_after_use(gear), ElementsAre(80));
}

}  // namespace
}  // namespace ekiden::inventory
