#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "ports/sql/sql.hpp"
#include "ports/sql/statements.hpp"

namespace ekiden::sql {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_comment(std::string_view line) {
  return line.starts_with("--");
}

bool says_something(std::string_view part) {
  while (!part.empty()) {
    const std::size_t end = std::min(part.find('\n'), part.size());
    const std::string_view line = trimmed(part.substr(0, end));
    if (!line.empty() && !is_comment(line)) return true;
    part.remove_prefix(std::min(end + 1, part.size()));
  }
  return false;
}

/// @returns whether the step had been applied before.
Result<bool> is_applied(Tx& tx, std::size_t position, const Migration& step) {
  EKIDEN_TRY(const Rows rows,
             tx.query("SELECT name, hash FROM schema_migrations WHERE position = $1", {position}));
  if (rows.empty()) return false;
  if (rows[0].text(0) != step.name || rows[0].text(1) != fingerprint(step.text)) {
    return Error{Errc::internal, "migration-changed",
                 "a schema step that was applied here has changed since: restore its text and add a new step",
                 std::string(step.name)};
  }
  return true;
}

Result<int> apply(Tx& tx, std::size_t position, const Migration& step) {
  EKIDEN_TRY(const bool applied, is_applied(tx, position, step));
  if (applied) return 0;
  EKIDEN_CHECK(tx.execute("INSERT INTO schema_migrations (position, name, hash) VALUES ($1, $2, $3)",
                          {position, step.name, fingerprint(step.text)}));
  for (const std::string_view statement : split_statements(step.text)) {
    EKIDEN_CHECK(tx.execute(statement));
  }
  return 1;
}

Result<void> check_not_newer(Tx& tx, std::size_t known) {
  EKIDEN_TRY(const Rows rows,
             tx.query("SELECT name FROM schema_migrations WHERE position > $1 ORDER BY position", {known}));
  if (rows.empty()) return {};
  return Error{Errc::internal, "schema-newer",
               "the schema has a step that this program does not know: start the newer program",
               rows[0].text(0)};
}

}  // namespace

std::vector<std::string_view> split_statements(std::string_view text) {
  std::vector<std::string_view> statements;
  const auto keep = [&](std::string_view part) {
    if (says_something(part)) statements.push_back(trimmed(part));
  };
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(text.substr(at, end - at));
    if (line.ends_with(';') && !is_comment(line)) {
      const std::size_t semicolon = text.find_last_of(';', end);
      keep(text.substr(start, semicolon - start));
      start = end;
    }
    at = end + 1;
  }
  keep(text.substr(start));
  return statements;
}

std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3ULL;
  }
  std::string digits(16, '0');
  for (std::size_t i = digits.size(); i-- > 0; hash >>= 4) digits[i] = "0123456789abcdef"[hash & 0xf];
  return digits;
}

Result<int> migrate(Database& database, const std::vector<Migration>& migrations) {
  EKIDEN_CHECK(database.change_schema([](Tx& tx) -> Result<void> {
    EKIDEN_CHECK(
        tx.execute("CREATE TABLE IF NOT EXISTS schema_migrations ("
                   "position BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL)"));
    return {};
  }));
  EKIDEN_CHECK(database.read([&](Tx& tx) { return check_not_newer(tx, migrations.size()); }));
  int applied = 0;
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    EKIDEN_TRY(const int steps,
               database.change_schema([&](Tx& tx) { return apply(tx, i + 1, migrations[i]); }));
    applied += steps;
  }
  return applied;
}

}  // namespace ekiden::sql
