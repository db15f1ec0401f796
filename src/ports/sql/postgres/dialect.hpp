#pragma once

// Where PostgreSQL differs from SQLite, for stores that share one SQL text. Everything that only one of the
// two needs is in this file; a store never asks which engine it runs on.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::sql::postgres {

/// What has to be known of a statement before the server sees it.
struct Shape {
  std::size_t parameters =
      0;                    ///< the largest n of its `$n`; SQLite ignores values beyond, PostgreSQL does not
  bool reads_only = false;  ///< a plain SELECT: it cannot have given the transaction an id
  /// BEGIN, COMMIT, SET and the like: the lane owns the transaction, and its settings are its promises.
  bool is_control = false;
};
Shape shape_of(std::string_view statement);

/// Begins a transaction. SQLite has one writer at a time; here SERIALIZABLE makes it look so.
std::string_view begin_text(Access access);
/// Waits for other processes' schema changes, and not only as long as for a lock: theirs may take minutes.
std::array<std::string, 3> schema_turn_texts(std::string_view schema, std::int64_t lock_timeout_ms);

/// The `-c` settings that each connection starts with.
std::string session_options(std::string_view schema, std::int64_t lock_timeout_ms);

/// How a commit whose answer is lost is found again. Each lane has a row in the service's schema, and each
/// transaction that changes something writes its number there, in the round trip of its COMMIT. Who asks
/// writes the same number as a fence, and reads whether it was there before: so a commit that is still on its
/// way is refused when it arrives. (The server's own record, pg_xact_status, is no answer: a crash can lose a
/// transaction's id, and another transaction then gets it and commits.)
inline constexpr std::string_view kLaneTable = "ekiden_lanes";
extern const std::string_view kMakeLaneTable;
extern const std::string_view kNumberCommit;    ///< $1 lane, $2 number, $3 now
extern const std::string_view kFenceCommit;     ///< $1 lane, $2 number, $3 now; the last committed number
extern const std::string_view kForgetOldLanes;  ///< $1 microseconds

/// The types that a column of an answer may have, by their oid. Others must be cast in the statement: the sum
/// of integers is NUMERIC here and an integer in SQLite.
enum class ColumnType : std::uint8_t { boolean, int2, int4, int8, float4, float8, text, bytea, other };
ColumnType column_type(unsigned oid);

/// True for a tag of CREATE, ALTER or DROP: statements that were prepared before may be stale.
bool changes_schema(std::string_view command_tag);
/// True for a tag whose number counts changed rows.
bool counts_changes(std::string_view command_tag);

}  // namespace ekiden::sql::postgres
