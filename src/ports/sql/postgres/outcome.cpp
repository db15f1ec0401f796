#include "ports/sql/postgres/outcome.hpp"

#include <algorithm>
#include <array>

namespace ekiden::sql::postgres {

namespace {

struct Row {
  std::string_view state;  ///< a whole SQLSTATE, or its first two characters for a class
  Errc code;
  const char* slug;
  const char* text;
  Remedy remedy = Remedy::none;
};

constexpr const char* kBroken = "the connection to the database broke";
constexpr const char* kWrong = "a statement of this program failed";

/// The first row that fits is meant.
constexpr std::array<Row, 30> kRows = {{
    {"23505", Errc::conflict, "unique", "another row has this value already"},
    {"23503", Errc::conflict, "foreign-key", "the row that it refers to is missing, or others refer to it"},
    {"23514", Errc::conflict, "check", "a value is outside of what the table allows"},
    {"23502", Errc::conflict, "not-null", "a value that the table needs is missing"},
    {"23", Errc::conflict, "constraint", "a rule of the table refuses it"},
    {"40001", Errc::unavailable, "race-lost", "another transaction was faster", Remedy::again},
    {"40P01", Errc::unavailable, "race-lost", "two transactions waited for one another", Remedy::again},
    {"40", Errc::unavailable, "race-lost", "the transaction was undone", Remedy::again},
    {"55P03", Errc::busy, "database-locked", "another transaction holds it; try again in a moment"},
    {"55006", Errc::busy, "database-locked", "another transaction holds it; try again in a moment"},
    {"57014", Errc::timeout, "deadline", "the deadline passed before the answer was complete"},
    {"57", Errc::unavailable, "connection-lost", kBroken, Remedy::reconnect},
    {"25P03", Errc::unavailable, "connection-lost", kBroken, Remedy::reconnect},
    {"25006", Errc::internal, "bad-statement", "a read transaction changes nothing"},
    {"08P01", Errc::internal, "bad-statement", kWrong},
    {"08", Errc::unavailable, "connection-lost", kBroken, Remedy::reconnect},
    {"53100", Errc::storage_full, "storage-full", "there is no room left to keep it"},
    {"53300", Errc::unavailable, "connection-lost", "the database has too many connections",
     Remedy::reconnect},
    {"53", Errc::unavailable, "storage-fault", "the database lacks memory or a limit is reached"},
    {"54", Errc::too_large, "value-too-large", "a value is larger than the database keeps"},
    {"58", Errc::unavailable, "storage-fault", "the storage does not answer"},
    {"XX001", Errc::unavailable, "storage-fault", "the database is damaged"},
    {"XX002", Errc::unavailable, "storage-fault", "the database is damaged"},
    {"0A000", Errc::internal, "bad-statement", kWrong, Remedy::reprepare},
    {"22P02", Errc::internal, "bad-statement", kWrong, Remedy::reprepare},
    {"22P03", Errc::internal, "bad-statement", kWrong, Remedy::reprepare},
    {"26", Errc::internal, "bad-statement", kWrong, Remedy::reprepare},
    {"42", Errc::internal, "bad-statement", kWrong, Remedy::reprepare},
    {"28", Errc::unavailable, "connection-lost", "the database refuses this user", Remedy::reconnect},
    {"3D", Errc::unavailable, "connection-lost", "there is no such database", Remedy::reconnect},
}};

}  // namespace

Failure to_failure(std::string_view state) {
  if (state.empty()) return {{Errc::unavailable, "connection-lost", kBroken}, Remedy::reconnect};
  const auto* const found =
      std::ranges::find_if(kRows, [state](const Row& row) { return state.starts_with(row.state); });
  if (found == kRows.end()) return {{Errc::internal, "bad-statement", kWrong}, Remedy::none};
  return {{found->code, found->slug, found->text}, found->remedy};
}

}  // namespace ekiden::sql::postgres
