#pragma once

// The SQL that stores may use: each statement gives the same rows on every engine.

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

/// `columns` has a letter for each column: t text, i integer, d double, b flag.
struct Answer {
  const char* statement;
  const char* columns;
  Params params;
  const char* rows;  ///< `1|a;2|-`: rows end with `;`, NULL is `-`, flags are T and F
};

inline std::string shown(const Row& row, std::size_t column, char kind) {
  if (row.is_null(column)) return "-";
  switch (kind) {
    case 'i':
      return std::to_string(row.integer(column));
    case 'b':
      return row.flag(column) ? "T" : "F";
    case 'd': {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), row.real(column)).ptr;
      return {digits.data(), end};
    }
    default:
      return row.text(column);
  }
}

inline std::string shown(const Rows& rows, std::string_view columns) {
  std::string text;
  for (const Row& row : rows) {
    EXPECT_EQ(row.size(), columns.size());
    for (std::size_t i = 0; i < row.size() && i < columns.size(); ++i) {
      if (i > 0) text += '|';
      text += shown(row, i, columns[i]);
    }
    text += ';';
  }
  return text;
}

/// Runners and their runs, with every kind of column and constraint that stores use.
inline constexpr std::array kSubsetSchema = {
    "CREATE TABLE runners (id BIGINT PRIMARY KEY, name TEXT NOT NULL, team TEXT, active BOOLEAN NOT NULL, "
    "best DOUBLE PRECISION CHECK (best > 0))",
    "CREATE TABLE runs (runner BIGINT NOT NULL REFERENCES runners (id) ON DELETE CASCADE, day BIGINT NOT "
    "NULL, "
    "meters BIGINT NOT NULL, half BIGINT GENERATED ALWAYS AS (meters / 2) STORED, PRIMARY KEY (runner, day))",
    "CREATE INDEX runs_day ON runs (day DESC, runner)",
    "CREATE UNIQUE INDEX runners_name ON runners (lower(name))",
    "CREATE UNIQUE INDEX runners_captain ON runners (team) WHERE best < 10",
    "INSERT INTO runners (id, name, team, active, best) VALUES (1, 'Ann', 'red', TRUE, 9.5), "
    "(2, 'bob', 'red', FALSE, 12.25), (3, 'Cid', NULL, TRUE, NULL), (4, 'dee', 'blue', TRUE, 30)",
    "INSERT INTO runs (runner, day, meters) VALUES (1, 1, 1000), (1, 2, 3000), (1, 3, 2000), (2, 1, 5001), "
    "(4, 2, 400), (4, 3, 800)",
};

inline const std::vector<Answer> kAnswersOfReads = {
    {"SELECT name, active FROM runners WHERE active ORDER BY id", "tb", {}, "Ann|T;Cid|T;dee|T;"},
    {"SELECT id FROM runners WHERE active = FALSE", "i", {}, "2;"},
    {"SELECT id FROM runners WHERE active = $1 AND NOT active = FALSE ORDER BY id", "i", {true}, "1;3;4;"},
    {"SELECT best, best IS NULL FROM runners ORDER BY best NULLS LAST", "db", {}, "9.5|F;12.25|F;30|F;-|T;"},
    {"SELECT id FROM runners ORDER BY team DESC NULLS FIRST, id", "i", {}, "3;1;2;4;"},
    {"SELECT id FROM runners ORDER BY id LIMIT $1 OFFSET $2", "i", {2, 1}, "2;3;"},
    {"SELECT half FROM runs WHERE runner = $1", "i", {2}, "2500;"},
    {"SELECT runner, day FROM runs WHERE (day, runner) > ($1, $2) ORDER BY day, runner LIMIT 3",
     "ii",
     {1, 1},
     "2|1;1|2;4|2;"},
    {"SELECT r.name, sum_of.total FROM runners r JOIN (SELECT runner, CAST(sum(meters) AS BIGINT) AS total "
     "FROM runs GROUP BY runner HAVING count(*) > 1) sum_of ON sum_of.runner = r.id ORDER BY 2 DESC",
     "ti",
     {},
     "Ann|6000;dee|1200;"},
    {"SELECT r.id, count(x.day) FROM runners r LEFT JOIN runs x ON x.runner = r.id GROUP BY r.id ORDER BY "
     "r.id",
     "ii",
     {},
     "1|3;2|1;3|0;4|2;"},
    {"SELECT a.id, b.day FROM (SELECT id FROM runners WHERE id > 2) a FULL JOIN (SELECT runner, day FROM "
     "runs "
     "WHERE day = 1) b ON a.id = b.runner ORDER BY a.id NULLS LAST, b.runner",
     "ii",
     {},
     "3|-;4|-;-|1;-|1;"},
    {"SELECT CAST(avg(CAST(meters AS DOUBLE PRECISION)) AS DOUBLE PRECISION) FROM runs WHERE runner = 1",
     "d",
     {},
     "2000;"},
    {"SELECT count(*) FILTER (WHERE meters >= 1000), count(DISTINCT day), min(meters), max(meters) FROM "
     "runs",
     "iiii",
     {},
     "4|3|400|5001;"},
    {"SELECT day, row_number() OVER (ORDER BY meters DESC), rank() OVER (ORDER BY day) FROM runs WHERE "
     "runner = 1 "
     "ORDER BY day",
     "iii",
     {},
     "1|3|1;2|1|2;3|2|3;"},
    {"SELECT day, CAST(sum(meters) OVER w AS BIGINT), lag(meters) OVER w FROM runs WHERE runner = 1 "
     "WINDOW w AS (PARTITION BY runner ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ORDER BY day",
     "iii",
     {},
     "1|1000|-;2|4000|1000;3|5000|3000;"},
    {"WITH fast AS (SELECT id FROM runners WHERE best < 20) SELECT count(*) FROM fast", "i", {}, "2;"},
    {"WITH RECURSIVE days(d) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT d + 1 FROM days WHERE d < 4) "
     "SELECT d FROM days ORDER BY d",
     "i",
     {2},
     "2;3;4;"},
    {"WITH given(id, name) AS (VALUES (1, 'one'), (3, 'three')) SELECT g.name FROM given g JOIN runners r "
     "ON r.id = g.id ORDER BY g.id",
     "t",
     {},
     "one;three;"},
    {"SELECT id FROM runners WHERE team IS DISTINCT FROM 'red' ORDER BY id", "i", {}, "3;4;"},
    {"SELECT id FROM runners WHERE team IS NOT DISTINCT FROM CAST($1 AS TEXT)", "i", {nullptr}, "3;"},
    {"SELECT id FROM runners WHERE CAST($1 AS TEXT) IS NULL OR team = $1 ORDER BY id", "i", {"blue"}, "4;"},
    {"SELECT id FROM runners WHERE id IN (SELECT runner FROM runs WHERE day = 3) AND id NOT IN (1) ORDER "
     "BY id",
     "i",
     {},
     "4;"},
    {"SELECT id FROM runners r WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runner = r.id)", "i", {}, "3;"},
    {"SELECT name FROM runners WHERE name LIKE 'a%' OR name LIKE '%e_'", "t", {}, "dee;"},
    {"SELECT name FROM runners WHERE lower(name) LIKE 'a%'", "t", {}, "Ann;"},
    {"SELECT name || '/' || COALESCE(team, 'none'), substr(name, 2, 1), length(name), upper(name) FROM "
     "runners "
     "WHERE id = 3",
     "ttit",
     {},
     "Cid/none|i|3|CID;"},
    {"SELECT replace('a-b-c', '-', '+'), trim('  x '), abs(CAST(-5 AS BIGINT)), NULLIF('a', 'a')",
     "ttit",
     {},
     "a+b+c|x|5|-;"},
    {"SELECT floor(CAST(1.7 AS DOUBLE PRECISION)), ceil(CAST(1.2 AS DOUBLE PRECISION)), "
     "sqrt(CAST(9 AS DOUBLE PRECISION)), power(CAST(2 AS DOUBLE PRECISION), CAST(10 AS DOUBLE PRECISION))",
     "dddd",
     {},
     "1|2|3|1024;"},
    {"SELECT CASE WHEN meters > 900 THEN 'long' ELSE 'short' END, count(*) FROM runs GROUP BY 1 ORDER BY 1",
     "ti",
     {},
     "long|4;short|2;"},
    {"SELECT CAST(7 AS BIGINT) / 2, CAST(-7 AS BIGINT) / 2, CAST(7 AS BIGINT) % 3", "iii", {}, "3|-3|1;"},
    {"SELECT id FROM runners WHERE id < 2 UNION SELECT runner FROM runs WHERE day = 3 EXCEPT SELECT "
     "CAST(1 AS BIGINT) ORDER BY 1",
     "i",
     {},
     "4;"},
    {"SELECT DISTINCT day FROM runs WHERE meters BETWEEN 400 AND 1000 ORDER BY day DESC", "i", {}, "3;2;1;"},
};

inline std::vector<Answer> answers_of_writes() {
  return {
      {"INSERT INTO runs (runner, day, meters) VALUES ($1, $2, $3) ON CONFLICT (runner, day) DO UPDATE "
       "SET meters = excluded.meters WHERE runs.meters < excluded.meters RETURNING meters, half",
       "ii",
       {2, 1, 6000},
       "6000|3000;"},
      {"INSERT INTO runs (runner, day, meters) VALUES ($1, $2, $3) ON CONFLICT (runner, day) DO UPDATE "
       "SET meters = excluded.meters WHERE runs.meters < excluded.meters RETURNING meters",
       "i",
       {2, 1, 10},
       ""},
      {"INSERT INTO runs (runner, day, meters) VALUES (1, 1, 7) ON CONFLICT DO NOTHING RETURNING day",
       "i",
       {},
       ""},
      {"INSERT INTO runs (runner, day, meters) SELECT runner, day + 10, meters * $1 FROM runs WHERE runner = "
       "4 "
       "AND day = 3 RETURNING day, meters",
       "ii",
       {2},
       "13|1600;"},
      {"UPDATE runners SET best = totals.most FROM (SELECT runner, max(meters) AS most FROM runs GROUP BY "
       "runner) "
       "totals WHERE totals.runner = runners.id AND runners.id = $1 RETURNING id, best",
       "id",
       {1},
       "1|3000;"},
      {"UPDATE runners SET active = NOT active, team = $2 WHERE id = $1 RETURNING active, team",
       "bt",
       {2, nullptr},
       "T|-;"},
      {"UPDATE runners SET (team, active) = ('green', FALSE) WHERE id = 3 RETURNING team, active",
       "tb",
       {},
       "green|F;"},
      {"DELETE FROM runs WHERE runner = 4 AND day IN (2, 3) AND meters < $1 RETURNING day", "i", {500}, "2;"},
      {"DELETE FROM runners WHERE id = $1 RETURNING name", "t", {1}, "Ann;"},
      {"SELECT runner, day FROM runs ORDER BY runner, day", "ii", {}, "2|1;4|3;4|13;"},
  };
}

TEST_P(SqlContract, TheSharedSubsetMeansTheSame) {
  for (const char* statement : kSubsetSchema) ASSERT_TRUE(ok(write(db(), statement))) << statement;
  for (const Answer& answer : kAnswersOfReads) {
    const Result<Rows> rows = read(db(), answer.statement, answer.params);
    ASSERT_TRUE(ok(rows)) << answer.statement;
    EXPECT_EQ(shown(*rows, answer.columns), answer.rows) << answer.statement;
  }
  for (const Answer& answer : answers_of_writes()) {
    const Result<Rows> rows = db().write([&](Tx& tx) { return tx.query(answer.statement, answer.params); });
    ASSERT_TRUE(ok(rows)) << answer.statement;
    EXPECT_EQ(shown(*rows, answer.columns), answer.rows) << answer.statement;
  }
}

TEST_P(SqlContract, TheSharedSubsetRefusesTheSame) {
  for (const char* statement : kSubsetSchema) ASSERT_TRUE(ok(write(db(), statement))) << statement;
  const std::array<std::pair<const char*, const char*>, 5> refused = {{
      {"INSERT INTO runners (id, name, active) VALUES (9, 'ANN', TRUE)", "unique"},
      {"INSERT INTO runners (id, name, team, active, best) VALUES (9, 'Eve', 'red', TRUE, 5)", "unique"},
      {"INSERT INTO runners (id, name, active, best) VALUES (9, 'Eve', TRUE, 0)", "check"},
      {"UPDATE runs SET runner = 77 WHERE runner = 2", "foreign-key"},
      {"INSERT INTO runners (id, name) VALUES (9, 'Eve')", "not-null"},
  }};
  for (const auto& [statement, slug] : refused) {
    EXPECT_TRUE(fails(write(db(), statement), Errc::conflict, slug)) << statement;
  }
  EXPECT_TRUE(ok(
      write(db(), "INSERT INTO runners (id, name, team, active, best) VALUES (9, 'Eve', 'red', TRUE, 50)")));
}

}  // namespace ekiden::sql::contract
