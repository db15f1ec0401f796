// What the port itself does, without any engine: values, rows, and the texts of migrations.
#include "ports/sql/sql.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "ports/sql/statements.hpp"

namespace ekiden::sql {
namespace {

Row row(Params values) {
  return Row{std::move(values)};
}

TEST(SqlRow, ReadsEachKindByPosition) {
  const Uuid uuid{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  const Row read = row({true, -7, 1.5, "text", Blob{std::string("a\0b", 3)}, uuid, from_micros(12), nullptr});
  EXPECT_EQ(read.size(), 8U);
  EXPECT_TRUE(read.flag(0));
  EXPECT_EQ(read.integer(1), -7);
  EXPECT_EQ(read.real(2), 1.5);
  EXPECT_EQ(read.text(3), "text");
  EXPECT_EQ(read.bytes(4), std::string("a\0b", 3));
  EXPECT_EQ(read.uuid(5), uuid);
  EXPECT_EQ(read.id<UserId>(5), UserId{uuid});
  EXPECT_EQ(read.time(6), from_micros(12));
  EXPECT_TRUE(read.is_null(7));
}

TEST(SqlRow, AFlagMayArriveAsZeroOrOne) {
  EXPECT_FALSE(row({0}).flag(0));
  EXPECT_TRUE(row({1}).flag(0));
  EXPECT_THROW(row({2}).flag(0), std::logic_error);
}

TEST(SqlRow, ARealMayArriveAsAWholeNumberThatADoubleHoldsExactly) {
  const std::int64_t exact = std::int64_t{1} << 53;
  EXPECT_EQ(row({exact}).real(0), 9007199254740992.0);
  EXPECT_THROW(row({exact + 1}).real(0), std::logic_error);
  EXPECT_THROW(row({1.0}).integer(0), std::logic_error);
}

TEST(SqlRow, AWrongTypeANullOrAMissingColumnIsABug) {
  const Row read = row({nullptr, 1, "short"});
  EXPECT_THROW(read.integer(0), std::logic_error);
  EXPECT_THROW(read.text(1), std::logic_error);
  EXPECT_THROW(read.bytes(2), std::logic_error);
  EXPECT_THROW(read.flag(2), std::logic_error);
  EXPECT_THROW(read.is_null(3), std::logic_error);
  EXPECT_THROW(row({Blob{"fifteen bytes.."}}).uuid(0), std::logic_error);
}

TEST(SqlRow, MaybeTurnsNullIntoNothing) {
  const Row nulls = row({nullptr});
  EXPECT_EQ(nulls.maybe_integer(0), std::nullopt);
  EXPECT_EQ(nulls.maybe_real(0), std::nullopt);
  EXPECT_EQ(nulls.maybe_text(0), std::nullopt);
  EXPECT_EQ(nulls.maybe_time(0), std::nullopt);
  EXPECT_EQ(nulls.maybe_uuid(0), std::nullopt);
  const Row values = row({5, 0.5, "x", Uuid{}});
  EXPECT_EQ(values.maybe_integer(0), 5);
  EXPECT_EQ(values.maybe_real(1), 0.5);
  EXPECT_EQ(values.maybe_text(2), "x");
  EXPECT_EQ(values.maybe_time(0), from_micros(5));
  EXPECT_EQ(values.maybe_uuid(3), Uuid{});
}

TEST(SqlValue, AnOptionalIsItsValueOrNull) {
  EXPECT_TRUE(Value(std::optional<std::string>{}).is_null());
  EXPECT_EQ(row({std::optional<std::string>{"x"}}).text(0), "x");
  EXPECT_EQ(row({std::optional<std::int64_t>{3}}).integer(0), 3);
  EXPECT_TRUE(Value(std::nullopt).is_null());
}

struct SplitCase {
  const char* text;
  std::vector<std::string_view> statements;
};

TEST(SqlStatements, ASemicolonAtTheEndOfALineEndsAStatement) {
  const SplitCase cases[] = {
      {"", {}},
      {"  \n-- nothing;\n\n", {}},
      {"SELECT 1", {"SELECT 1"}},
      {"SELECT 1;", {"SELECT 1"}},
      {"SELECT 1;\nSELECT 2;\n", {"SELECT 1", "SELECT 2"}},
      {"SELECT 1;  \r\nSELECT 2", {"SELECT 1", "SELECT 2"}},
      {"SELECT ';' AS a,\n ';x' AS b;\n", {"SELECT ';' AS a,\n ';x' AS b"}},
      {"-- a comment;\nSELECT 1;", {"-- a comment;\nSELECT 1"}},
      {"SELECT 1\n;\nSELECT 2\n;", {"SELECT 1", "SELECT 2"}},
      {";\n;\n", {}},
      {"SELECT 1; SELECT 2;\n", {"SELECT 1; SELECT 2"}},
  };
  for (const SplitCase& split : cases) {
    EXPECT_EQ(split_statements(split.text), split.statements) << split.text;
  }
}

TEST(SqlStatements, AFingerprintIsThePublishedFnv1a) {
  EXPECT_EQ(fingerprint(""), "cbf29ce484222325");
  EXPECT_EQ(fingerprint("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(fingerprint("foobar"), "85944171f73967e8");
}

}  // namespace
}  // namespace ekiden::sql
