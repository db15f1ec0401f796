// The samples' own format: what comes back, what it costs, and that damage is found.
#include "services/workout/domain/stream_codec.hpp"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "services/workout/domain/stream_json.hpp"

namespace ekiden::workout {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr float kNoneF = std::numeric_limits<float>::quiet_NaN();

activity::Streams ride(std::size_t size) {
  activity::Streams streams;
  for (std::size_t i = 0; i < size; ++i) {
    const auto at = static_cast<double>(i);
    streams.time_ms.push_back(1'790'000'000'000 + static_cast<std::int64_t>(i) * 1000);
    streams.distance_m.push_back(at * 8.3);
    streams.latitude_deg.push_back(52.5 + at * 7e-5);
    streams.longitude_deg.push_back(-13.4 - at * 3e-5);
    streams.altitude_m.push_back(31.2 + std::sin(at / 50) * 20);
    streams.speed_mps.push_back(8.3F);
    streams.heart_rate_bpm.push_back(i % 10 == 3 ? kNoneF : 140.0F);
  }
  streams.segment_starts = {0, static_cast<std::uint32_t>(size / 2)};
  return streams;
}

TEST(StreamCodec, GivesBackWhatASensorCanTell) {
  const activity::Streams before = ride(1000);
  const auto after = decode_streams(encode_streams(before));
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ(after->time_ms, before.time_ms);
  EXPECT_EQ(after->segment_starts, before.segment_starts);
  EXPECT_TRUE(after->power_w.empty());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(after->latitude_deg[i], before.latitude_deg[i], 5.1e-7);
    EXPECT_NEAR(after->longitude_deg[i], before.longitude_deg[i], 5.1e-7);
    EXPECT_NEAR(after->distance_m[i], before.distance_m[i], 0.0501);
    EXPECT_NEAR(after->altitude_m[i], before.altitude_m[i], 0.0501);
    EXPECT_EQ(std::isnan(after->heart_rate_bpm[i]), i % 10 == 3);
  }
  // Rounding once is rounding for good.
  EXPECT_EQ(encode_streams(*after), encode_streams(before));
}

TEST(StreamCodec, ASampleCostsFewBytes) {
  const std::size_t size = encode_streams(ride(3600)).size();
  EXPECT_LT(size, 3600U * 12);
}

TEST(StreamCodec, OddColumnsComeBack) {
  activity::Streams streams;
  streams.distance_m = {0, 0, 1e14};
  streams.altitude_m = {kNone, kNone, kNone};
  streams.power_w = {kNoneF, 0, 250};
  const auto back = decode_streams(encode_streams(streams));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->time_ms.empty());
  EXPECT_EQ(back->distance_m, streams.distance_m);
  EXPECT_TRUE(std::isnan(back->altitude_m[1]));
  EXPECT_TRUE(std::isnan(back->power_w[0]));
  EXPECT_EQ(back->power_w[2], 250);
  const auto nothing = decode_streams(encode_streams({}));
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->size(), 0U);
}

TEST(StreamCodec, MillisecondsAreKeptWhereThereAreAny) {
  activity::Streams streams;
  streams.time_ms = {1'790'000'000'250, 1'790'000'001'000};
  streams.distance_m = {0, 3};
  EXPECT_EQ(decode_streams(encode_streams(streams))->time_ms, streams.time_ms);
}

TEST(StreamCodec, DamageIsFoundOrHarmless) {
  const std::string good = encode_streams(ride(200));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const auto back = decode_streams(std::string_view(good).substr(0, cut));
    EXPECT_TRUE(!back || back->size() == 200) << cut;
  }
  std::mt19937 random(11);  // NOLINT: the same bytes on every machine
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    const auto back = decode_streams(bad);
    if (back)
      EXPECT_TRUE(back->latitude_deg.empty() || back->latitude_deg.size() == back->size())
          << "seed 11, round " << round;
  }
}

TEST(StreamJson, WritesArraysWithNullForWhatIsAbsent) {
  activity::Streams streams;
  streams.time_ms = {1000, 2500};
  streams.distance_m = {0, 12.34};
  streams.latitude_deg = {-0.05, kNone};
  streams.longitude_deg = {13.4, kNone};
  streams.heart_rate_bpm = {kNoneF, 141};
  const auto types = parse_stream_types("time_s,latlng,distance_m,heart_rate_bpm,power_w,time_s");
  ASSERT_TRUE(types);
  EXPECT_EQ(streams_json(streams, *types),
            R"({"point_count":2,"time_s":[0,1.5],"latlng":[[-0.05,13.4],null],"distance_m":[0,12.3],)"
            R"("heart_rate_bpm":[null,141],"power_w":null})");
  EXPECT_EQ(parse_stream_types("time_s,colour").error().field(), "types");
  EXPECT_EQ(parse_resolution("best").error().field(), "resolution");
  EXPECT_EQ(parse_stream_types("")->size(), kStreamTypes);
}

}  // namespace
}  // namespace ekiden::workout
