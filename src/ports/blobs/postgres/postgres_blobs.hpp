#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::blobs {

extern const sql::Migration kBlobsMigration;

/// Blobs as rows of a database that several processes share, in parts of 512 KiB: a writer and a reader hold
/// a few parts in memory, however large the blob is. Parts are kept as they come; the commit is one
/// transaction, which makes the whole visible under its hash. The tables are those of `kBlobsMigration`.
/// What writers of dead processes leave behind is for `purge_abandoned_writes`.
/// @param database, clock, ids outlive the store and its writers
std::unique_ptr<Blobs> make_postgres_blobs(sql::Database& database, const Clock& clock, Ids& ids);

/// Removes what uncommitted writers have left that wrote last before `before`. A writer that lives and was
/// quiet for so long is lost: its commit answers `unavailable`. @param before long ago, a day say
/// @returns how many writers' parts went, at most `limit`
Result<std::int64_t> purge_abandoned_writes(sql::Tx& tx, Timestamp before, std::int64_t limit);

}  // namespace ekiden::blobs
