// Holds the wire form of every event: a field may be added at the end of a golden text, never changed in it.
#include <gtest/gtest.h>

#include "events/catalog.hpp"
#include "events/codec.hpp"

namespace ekiden::events {
namespace {

template <class T>
T id_of(std::uint8_t number) {
  return T{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, number}}};
}

const UserId kUser = id_of<UserId>(1);
const WorkoutId kWorkout = id_of<WorkoutId>(2);
const Timestamp kAt = *parse_rfc3339("2026-11-22T06:30:00.25Z");

UserState user_state() {
  return {.user_id = kUser,
          .version = 1,
          .display_name = "Анна \"A\"",
          .time_zone = "Europe/Berlin",
          .units = "metric",
          .language = "ru",
          .role = "member",
          .visibility = Visibility::only_me,
          .created_at = kAt,
          .sex = "female",
          .birth_year = 1990,
          .weight_kg = 61.5,
          .max_heart_rate_bpm = 188,
          .resting_heart_rate_bpm = std::nullopt,
          .threshold_power_w = std::nullopt};
}

WorkoutState workout_state() {
  return {.workout_id = kWorkout,
          .user_id = kUser,
          .version = 3,
          .sport = "trail_run",
          .name = "Morning",
          .start_time = kAt,
          .end_time = kAt + std::chrono::minutes{61},
          .local_date = "2026-11-22",
          .utc_offset_s = 3600,
          .distance_m = 12'345,
          .moving_ms = 3'600'000,
          .elapsed_ms = 3'660'000,
          .elevation_gain_m = 410,
          .calories_kcal = std::nullopt,
          .average_heart_rate_bpm = 151,
          .average_power_w = std::nullopt,
          .gear_ids = {id_of<UserId>(9).uuid()},
          .visibility = Visibility::followers,
          .ranked = false,
          .unranked_reason = "implausible-speed",
          .source = "fit",
          .best_efforts = {{.distance_m = 1609.344, .elapsed_ms = 300'500, .started_at = kAt}}};
}

constexpr std::string_view kUserGolden =
    R"({"user_id":"01020304-0506-7008-800a-0b0c0d0e0f01","version":1,"display_name":"Анна \"A\"",)"
    R"("time_zone":"Europe/Berlin","units":"metric","language":"ru","role":"member","visibility":"only_me",)"
    R"("created_at":"2026-11-22T06:30:00.250Z","sex":"female","birth_year":1990,"weight_kg":61.5,)"
    R"("max_heart_rate_bpm":188,"resting_heart_rate_bpm":null,"threshold_power_w":null})";

constexpr std::string_view kWorkoutGolden =
    R"({"workout_id":"01020304-0506-7008-800a-0b0c0d0e0f02","user_id":"01020304-0506-7008-800a-0b0c0d0e0f01",)"
    R"("version":3,"sport":"trail_run","name":"Morning","start_time":"2026-11-22T06:30:00.250Z",)"
    R"("end_time":"2026-11-22T07:31:00.250Z","local_date":"2026-11-22","utc_offset_s":3600,"distance_m":12345,)"
    R"("moving_ms":3600000,"elapsed_ms":3660000,"elevation_gain_m":410,"calories_kcal":null,)"
    R"("average_heart_rate_bpm":151,"average_power_w":null,)"
    R"("gear_ids":["01020304-0506-7008-800a-0b0c0d0e0f09"],"visibility":"followers","ranked":false,)"
    R"("unranked_reason":"implausible-speed","source":"fit","best_efforts":[{"distance_m":1609.344,)"
    R"("elapsed_ms":300500,"started_at":"2026-11-22T06:30:00.250Z"}]})";

template <Event T>
void expect_wire(const T& event, std::string_view type, std::string_view topic, std::int64_t sequence,
                 std::string_view golden) {
  const delivery::Envelope envelope = encode(event, "00-trace");
  EXPECT_EQ(envelope.type, type);
  EXPECT_EQ(T::kTopic, topic);
  EXPECT_EQ(envelope.sequence, sequence);
  EXPECT_EQ(envelope.partition_key, kUser.to_string());
  EXPECT_EQ(envelope.traceparent, "00-trace");
  EXPECT_EQ(envelope.data, golden);
  const auto read = decode<T>(envelope);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, event);
}

TEST(Events, KeepTheirWireForm) {
  expect_wire(UserRegistered{user_state()}, "user.registered", "users", 1, kUserGolden);
  expect_wire(UserChanged{user_state()}, "user.changed", "users", 1, kUserGolden);
  expect_wire(UserDeleted{.user_id = kUser, .version = 7}, "user.deleted", "users", 7,
              R"({"user_id":"01020304-0506-7008-800a-0b0c0d0e0f01","version":7})");
  expect_wire(SessionRevoked{.user_id = kUser, .session_id = std::nullopt, .revoked_at = kAt},
              "session.revoked", "users", 0,
              R"({"user_id":"01020304-0506-7008-800a-0b0c0d0e0f01","session_id":null,)"
              R"("revoked_at":"2026-11-22T06:30:00.250Z"})");
  expect_wire(WorkoutRecorded{workout_state()}, "workout.recorded", "workouts", 3, kWorkoutGolden);
  expect_wire(WorkoutChanged{workout_state()}, "workout.changed", "workouts", 3, kWorkoutGolden);
  expect_wire(WorkoutDeleted{.workout_id = kWorkout, .user_id = kUser, .version = 4}, "workout.deleted",
              "workouts", 4,
              R"({"workout_id":"01020304-0506-7008-800a-0b0c0d0e0f02",)"
              R"("user_id":"01020304-0506-7008-800a-0b0c0d0e0f01","version":4})");
  expect_wire(GearWorn{.gear_id = id_of<GearId>(9),
                       .user_id = kUser,
                       .kind = "shoes",
                       .name = "Blue",
                       .share_percent = 80,
                       .distance_m = 640'000,
                       .moving_ms = 225'000'000,
                       .life_distance_m = 800'000,
                       .life_moving_ms = std::nullopt},
              "gear.worn", "inventory", 0,
              R"({"gear_id":"01020304-0506-7008-800a-0b0c0d0e0f09",)"
              R"("user_id":"01020304-0506-7008-800a-0b0c0d0e0f01","kind":"shoes","name":"Blue",)"
              R"("share_percent":80,"distance_m":640000,"moving_ms":225000000,"life_distance_m":800000,)"
              R"("life_moving_ms":null})");
}

TEST(Events, PassOverAddedFieldsAndMissNone) {
  delivery::Envelope envelope = encode(UserDeleted{.user_id = kUser, .version = 2});
  envelope.data.insert(1, R"("reason":{"asked":true},)");
  EXPECT_TRUE(decode<UserDeleted>(envelope));
  envelope.data = R"({"user_id":")" + kUser.to_string() + R"("})";
  const auto missing = decode<UserDeleted>(envelope);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().field(), "version");
}

TEST(Events, RefuseOtherTypesNewerSchemasAndWrongKeys) {
  const delivery::Envelope good = encode(UserDeleted{.user_id = kUser, .version = 2});
  EXPECT_EQ(decode<UserChanged>(good).error().slug(), "not-this-event");
  delivery::Envelope newer = good;
  newer.schema = 2;
  EXPECT_EQ(decode<UserDeleted>(newer).error().code(), Errc::unsupported);
  delivery::Envelope strange = good;
  strange.partition_key = id_of<UserId>(5).to_string();
  EXPECT_EQ(decode<UserDeleted>(strange).error().slug(), "wrong-key");
  delivery::Envelope shifted = good;
  shifted.sequence = 3;
  EXPECT_EQ(decode<UserDeleted>(shifted).error().field(), "ce_sequence");
}

TEST(Events, AsyncApiListsEveryEventWithItsSchema) {
  const auto document = json::Document::parse(asyncapi());
  ASSERT_TRUE(document) << document.error().text();
  const json::Node root = document->root();
  EXPECT_EQ(root.find("asyncapi")->text(), "3.0.0");
  const json::Node messages = *root.find("components")->find("messages");
  EXPECT_EQ(messages.size(), boost::mp11::mp_size<AllEvents>::value);
  const json::Node payload = *messages.find("workout.recorded")->find("payload");
  EXPECT_EQ(payload.find("properties")->find("distance_m")->find("type")->text(), "integer");
  EXPECT_EQ(payload.find("additionalProperties")->boolean(), true);
  const json::Node channel = *root.find("channels")->find("workouts");
  EXPECT_EQ(channel.find("messages")->size(), boost::mp11::mp_size<WorkoutsEvents>::value);
}

}  // namespace
}  // namespace ekiden::events
