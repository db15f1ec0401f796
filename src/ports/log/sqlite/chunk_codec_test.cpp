#include "ports/log/sqlite/chunk_codec.hpp"

#include <gmock/gmock.h>

namespace ekiden::log::sqlite {
namespace {

const TopicPartition kAt{"t", 3};
const Timestamp kTime = from_micros(1'790'000'000'000'000);

std::string three_records() {
  std::string body;
  append_to_chunk(body, {"t", "key", "value", {{"a", "b"}}});
  append_to_chunk(body, {"t", "", "", {}});
  append_to_chunk(body, {"t", "k", std::string(70'000, 'v'), {{"c", ""}, {"c", std::string(300, 'd')}}});
  return body;
}

// These bytes lie in people's files: they may not change.
TEST(ChunkCodec, BytesAreAsDocumented) {
  std::string body;
  append_to_chunk(body, {"t", "key", "value", {{"a", "b"}}});
  EXPECT_EQ(body, std::string("\x03\x00\x06\x00\x05\x00\x00\x00key\x01\x00"
                              "a\x01\x00"
                              "bvalue",
                              22));
}

TEST(ChunkCodec, WhatGoesInComesOut) {
  std::vector<Record> records;
  ASSERT_TRUE(decode_chunk(three_records(), kAt, 40, kTime, 0, 10, records));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].at, kAt);
  EXPECT_EQ(records[0].offset, Offset{40});
  EXPECT_EQ(records[0].appended_at, kTime);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].headers, (Headers{{"a", "b"}}));
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[2].offset, Offset{42});
  EXPECT_EQ(records[2].value.size(), 70'000U);
  EXPECT_EQ(records[2].headers[1].second.size(), 300U);
}

TEST(ChunkCodec, BeginsAndEndsWhereItIsAsked) {
  std::vector<Record> records;
  ASSERT_TRUE(decode_chunk(three_records(), kAt, 40, kTime, 41, 1, records));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].offset, Offset{41});
}

TEST(ChunkCodec, ATornChunkIsAnError) {
  const std::string body = three_records();
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{21}, body.size() - 1}) {
    std::vector<Record> records;
    const auto decoded = decode_chunk(std::string_view(body).substr(0, size), kAt, 0, kTime, 0, 10, records);
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code(), Errc::internal);
  }
}

}  // namespace
}  // namespace ekiden::log::sqlite
