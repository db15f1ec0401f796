#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/log/sqlite/catalog.hpp"
#include "ports/sql/sql.hpp"

/// All SQL of the embedded log, as plain functions over a transaction. What the tables hold is told in
/// docs/formats/embedded-log.md. Errors are those of sql::Tx. @threads the transaction's
namespace ekiden::log::sqlite {

/// The schema's steps.
const std::vector<sql::Migration>& log_migrations();

/// Where a partition begins and ends.
struct Bounds {
  PartitionId id = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Overview {
  Catalog catalog;
  std::vector<Bounds> bounds;
};

/// Topics, partitions and their bounds in one snapshot.
Result<Overview> read_overview(sql::Tx& tx);

/// Makes what is missing of `wanted`; never takes a partition away.
Result<void> ensure_topic(sql::Tx& tx, const TopicConfig& wanted);

/// A message on its way into a partition; `append` fills in the offset.
struct Append {
  PartitionId partition = 0;
  const Message* message = nullptr;
  std::int64_t offset = 0;
};

/// Appends in order. Where each partition ends is read within the transaction, since other processes may
/// append to the same file.
Result<void> append(sql::Tx& tx, Timestamp now, std::span<Append> appends);

struct Page {
  std::int64_t begin = 0;  ///< of the partition
  std::vector<Record> records;
};

/// Records from `from` on, or from the partition's begin where that is later: at most `max`, and no more
/// chunks than fit into `bytes_max`, but at least one record where there is any.
Result<Page> read_page(sql::Tx& tx, PartitionId id, const TopicPartition& at, std::int64_t from,
                       std::size_t max, std::size_t bytes_max);

/// The group's number; nullopt where nobody of it has ever joined.
Result<std::optional<std::int64_t>> find_group(sql::Tx& tx, std::string_view name);
Result<std::int64_t> ensure_group(sql::Tx& tx, std::string_view name);
Result<std::vector<std::string>> read_groups(sql::Tx& tx);

struct Commit {
  std::int64_t group = 0;
  PartitionId partition = 0;
  std::int64_t next = 0;
  /// How often an operator has moved this offset: what was stored before a reset may not undo it.
  std::int64_t resets = 0;
};

Result<std::vector<Commit>> read_commits(sql::Tx& tx, std::int64_t group);
/// Every offset that an operator has ever moved, of all groups.
Result<std::vector<Commit>> read_resets(sql::Tx& tx);
/// Moves offsets forwards; one that would go back, or that was reset meanwhile, stays as it is.
Result<void> write_commits(sql::Tx& tx, const std::vector<Commit>& commits);
/// Moves an offset anywhere. @returns its new number of resets.
Result<std::int64_t> reset_commit(sql::Tx& tx, std::int64_t group, PartitionId partition, std::int64_t next);

/// Drops the oldest chunks, of `max` records or a chunk more, that were appended before `before`.
/// @returns how many records: fewer than `max` where the rest is younger.
Result<std::int64_t> drop_oldest(sql::Tx& tx, PartitionId id, Timestamp before, std::int64_t max);

}  // namespace ekiden::log::sqlite
