#pragma once

// Values come back as they were stored; parameters go where their number says.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

inline std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

/// Stores `value` in a column of `type` and reads it again.
inline Result<Row> round_trip(Database& database, const std::string& type, const Value& value) {
  return database.write([&](Tx& tx) -> Result<Row> {
    EKIDEN_CHECK(tx.execute("CREATE TABLE kept (value " + type + ")"));
    EKIDEN_CHECK(tx.execute("INSERT INTO kept (value) VALUES ($1)", {value}));
    EKIDEN_TRY(const Rows rows,
               tx.query("SELECT value FROM kept WHERE value = $1 OR value IS NULL", {value}));
    EKIDEN_CHECK(tx.execute("DROP TABLE kept"));
    if (rows.size() != 1) return Error{Errc::not_found, "no-row", "the value was not found by itself"};
    return rows.front();
  });
}

TEST_P(SqlContract, IntegersKeepAll64Bits) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, (std::int64_t{1} << 53) + 1, Limits::max(), Limits::min()}) {
    const Result<Row> row = round_trip(db(), "BIGINT", value);
    ASSERT_TRUE(ok(row)) << value;
    EXPECT_EQ(row->integer(0), value);
  }
}

TEST_P(SqlContract, DoublesAreExact) {
  using Limits = std::numeric_limits<double>;
  for (const double value :
       {0.0, 0.1, -1.0 / 3.0, 3.0, 1e300, 123456789.123456789, Limits::max(), Limits::min(),
        Limits::denorm_min(), Limits::epsilon(), Limits::infinity(), -Limits::infinity()}) {
    const Result<Row> row = round_trip(db(), "DOUBLE PRECISION", value);
    ASSERT_TRUE(ok(row)) << value;
    EXPECT_EQ(row->real(0), value);
  }
}

TEST_P(SqlContract, TextsAndBytesComeBackAsTheyWere) {
  const std::string long_text(100'000, 'x');
  for (const std::string& value : {std::string(), std::string("it's \"quoted\" \\ $1 ;"),
                                   std::string("Äß 駅伝 🏃"), std::string("line\nline\ttab"), long_text}) {
    const Result<Row> row = round_trip(db(), "TEXT", value);
    ASSERT_TRUE(ok(row));
    EXPECT_EQ(row->text(0), value);
  }
  for (const std::string& value :
       {std::string(), std::string("\0", 1), every_byte(), std::string(1 << 20, '\xff')}) {
    const Result<Row> row = round_trip(db(), "BYTEA", Blob{value});
    ASSERT_TRUE(ok(row));
    EXPECT_EQ(row->bytes(0), value);
  }
}

TEST_P(SqlContract, FlagsIdsAndTimesComeBackAsTheyWere) {
  for (const bool value : {true, false}) {
    const Result<Row> row = round_trip(db(), "BOOLEAN", value);
    ASSERT_TRUE(ok(row));
    EXPECT_EQ(row->flag(0), value);
  }
  const Uuid uuid{{0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 12, 13, 14, 255}};
  const Result<Row> id = round_trip(db(), "BYTEA", UserId{uuid});
  ASSERT_TRUE(ok(id));
  EXPECT_EQ(id->id<UserId>(0), UserId{uuid});
  const Timestamp at = from_micros(-1'234'567'890'123);
  const Result<Row> time = round_trip(db(), "BIGINT", at);
  ASSERT_TRUE(ok(time));
  EXPECT_EQ(time->time(0), at);
}

TEST_P(SqlContract, NullIsNullInEveryType) {
  for (const char* type : {"BIGINT", "DOUBLE PRECISION", "TEXT", "BYTEA", "BOOLEAN"}) {
    const Result<Row> row = round_trip(db(), type, nullptr);
    ASSERT_TRUE(ok(row)) << type;
    EXPECT_TRUE(row->is_null(0)) << type;
  }
}

TEST_P(SqlContract, WhatOneEngineWouldRefuseEveryEngineRefuses) {
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE kept (number DOUBLE PRECISION, text TEXT)")));
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(fails(write(db(), "INSERT INTO kept (number) VALUES ($1)", {not_a_number}), Errc::internal));
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff"), std::string("\xed\xa0\x80")}) {
    EXPECT_TRUE(fails(write(db(), "INSERT INTO kept (text) VALUES ($1)", {text}), Errc::internal));
  }
  EXPECT_EQ(number(db(), "SELECT count(*) FROM kept"), 0);
}

TEST_P(SqlContract, ParametersGoByNumberAndNotByPlace) {
  make_items();
  EXPECT_EQ(value_of(write(db(), "INSERT INTO items (amount, name, id) VALUES ($3, $2, $1)", {1, "a", 5})),
            1);
  EXPECT_EQ(value_of(write(db(), "INSERT INTO items (id, amount) VALUES ($2, $1), ($1, $2)", {7, 8})), 2);
  EXPECT_EQ(number(db(), "SELECT amount FROM items WHERE id = $1", {8}), 7);
  EXPECT_EQ(number(db(), "SELECT id FROM items WHERE amount = $1 AND id = $1 - 4 AND amount = $1", {5}), 1);
  const Result<Rows> many =
      read(db(),
           "SELECT CAST($10 AS BIGINT), CAST($1 AS BIGINT), CAST($9 AS BIGINT), "
           "CAST($2 AS BIGINT) + CAST($3 AS BIGINT) + CAST($4 AS BIGINT) + CAST($5 AS BIGINT) "
           "+ CAST($6 AS BIGINT) + CAST($7 AS BIGINT) + CAST($8 AS BIGINT)",
           {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  ASSERT_TRUE(ok(many));
  EXPECT_EQ(many->at(0).integer(0), 10);
  EXPECT_EQ(many->at(0).integer(1), 1);
  EXPECT_EQ(many->at(0).integer(2), 9);
  EXPECT_EQ(many->at(0).integer(3), 35);
}

TEST_P(SqlContract, IdsAndTextsAreOrderedByTheirBytes) {
  ASSERT_TRUE(ok(write(db(), "CREATE TABLE kept (place BIGINT, bytes BYTEA, text TEXT)")));
  const std::vector<Params> sets = {{1, Blob{std::string("\0", 1)}, "A"},
                                    {2, Blob{"\x7f"}, "Z"},
                                    {3, Blob{"\x80"}, "a"},
                                    {4, Blob{"\x80z"}, "ä"},
                                    {5, Blob{"\xff"}, "駅"}};
  ASSERT_TRUE(ok(db().write([&](Tx& tx) {
    return tx.execute_batch("INSERT INTO kept (place, bytes, text) VALUES ($1, $2, $3)",
                            {sets.rbegin(), sets.rend()});
  })));
  for (const char* column : {"bytes", "text"}) {
    const Result<Rows> rows = read(db(), std::string("SELECT place FROM kept ORDER BY ") + column);
    ASSERT_TRUE(ok(rows));
    for (std::size_t i = 0; i < rows->size(); ++i) {
      EXPECT_EQ((*rows)[i].integer(0), static_cast<std::int64_t>(i + 1)) << column;
    }
  }
}

}  // namespace ekiden::sql::contract
