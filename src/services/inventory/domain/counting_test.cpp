// What a workout gives to which piece of gear.
#include "services/inventory/domain/counting.hpp"

#include <gmock/gmock.h>

namespace ekiden::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

template <class T>
T id_of(std::uint8_t number) {
  return T{Uuid{{number}}};
}

const UserId kAnn = id_of<UserId>(1);
const UserId kBob = id_of<UserId>(2);
const GearId kBike = id_of<GearId>(11);
const GearId kChain = id_of<GearId>(12);
const GearId kForeign = id_of<GearId>(13);
const Timestamp kAt = *parse_rfc3339("2026-11-22T06:30:00Z");

Gear piece(GearId gear_id, UserId owner, Kind kind) {
  Gear gear;
  gear.gear_id = gear_id;
  gear.user_id = owner;
  gear.kind = kind;
  return gear;
}

KnownGear known() {
  KnownGear known;
  known.gear.emplace(kBike, piece(kBike, kAnn, Kind::bike));
  known.gear.emplace(kChain, piece(kChain, kAnn, Kind::part));
  known.gear.emplace(kForeign, piece(kForeign, kBob, Kind::shoes));
  known.on_bike[kBike] = {{.mounting_id = {},
                           .user_id = kAnn,
                           .part_id = kChain,
                           .bike_id = kBike,
                           .mounted_at = kAt,
                           .unmounted_at = kAt + std::chrono::hours{1}}};
  return known;
}

Workout ride(std::vector<GearId> named, std::chrono::minutes after = std::chrono::minutes{0}) {
  return {.workout_id = id_of<WorkoutId>(20),
          .user_id = kAnn,
          .sport = "ride",
          .started_at = kAt + after,
          .month = "2026-11",
          .distance_m = 40'000,
          .moving_ms = 3'600'000,
          .named = std::move(named)};
}

TEST(Counting, ABikeGivesToWhatIsOnItWhenTheWorkoutBegins) {
  const auto entries = entries_of(ride({kBike}), known());
  ASSERT_THAT(entries, ElementsAre(Key(kBike), Key(kChain)));
  EXPECT_EQ(entries.at(kBike).reason, Reason::named);
  EXPECT_EQ(entries.at(kChain).reason, Reason::mounted);
  EXPECT_EQ(entries.at(kChain).use(), (Use{40'000, 3'600'000, 1}));
  EXPECT_THAT(entries_of(ride({kBike}, std::chrono::minutes{60}), known()), ElementsAre(Key(kBike)));
  EXPECT_THAT(entries_of(ride({kBike}, std::chrono::minutes{-1}), known()), ElementsAre(Key(kBike)));
}

TEST(Counting, APartThatIsNamedBesideItsBikeCountsOnce) {
  const auto entries = entries_of(ride({kChain, kBike}), known());
  ASSERT_THAT(entries, ElementsAre(Key(kBike), Key(kChain)));
  EXPECT_EQ(entries.at(kChain).reason, Reason::named);
}

TEST(Counting, ForeignAndUnknownGearGetsNothing) {
  EXPECT_THAT(entries_of(ride({kForeign, id_of<GearId>(99)}), known()), IsEmpty());
}

TEST(Counting, DefaultsCountOnlyWhereNothingIsNamed) {
  Workout workout = ride({});
  workout.defaults = {kBike};
  EXPECT_EQ(entries_of(workout, known()).at(kBike).reason, Reason::by_default);
  workout.named = {kForeign};
  EXPECT_THAT(entries_of(workout, known()), IsEmpty());
}

TEST(Counting, DefaultsAreKeptUntilTheSportOrTheGearChanges) {
  const Workout before = ride({});
  Workout after = before;
  after.distance_m = 1;
  EXPECT_TRUE(keeps_defaults(before, after));
  after.sport = "run";
  EXPECT_FALSE(keeps_defaults(before, after));
  EXPECT_FALSE(keeps_defaults(ride({kBike}), before));
}

TEST(Counting, TheMonthIsTheLocalOne) {
  events::WorkoutState state;
  state.start_time = *parse_rfc3339("2026-10-31T23:30:00Z");
  EXPECT_EQ(counted(state)->month, "2026-10");
  state.utc_offset_s = 3600;
  EXPECT_EQ(counted(state)->month, "2026-11");
  state.local_date = "2026-12-01";
  EXPECT_EQ(counted(state)->month, "2026-12");
  state.local_date = "yesterday";
  EXPECT_EQ(counted(state).error().field(), "local_date");
  state.local_date.reset();
  state.distance_m = -1;
  EXPECT_EQ(counted(state).error().slug(), "negative");
}

}  // namespace
}  // namespace ekiden::inventory
