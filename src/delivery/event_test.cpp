// The envelope on the wire: what is written reads back, and every kind of poison is refused by name.
#include "delivery/event.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "delivery/header_codec.hpp"
#include "delivery/testing/database_fixture.hpp"

namespace ekiden::delivery {
namespace {

Envelope sample() {
  Envelope event = testing::event_of("anna", "w1", 3, "workout.recorded");
  event.id = *EventId::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  event.source = "/ekiden/workout";
  event.time = *parse_rfc3339("2026-11-22T06:30:00.123456Z");
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return event;
}

log::Record record_of(const Envelope& event) {
  log::Message message = encode(event, "workouts");
  return {.at = {"workouts", 1},
          .offset = {5},
          .appended_at = event.time,
          .key = message.key,
          .value = message.value,
          .headers = message.headers};
}

void set(log::Record& record, std::string_view name, std::string value) {
  for (auto& [key, old] : record.headers) {
    if (key == name) old = value;
  }
}

TEST(Event, ReadsBackWhatItWrote) {
  const auto read = decode(record_of(sample()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, sample());
  const log::Headers expected = {{"ce_specversion", "1.0"},
                                 {"ce_id", "01890a5d-ac96-774b-bcce-b302099a8057"},
                                 {"ce_source", "/ekiden/workout"},
                                 {"ce_type", "workout.recorded"},
                                 {"ce_subject", "w1"},
                                 {"ce_time", "2026-11-22T06:30:00.123456Z"},
                                 {"ce_partitionkey", "anna"},
                                 {"content-type", "application/json"},
                                 {"ce_schema", "1"},
                                 {"ce_traceparent", sample().traceparent},
                                 {"ce_sequence", "3"}};
  EXPECT_EQ(encode(sample(), "workouts").headers, expected);
}

TEST(Event, PassesOverForeignHeaders) {
  log::Record record = record_of(sample());
  record.headers.emplace_back("ce_newer", "x");
  record.headers.emplace_back("b3", "y");
  EXPECT_TRUE(decode(record));
}

TEST(Event, NamesTheAttributeAtFault) {
  struct Case {
    std::string_view field;
    std::function<void(log::Record&)> spoil;
  };
  const std::vector<Case> cases = {
      {"ce_specversion", [](log::Record& r) { set(r, "ce_specversion", "2.0"); }},
      {"ce_id", [](log::Record& r) { set(r, "ce_id", "17"); }},
      {"ce_id", [](log::Record& r) { set(r, "ce_id", ""); }},
      {"ce_id", [](log::Record& r) { r.headers.emplace_back("ce_id", "twice"); }},
      {"ce_source", [](log::Record& r) { set(r, "ce_source", std::string(600, 'x')); }},
      {"ce_type", [](log::Record& r) { set(r, "ce_type", "Workout Recorded"); }},
      {"ce_subject", [](log::Record& r) { set(r, "ce_subject", "a\nb"); }},
      {"ce_subject", [](log::Record& r) { set(r, "ce_subject", "\xff"); }},
      {"ce_time", [](log::Record& r) { set(r, "ce_time", "yesterday"); }},
      {"ce_partitionkey", [](log::Record& r) { r.key = "berta"; }},
      {"content-type", [](log::Record& r) { set(r, "content-type", "text/plain"); }},
      {"ce_schema", [](log::Record& r) { set(r, "ce_schema", "0"); }},
      {"ce_sequence", [](log::Record& r) { set(r, "ce_sequence", "-1"); }},
      {"ce_sequence", [](log::Record& r) { set(r, "ce_sequence", "3x"); }},
      {"data", [](log::Record& r) { r.value = "{\"n\":"; }},
      {"data", [](log::Record& r) { r.value = ""; }},
      {"ce_specversion", [](log::Record& r) { r.headers.clear(); }}};
  for (const Case& one : cases) {
    log::Record record = record_of(sample());
    one.spoil(record);
    const auto read = decode(record);
    ASSERT_FALSE(read) << one.field;
    EXPECT_EQ(read.error().code(), Errc::malformed);
    EXPECT_EQ(read.error().field(), one.field);
  }
}

TEST(Event, TakesAMebibyteAndNotAByteMore) {
  Envelope event = sample();
  event.data = "\"" + std::string(kDataBytesMax - 2, 'a') + "\"";
  EXPECT_TRUE(check(event));
  event.data.insert(1, "b");
  const auto refused = check(event);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::too_large);
}

TEST(HeaderCodec, KeepsAnyBytesAndRefusesDamage) {
  const log::Headers headers = {{"a", ""}, {"", std::string("\0\xff\n", 3)}, {"name", std::string(300, 'x')}};
  const std::string packed = pack_headers(headers);
  const auto read = unpack_headers(packed);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, headers);
  EXPECT_EQ(unpack_headers("")->size(), 0U);
  for (std::size_t length = 1; length < packed.size(); ++length) {
    const auto torn = unpack_headers(std::string_view(packed).substr(0, length));
    if (torn) {
      EXPECT_LT(torn->size(), headers.size());
    } else {
      EXPECT_EQ(torn.error().code(), Errc::internal);
    }
  }
}

}  // namespace
}  // namespace ekiden::delivery
