#pragma once

#include <stdexcept>

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "ports/claims/contract/claims_contract.hpp"
#include "ports/claims/sql/sql_claims.hpp"
#include "ports/sql/testing/engine.hpp"

namespace ekiden::claims {
namespace testing {
namespace {

constexpr std::chrono::milliseconds kTtl{1'000};

/// Claims on a place of their own.
class SqlBench final : public ClaimsBench {
 public:
  SqlBench() {
    const auto applied = sql::migrate(*database_, {kClaimsMigration});
    if (!applied) throw std::runtime_error(applied.error().text());
    claims_ = make_sql_claims(*database_, clock_);
  }
  Claims& claims() override { return *claims_; }
  void advance(std::chrono::milliseconds by) override { clock_.advance(by); }
  sql::Database& database() { return *database_; }
  ekiden::testing::ManualClock& clock() { return clock_; }
  std::int64_t rows() {
    return *database_->read([](sql::Tx& tx) -> Result<std::int64_t> {
      EKIDEN_TRY(const sql::Rows counted, tx.query("SELECT COUNT(*) FROM claims"));
      return counted.front().integer(0);
    });
  }

 private:
  ekiden::testing::ManualClock clock_;
  std::unique_ptr<sql::contract::Place> place_ = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database_ = place_->open({.clock = &clock_});
  std::unique_ptr<Claims> claims_;
};

INSTANTIATE_TEST_SUITE_P(Sql, ClaimsContract,
                         ::testing::Values(ClaimsMaker{"sql", [] { return std::make_unique<SqlBench>(); },
                                                       1'000}),
                         [](const auto& info) { return info.param.name; });

TEST(SqlClaims, PurgeTakesWhatEndedLongAgoAndEpochsGoOnGrowing) {
  SqlBench bench;
  const auto old = bench.claims().take("old", "a", kTtl);
  const auto second = bench.claims().take("second", "a", kTtl);
  ASSERT_TRUE(*bench.claims().release(**second));
  EXPECT_EQ(*purge_sql_claims(bench.database(), bench.clock().now(), 10), 0);
  bench.advance(kTtl);
  ASSERT_TRUE(bench.claims().take("young", "a", kTtl));
  const Timestamp now = bench.clock().now();
  EXPECT_EQ(*purge_sql_claims(bench.database(), now, 1), 1);
  EXPECT_EQ(*purge_sql_claims(bench.database(), now, 10), 0);
  bench.advance(std::chrono::milliseconds{1});
  EXPECT_EQ(*purge_sql_claims(bench.database(), bench.clock().now(), 10), 1);
  EXPECT_EQ(bench.rows(), 1);
  const auto anew = bench.claims().take("old", "b", kTtl);
  ASSERT_TRUE(anew && *anew);
  EXPECT_GT((*anew)->epoch, (*old)->epoch);
}

TEST(SqlClaims, WhatEndedADayAgoGoesByItself) {
  SqlBench bench;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(bench.claims().take("k" + std::to_string(i), "a", kTtl));
  bench.advance(std::chrono::hours{24});
  ASSERT_TRUE(bench.claims().take("day", "a", kTtl));
  EXPECT_EQ(bench.rows(), 11);
  bench.advance(std::chrono::hours{1});
  ASSERT_TRUE(bench.claims().take("later", "a", kTtl));
  // Nobody waits for it; the program's own time limit would end this.
  while (bench.rows() > 2) continue;
  EXPECT_EQ(bench.rows(), 2);
}

TEST(SqlClaims, AWallClockThatGoesBackDoesNotLowerAnEpoch) {
  SqlBench bench;
  const auto first = bench.claims().take("k", "a", kTtl);
  ASSERT_TRUE(*bench.claims().release(**first));
  bench.clock().set_wall(bench.clock().now() - std::chrono::hours{1});
  const auto second = bench.claims().take("k", "b", kTtl);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->epoch, (*first)->epoch + 1);
  bench.advance(kTtl);
  const auto third = bench.claims().take("k", "a", kTtl);
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->epoch, (*first)->epoch + 2);
}

TEST(SqlClaims, WorksOnATableOfAnotherNameAndRefusesOthers) {
  SqlBench bench;
  const std::string made =
      "CREATE TABLE send_claims (claim_key TEXT PRIMARY KEY, holder TEXT NOT NULL, "
      "epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL)";
  ASSERT_TRUE(bench.database().write([&](sql::Tx& tx) -> Result<std::int64_t> { return tx.execute(made); }));
  const auto claims = make_sql_claims(bench.database(), bench.clock(), "send_claims");
  EXPECT_TRUE(*claims->take("k", "a", kTtl));
  EXPECT_EQ(bench.rows(), 0);
  for (const char* table : {"", "Claims", "a b", "1a", "a;drop"}) {
    EXPECT_THROW(make_sql_claims(bench.database(), bench.clock(), table), std::invalid_argument) << table;
  }
}

}  // namespace
}  // namespace testing
}  // namespace ekiden::claims
