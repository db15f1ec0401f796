#include "ports/sql/postgres/dialect.hpp"

#include <algorithm>
#include <cctype>

#include "ports/sql/statements.hpp"

namespace ekiden::sql::postgres {

namespace {

constexpr std::array<std::string_view, 27> kControls = {
    "abort",      "analyze", "begin",   "call",  "checkpoint", "close",     "cluster", "commit", "copy",
    "deallocate", "declare", "discard", "end",   "execute",    "fetch",     "listen",  "lock",   "notify",
    "prepare",    "reindex", "release", "reset", "rollback",   "savepoint", "set",     "start",  "vacuum"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The place behind a comment, a quoted text or a quoted name that begins at `at`; `at` where none does.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const std::size_t found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("--")) return behind("\n", at);
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  // A doubled quote inside ends one quoted part and begins the next, which comes to the same.
  if (rest.starts_with('\'')) return behind("'", at + 1);
  if (rest.starts_with('"')) return behind("\"", at + 1);
  return at;
}

/// Reads the digits behind a `$`.
std::size_t parameter_number(std::string_view text, std::size_t at) {
  std::size_t number = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9' && number < 100'000)
    number = number * 10 + static_cast<std::size_t>(text[at++] - '0');
  return number;
}

std::string first_word(std::string_view text) {
  std::string word;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t behind = skip_quoted(text, at);
    if (behind != at) {
      at = behind;
    } else if (is_word(text[at])) {
      while (at < text.size() && is_word(text[at]))
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at++])));
      return word;
    } else {
      ++at;
    }
  }
  return word;
}

}  // namespace

const std::string_view kMakeLaneTable =
    "CREATE TABLE IF NOT EXISTS ekiden_lanes (lane BYTEA PRIMARY KEY, committed BIGINT NOT NULL, "
    "fence BIGINT NOT NULL, used_at BIGINT NOT NULL) WITH (fillfactor = 30)";

// ON CONFLICT, since it watches no index page as a plain question would: lanes must not race each other here.
// The division fails the transaction where its number is fenced.
const std::string_view kNumberCommit =
    "INSERT INTO ekiden_lanes (lane, committed, fence, used_at) VALUES ($1, $2, 0, $3) "
    "ON CONFLICT (lane) DO UPDATE SET used_at = excluded.used_at, committed = excluded.committed / "
    "(CASE WHEN ekiden_lanes.fence < excluded.committed THEN 1 ELSE 0 END)";

const std::string_view kFenceCommit =
    "INSERT INTO ekiden_lanes (lane, committed, fence, used_at) VALUES ($1, 0, $2, $3) "
    "ON CONFLICT (lane) DO UPDATE SET fence = excluded.fence RETURNING committed";

const std::string_view kForgetOldLanes = "DELETE FROM ekiden_lanes WHERE used_at < $1";

Shape shape_of(std::string_view statement) {
  Shape shape;
  for (std::size_t at = 0; at < statement.size();) {
    const std::size_t behind = skip_quoted(statement, at);
    if (behind != at) {
      at = behind;
      continue;
    }
    if (statement[at] == '$')
      shape.parameters = std::max(shape.parameters, parameter_number(statement, at + 1));
    ++at;
  }
  const std::string word = first_word(statement);
  shape.reads_only = word == "select";
  shape.is_control = std::ranges::find(kControls, word) != kControls.end();
  return shape;
}

std::string_view begin_text(Access access) {
  switch (access) {
    case Access::read:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    case Access::write:
      return "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE";
    case Access::schema:
      // Each statement sees what others have committed while this one waited for its turn.
      return "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
  }
  return {};
}

std::array<std::string, 3> schema_turn_texts(std::string_view schema, std::int64_t lock_timeout_ms) {
  const std::string key = fingerprint("ekiden schema " + std::string(schema));
  return {"SET LOCAL lock_timeout = 0", "SELECT 1 FROM pg_advisory_xact_lock(CAST(x'" + key + "' AS BIGINT))",
          "SET LOCAL lock_timeout = " + std::to_string(lock_timeout_ms)};
}

std::string session_options(std::string_view schema, std::int64_t lock_timeout_ms) {
  return "-c search_path=" + std::string(schema) + " -c lock_timeout=" + std::to_string(lock_timeout_ms) +
         " -c timezone=UTC -c datestyle=ISO -c standard_conforming_strings=on"
         // What a client leaves behind ends soon, and with it its locks.
         " -c idle_in_transaction_session_timeout=60000 -c client_connection_check_interval=2000"
         // A full scan of a small table would conflict with every writer of that table.
         " -c random_page_cost=1.1 -c jit=off";
}

ColumnType column_type(unsigned oid) {
  switch (oid) {
    case 16:
      return ColumnType::boolean;
    case 17:
      return ColumnType::bytea;
    case 20:
      return ColumnType::int8;
    case 21:
      return ColumnType::int2;
    case 23:
      return ColumnType::int4;
    case 18:    // "char"
    case 19:    // name
    case 25:    // text
    case 1042:  // char(n)
    case 1043:  // varchar
      return ColumnType::text;
    case 700:
      return ColumnType::float4;
    case 701:
      return ColumnType::float8;
    default:
      return ColumnType::other;
  }
}

bool changes_schema(std::string_view command_tag) {
  return command_tag.starts_with("CREATE") || command_tag.starts_with("ALTER") ||
         command_tag.starts_with("DROP");
}

bool counts_changes(std::string_view command_tag) {
  return command_tag.starts_with("INSERT") || command_tag.starts_with("UPDATE") ||
         command_tag.starts_with("DELETE") || command_tag.starts_with("MERGE");
}

}  // namespace ekiden::sql::postgres
