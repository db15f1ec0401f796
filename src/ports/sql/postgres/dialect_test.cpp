#include "ports/sql/postgres/dialect.hpp"

#include <gtest/gtest.h>

namespace ekiden::sql::postgres {
namespace {

TEST(PostgresShape, CountsParametersByTheLargestNumber) {
  EXPECT_EQ(shape_of("SELECT 1").parameters, 0U);
  EXPECT_EQ(shape_of("SELECT a FROM t WHERE b = $2 AND c = $10 AND d = $2").parameters, 10U);
  EXPECT_EQ(shape_of("SELECT '$5', \"$6\", 'it''s $7' -- $8\n/* $9 */ FROM t WHERE a = $1").parameters, 1U);
  EXPECT_EQ(shape_of("SELECT 'open $3").parameters, 0U);
}

TEST(PostgresShape, KnowsWhatOnlyTheLaneMaySay) {
  for (const char* control : {"BEGIN", " commit", "-- a word\nROLLBACK", "/* */ Savepoint a", "SET x = 1",
                              "START TRANSACTION", "END", "release a", "COPY t FROM STDIN", "LISTEN x"})
    EXPECT_TRUE(shape_of(control).is_control) << control;
  for (const char* statement : {"SELECT 1", "UPDATE t SET a = 1", "WITH a AS (SELECT 1) SELECT 2", "",
                                "CREATE TABLE commits (a BIGINT)", "INSERT INTO t VALUES (1)"})
    EXPECT_FALSE(shape_of(statement).is_control) << statement;
}

TEST(PostgresShape, TakesOnlyAPlainSelectForReading) {
  EXPECT_TRUE(shape_of("\n select 1").reads_only);
  for (const char* statement : {"WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "INSERT INTO t VALUES (1)",
                                "DELETE FROM t", "VALUES (1)"})
    EXPECT_FALSE(shape_of(statement).reads_only) << statement;
}

TEST(PostgresDialect, TheTurnOfASchemaIsItsOwn) {
  EXPECT_EQ(schema_turn_texts("a", 5)[1], schema_turn_texts("a", 9)[1]);
  EXPECT_NE(schema_turn_texts("a", 5)[1], schema_turn_texts("b", 5)[1]);
  EXPECT_NE(schema_turn_texts("a", 5)[2].find("= 5"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::sql::postgres
