#include "ports/blobs/postgres/postgres_blobs.hpp"

#include <algorithm>
#include <utility>

#include "ports/blobs/sha256.hpp"

namespace ekiden::blobs {

// Parts of a writer belong to its id. A row of blob_writes says that the writer has not committed yet; a
// small blob, which is one transaction, has none.
const sql::Migration kBlobsMigration{.name = "0001_blobs", .text = R"sql(
CREATE TABLE blobs (
  hash BYTEA PRIMARY KEY,
  write_id BYTEA NOT NULL,
  size BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE blob_parts (
  write_id BYTEA NOT NULL,
  number BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (write_id, number)
);
CREATE TABLE blob_writes (
  write_id BYTEA PRIMARY KEY,
  touched_at BIGINT NOT NULL
);
CREATE INDEX blob_writes_by_time ON blob_writes (touched_at);
)sql"};

namespace {

constexpr std::size_t kPartBytes = 512 * 1024;
/// Parts that one question of a reader brings.
constexpr std::int64_t kPartsRead = 4;

/// As the port says it: whatever kept the database from it, the store does not answer.
Error store_error(Error error) {
  if (error.code() == Errc::busy || error.code() == Errc::timeout)
    return {Errc::unavailable, error.slug(), error.text()};
  return error;
}

Error lost_error() {
  return Error{Errc::internal, "writer-lost", "this writer has failed or committed before"};
}

sql::Blob name_of(const Hash& hash) {
  return {std::string(hash.as_view())};
}

Result<void> insert_part(sql::Tx& tx, const Uuid& write, std::int64_t number, const std::string& bytes) {
  EKIDEN_CHECK(tx.execute("INSERT INTO blob_parts (write_id, number, bytes) VALUES ($1, $2, $3)",
                          {write, number, sql::Blob{bytes}}));
  return {};
}

Result<void> delete_write(sql::Tx& tx, const Uuid& write) {
  EKIDEN_CHECK(tx.execute("DELETE FROM blob_parts WHERE write_id = $1", {write}));
  EKIDEN_CHECK(tx.execute("DELETE FROM blob_writes WHERE write_id = $1", {write}));
  return {};
}

class PartsWriter final : public Writer {
 public:
  PartsWriter(sql::Database& database, const Clock& clock, const Uuid& write)
      : database_(database), clock_(clock), write_(write) {}
  ~PartsWriter() override { discard(); }

  Result<void> write(std::string_view piece) override {
    if (!alive_) return lost_error();
    hash_.add(piece);
    size_ += static_cast<std::int64_t>(piece.size());
    while (!piece.empty()) {
      const std::size_t taken = std::min(piece.size(), kPartBytes - part_.size());
      part_.append(piece.substr(0, taken));
      piece.remove_prefix(taken);
      if (part_.size() == kPartBytes) EKIDEN_CHECK(keep_part());
    }
    return {};
  }

  Result<Hash> commit() override {
    if (!alive_) return lost_error();
    const Hash hash = hash_.finish();
    const auto done = database_.write([&](sql::Tx& tx) { return commit_as(tx, hash); });
    if (!done) return fail(done.error());
    alive_ = false;
    return hash;
  }

  std::int64_t size() const override { return size_; }

 private:
  Result<void> keep_part() {
    const auto kept = database_.write([this](sql::Tx& tx) -> Result<void> {
      EKIDEN_CHECK(
          tx.execute("INSERT INTO blob_writes (write_id, touched_at) VALUES ($1, $2) "
                     "ON CONFLICT (write_id) DO UPDATE SET touched_at = excluded.touched_at",
                     {write_, clock_.now()}));
      return insert_part(tx, write_, parts_, part_);
    });
    if (!kept) return fail(kept.error());
    ++parts_;
    part_.clear();
    return {};
  }

  Result<void> commit_as(sql::Tx& tx, const Hash& hash) {
    EKIDEN_TRY(const sql::Rows there, tx.query("SELECT 1 FROM blobs WHERE hash = $1", {name_of(hash)}));
    if (!there.empty()) return parts_ == 0 ? Result<void>{} : delete_write(tx, write_);
    if (parts_ > 0) {
      EKIDEN_TRY(const std::int64_t open,
                 tx.execute("DELETE FROM blob_writes WHERE write_id = $1", {write_}));
      if (open != 1)
        return Error{Errc::unavailable, "write-abandoned",
                     "its parts were given up meanwhile; write it again"};
    }
    if (!part_.empty()) EKIDEN_CHECK(insert_part(tx, write_, parts_, part_));
    EKIDEN_CHECK(tx.execute("INSERT INTO blobs (hash, write_id, size, created_at) VALUES ($1, $2, $3, $4)",
                            {name_of(hash), write_, size_, clock_.now()}));
    return {};
  }

  Error fail(const Error& error) {
    discard();
    return store_error(error);
  }

  /// Leaves without waiting; where nobody takes the work, the purge does it later.
  void discard() {
    if (!std::exchange(alive_, false) || parts_ == 0) return;
    // A commit whose outcome is unknown may have made the parts a blob: those stay.
    database_.submit(
        {},
        [write = write_](sql::Tx& tx) -> Result<void> {
          EKIDEN_TRY(const sql::Rows open,
                     tx.query("SELECT 1 FROM blob_writes WHERE write_id = $1", {write}));
          return open.empty() ? Result<void>{} : delete_write(tx, write);
        },
        [](const Result<void>&) {});
  }

  sql::Database& database_;
  const Clock& clock_;
  const Uuid write_;
  Sha256 hash_;
  std::string part_;  ///< not kept yet, less than a whole one
  std::int64_t parts_ = 0;
  std::int64_t size_ = 0;
  bool alive_ = true;
};

class PostgresBlobs final : public Blobs {
 public:
  PostgresBlobs(sql::Database& database, const Clock& clock, Ids& ids)
      : database_(database), clock_(clock), ids_(ids) {}

  Result<std::unique_ptr<Writer>> create() override {
    return std::unique_ptr<Writer>(std::make_unique<PartsWriter>(database_, clock_, ids_.next()));
  }

  Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const override {
    if (offset < 0) return Error{Errc::invalid, "offset-below-zero", "an offset is not negative", "offset"};
    std::size_t filled = 0;
    for (;;) {
      const std::int64_t at = offset + static_cast<std::int64_t>(filled);
      EKIDEN_TRY(const std::string bytes, read_some(hash, at, into.size() - filled));
      std::ranges::copy(bytes, into.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += bytes.size();
      if (bytes.empty() || filled == into.size()) return filled;
    }
  }

  Result<std::int64_t> size(const Hash& hash) const override {
    const auto found = database_.read([&](sql::Tx& tx) { return find(tx, hash); });
    if (!found) return store_error(found.error());
    return found->size;
  }

  Result<bool> remove(const Hash& hash) override {
    const auto removed = database_.write([&](sql::Tx& tx) -> Result<bool> {
      EKIDEN_TRY(const sql::Rows rows,
                 tx.query("DELETE FROM blobs WHERE hash = $1 RETURNING write_id", {name_of(hash)}));
      if (rows.empty()) return false;
      EKIDEN_CHECK(tx.execute("DELETE FROM blob_parts WHERE write_id = $1", {rows.front().uuid(0)}));
      return true;
    });
    if (!removed) return store_error(removed.error());
    return *removed;
  }

 private:
  struct Found {
    Uuid write;
    std::int64_t size = 0;
  };
  static Result<Found> find(sql::Tx& tx, const Hash& hash) {
    EKIDEN_TRY(const sql::Rows rows,
               tx.query("SELECT write_id, size FROM blobs WHERE hash = $1", {name_of(hash)}));
    if (rows.empty()) return Error{Errc::not_found, "no-such-blob", "there is no such file"};
    return Found{rows.front().uuid(0), rows.front().integer(1)};
  }

  /// Up to `most` bytes of a few parts; none at the end.
  Result<std::string> read_some(const Hash& hash, std::int64_t offset, std::size_t most) const {
    constexpr auto kPart = static_cast<std::int64_t>(kPartBytes);
    const std::int64_t first = offset / kPart;
    const std::int64_t skipped = offset % kPart;
    const std::int64_t wanted = std::min(static_cast<std::int64_t>(most), kPartsRead * kPart - skipped);
    const std::int64_t last = (offset + wanted - 1) / kPart;
    const auto bytes = database_.read([&](sql::Tx& tx) -> Result<std::string> {
      EKIDEN_TRY(const Found found, find(tx, hash));
      std::string read;
      if (offset >= found.size || wanted == 0) return read;
      // Only the bytes that are asked for leave the database.
      EKIDEN_TRY(
          const sql::Rows rows,
          tx.query("SELECT CASE WHEN number = $2 THEN substr(bytes, $4, $5) ELSE substr(bytes, 1, $5) END "
                   "FROM blob_parts WHERE write_id = $1 AND number >= $2 AND number <= $3 ORDER BY number",
                   {found.write, first, last, skipped + 1, wanted}));
      for (const sql::Row& row : rows) read += row.bytes(0);
      read.resize(std::min(read.size(), static_cast<std::size_t>(wanted)));
      return read;
    });
    if (!bytes) return store_error(bytes.error());
    return *bytes;
  }

  sql::Database& database_;
  const Clock& clock_;
  Ids& ids_;
};

}  // namespace

std::unique_ptr<Blobs> make_postgres_blobs(sql::Database& database, const Clock& clock, Ids& ids) {
  return std::make_unique<PostgresBlobs>(database, clock, ids);
}

Result<std::int64_t> purge_abandoned_writes(sql::Tx& tx, Timestamp before, std::int64_t limit) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT write_id FROM blob_writes WHERE touched_at < $1 "
                                            "ORDER BY touched_at LIMIT $2",
                                            {before, limit}));
  for (const sql::Row& row : rows) EKIDEN_CHECK(delete_write(tx, row.uuid(0)));
  return static_cast<std::int64_t>(rows.size());
}

}  // namespace ekiden::blobs
