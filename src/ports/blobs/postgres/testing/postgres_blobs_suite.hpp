#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/blobs/contract/blobs_contract.hpp"
#include "ports/blobs/postgres/postgres_blobs.hpp"
#include "ports/sql/testing/engine.hpp"

namespace ekiden::blobs {
namespace testing {
namespace {

/// Keeps its tables for as long as it lives.
class PlacedBlobs final : public Blobs {
 public:
  PlacedBlobs() {
    const auto steps = sql::migrate(*database, {kBlobsMigration});
    EXPECT_TRUE(steps) << steps.error().text();
  }
  Result<std::unique_ptr<Writer>> create() override { return blobs_->create(); }
  Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const override {
    return blobs_->read(hash, offset, into);
  }
  Result<std::int64_t> size(const Hash& hash) const override { return blobs_->size(hash); }
  Result<bool> remove(const Hash& hash) override { return blobs_->remove(hash); }

  std::int64_t count(const std::string& table) {
    return sql::contract::number(*database, "SELECT count(*) FROM " + table);
  }

  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{11};
  Ids ids{clock, random};
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database = place->open({.clock = &clock});

 private:
  const std::unique_ptr<Blobs> blobs_ = make_postgres_blobs(*database, clock, ids);
};

INSTANTIATE_TEST_SUITE_P(Rows, BlobsContract,
                         ::testing::Values(BlobsMaker{"rows",
                                                      [] { return std::make_unique<PlacedBlobs>(); }}),
                         [](const auto& info) { return info.param.name; });

std::string pattern(std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 131 >> 7U);
  return content;
}

TEST(PostgresBlobs, ALargeOneIsKeptInPartsAndReadAcrossThem) {
  PlacedBlobs store;
  const std::string content = pattern(5 * 512 * 1024 + 77);
  const auto hash = store.put(content);
  ASSERT_TRUE(hash) << hash.error().text();
  EXPECT_EQ(store.count("blob_parts"), 6);
  EXPECT_EQ(store.count("blob_writes"), 0);
  EXPECT_EQ(*store.get(*hash, 1 << 30), content);
  std::string into(512 * 1024 + 2, '.');
  EXPECT_EQ(*store.read(*hash, 512 * 1024 - 1, into), into.size());
  EXPECT_EQ(into, content.substr(512 * 1024 - 1, into.size()));
  EXPECT_TRUE(*store.remove(*hash));
  EXPECT_EQ(store.count("blob_parts"), 0);
}

TEST(PostgresBlobs, TheSecondOfTheSameContentLeavesNoParts) {
  PlacedBlobs store;
  const std::string content = pattern(3 * 512 * 1024);
  ASSERT_TRUE(store.put(content));
  ASSERT_TRUE(store.put(content));
  EXPECT_EQ(store.count("blob_parts"), 3);
  EXPECT_EQ(store.count("blob_writes"), 0);
  EXPECT_EQ(store.count("blobs"), 1);
}

TEST(PostgresBlobs, WhatAnAbandonedWriterLeftIsPurgedAndItsCommitRefused) {
  PlacedBlobs store;
  auto quiet = *store.create();
  ASSERT_TRUE(quiet->write(pattern(512 * 1024)));
  store.clock.advance(std::chrono::hours{1});
  auto busy = *store.create();
  ASSERT_TRUE(busy->write(pattern(2 * 512 * 1024)));
  const auto purged =
      store.database->write([&](sql::Tx& tx) { return purge_abandoned_writes(tx, store.clock.now(), 10); });
  ASSERT_TRUE(purged);
  EXPECT_EQ(*purged, 1);
  EXPECT_EQ(store.count("blob_parts"), 2);
  EXPECT_EQ(quiet->commit().error().code(), Errc::unavailable);
  EXPECT_TRUE(busy->commit());
  EXPECT_EQ(store.count("blobs"), 1);
}

TEST(PostgresBlobs, AWriterThatIsDroppedTakesItsPartsAway) {
  PlacedBlobs store;
  {
    const auto dropped = *store.create();
    ASSERT_TRUE(dropped->write(pattern(512 * 1024)));
    EXPECT_EQ(store.count("blob_parts"), 1);
  }
  // The work was left to the database; closing it finishes that.
  store.database.reset();
  store.database = store.place->open({.clock = &store.clock});
  EXPECT_EQ(store.count("blob_parts"), 0);
  EXPECT_EQ(store.count("blob_writes"), 0);
}

}  // namespace
}  // namespace testing
}  // namespace ekiden::blobs
