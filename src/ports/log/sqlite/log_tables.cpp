#include "ports/log/sqlite/log_tables.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ports/log/sqlite/chunk_codec.hpp"

namespace ekiden::log::sqlite {
namespace {

using sql::Params;
using sql::Rows;

// A chunk's primary key holds its partition and its first offset: one B-tree, in which appending to a
// partition and reading it in order both touch neighbouring pages.
constexpr int kOffsetBits = 40;
constexpr std::int64_t kOffsetEnd = std::int64_t{1} << kOffsetBits;
constexpr std::int64_t kPartitionIdEnd = std::int64_t{1} << (62 - kOffsetBits);

// Large enough that a row costs little beside its bytes, small enough to be read for the sake of one record.
constexpr std::size_t kChunkBytesMax = 64 * 1024;
constexpr std::int64_t kChunkRecordsMax = 256;

std::int64_t place_of(PartitionId id, std::int64_t offset) {
  return id << kOffsetBits | std::clamp<std::int64_t>(offset, 0, kOffsetEnd - 1);
}

std::int64_t offset_of(std::int64_t place) {
  return place & (kOffsetEnd - 1);
}

Error damaged() {
  return Error{Errc::internal, "log-damaged", "the log's tables contradict themselves"};
}

Result<std::int64_t> number(sql::Tx& tx, std::string_view statement, Params params = {}) {
  EKIDEN_TRY(const Rows rows, tx.query(statement, std::move(params)));
  if (rows.size() != 1) return damaged();
  return rows.front().integer(0);
}

Result<std::int64_t> begin_of(sql::Tx& tx, PartitionId id) {
  return number(tx, "SELECT begin_offset FROM partitions WHERE id = $1", {id});
}

// A partition whose chunks are all dropped still ends where it did.
Result<std::int64_t> end_of(sql::Tx& tx, PartitionId id) {
  EKIDEN_TRY(const Rows rows, tx.query("SELECT place + records FROM chunks WHERE place >= $1 AND place <= $2 "
                                       "ORDER BY place DESC LIMIT 1",
                                       {place_of(id, 0), place_of(id, kOffsetEnd - 1)}));
  if (rows.empty()) return begin_of(tx, id);
  return offset_of(rows.front().integer(0));
}

/// The chunk of one partition that is being filled.
struct OpenChunk {
  std::int64_t first = 0;
  std::int64_t records = 0;
  std::string body;
};

void close_chunk(PartitionId id, Timestamp now, OpenChunk& chunk, std::vector<Params>& rows) {
  if (chunk.records == 0) return;
  Params row;
  row.reserve(4);
  row.emplace_back(place_of(id, chunk.first));
  row.emplace_back(chunk.records);
  row.emplace_back(now);
  row.emplace_back(sql::Blob{std::move(chunk.body)});
  rows.push_back(std::move(row));
  chunk = OpenChunk{.first = chunk.first + chunk.records, .records = 0, .body = {}};
}

}  // namespace

const std::vector<sql::Migration>& log_migrations() {
  static const std::vector<sql::Migration> kMigrations{{"0001_log", R"(
CREATE TABLE topics (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  retention_hours INTEGER NOT NULL
);
CREATE TABLE partitions (
  id INTEGER PRIMARY KEY,
  topic_id INTEGER NOT NULL REFERENCES topics (id),
  number INTEGER NOT NULL,
  begin_offset INTEGER NOT NULL,
  UNIQUE (topic_id, number)
);
CREATE TABLE chunks (
  place INTEGER PRIMARY KEY,
  records INTEGER NOT NULL,
  appended_at INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE consumer_groups (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE commits (
  group_id INTEGER NOT NULL,
  partition_id INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,
  resets INTEGER NOT NULL,
  PRIMARY KEY (group_id, partition_id)
) WITHOUT ROWID;
)"}};
  return kMigrations;
}

Result<Overview> read_overview(sql::Tx& tx) {
  Overview overview;
  EKIDEN_TRY(const Rows topics, tx.query("SELECT id, name, retention_hours FROM topics"));
  std::map<std::int64_t, CatalogTopic*> by_id;
  for (const sql::Row& row : topics) {
    CatalogTopic& topic = overview.catalog.topics[row.text(1)];
    topic.id = row.integer(0);
    topic.config = {.name = row.text(1), .partitions = 0, .retention = std::chrono::hours{row.integer(2)}};
    by_id[topic.id] = &topic;
  }
  EKIDEN_TRY(const Rows partitions,
             tx.query("SELECT p.id, p.topic_id, p.number, p.begin_offset, (SELECT c.place + c.records "
                      "FROM chunks c WHERE c.place >= p.id * $1 AND c.place < (p.id + 1) * $1 "
                      "ORDER BY c.place DESC LIMIT 1) "
                      "FROM partitions p ORDER BY p.topic_id, p.number",
                      {kOffsetEnd}));
  for (const sql::Row& row : partitions) {
    const auto topic = by_id.find(row.integer(1));
    if (topic == by_id.end() || std::cmp_not_equal(row.integer(2), topic->second->partitions.size())) {
      return damaged();
    }
    const PartitionId id = row.integer(0);
    overview.catalog.names[id] = {topic->second->config.name, topic->second->config.partitions};
    topic->second->partitions.push_back(id);
    ++topic->second->config.partitions;
    const std::int64_t begin = row.integer(3);
    overview.bounds.push_back({id, begin, row.is_null(4) ? begin : offset_of(row.integer(4))});
  }
  return overview;
}

Result<void> ensure_topic(sql::Tx& tx, const TopicConfig& wanted) {
  const std::int64_t hours = wanted.retention.count();
  EKIDEN_TRY(const Rows found, tx.query("SELECT id FROM topics WHERE name = $1", {wanted.name}));
  std::int64_t id = 0;
  if (found.empty()) {
    EKIDEN_TRY(id, number(tx, "SELECT COALESCE(MAX(id), 0) + 1 FROM topics"));
    EKIDEN_CHECK(tx.execute("INSERT INTO topics (id, name, retention_hours) VALUES ($1, $2, $3)",
                            {id, wanted.name, hours}));
  } else {
    id = found.front().integer(0);
    EKIDEN_CHECK(tx.execute("UPDATE topics SET retention_hours = $2 WHERE id = $1", {id, hours}));
  }
  EKIDEN_TRY(std::int64_t have, number(tx, "SELECT COUNT(*) FROM partitions WHERE topic_id = $1", {id}));
  EKIDEN_TRY(PartitionId next, number(tx, "SELECT COALESCE(MAX(id), 0) + 1 FROM partitions"));
  for (; have < wanted.partitions; ++have, ++next) {
    if (next >= kPartitionIdEnd) return Error{Errc::too_large, "too-many-partitions", "the log has no room"};
    EKIDEN_CHECK(
        tx.execute("INSERT INTO partitions (id, topic_id, number, begin_offset) VALUES ($1, $2, $3, 0)",
                   {next, id, have}));
  }
  return {};
}

Result<void> append(sql::Tx& tx, Timestamp now, std::span<Append> appends) {
  std::map<PartitionId, OpenChunk> open;
  std::vector<Params> rows;
  for (Append& one : appends) {
    auto found = open.find(one.partition);
    if (found == open.end()) {
      found = open.emplace(one.partition, OpenChunk{}).first;
      EKIDEN_TRY(found->second.first, end_of(tx, one.partition));
    }
    OpenChunk& chunk = found->second;
    one.offset = chunk.first + chunk.records;
    if (one.offset >= kOffsetEnd - 1)
      return Error{Errc::too_large, "partition-full", "the partition is full"};
    append_to_chunk(chunk.body, *one.message);
    ++chunk.records;
    if (chunk.records == kChunkRecordsMax || chunk.body.size() >= kChunkBytesMax) {
      close_chunk(one.partition, now, chunk, rows);
    }
  }
  for (auto& [id, chunk] : open) close_chunk(id, now, chunk, rows);
  EKIDEN_CHECK(tx.execute_batch(
      "INSERT INTO chunks (place, records, appended_at, body) VALUES ($1, $2, $3, $4)", std::move(rows)));
  return {};
}

namespace {

/// From which chunk to which a page reaches: none where first > last.
struct Span {
  std::int64_t first = 1;
  std::int64_t last = 0;
};

Result<Span> span_of(sql::Tx& tx, PartitionId id, std::int64_t from, std::size_t max, std::size_t bytes_max) {
  EKIDEN_TRY(const Rows start, tx.query("SELECT place FROM chunks WHERE place >= $1 AND place <= $2 "
                                        "ORDER BY place DESC LIMIT 1",
                                        {place_of(id, 0), place_of(id, from)}));
  Span span;
  if (start.empty()) return span;
  span.first = start.front().integer(0);
  // Lengths come from the row's head, so this pass does not touch the pages of the bodies.
  EKIDEN_TRY(const Rows sizes, tx.query("SELECT place, records, length(body) FROM chunks "
                                        "WHERE place >= $1 AND place <= $2 ORDER BY place LIMIT $3",
                                        {span.first, place_of(id, kOffsetEnd - 1), max + 1}));
  std::size_t bytes = 0;
  std::int64_t next = from;
  for (const sql::Row& row : sizes) {
    bytes += static_cast<std::size_t>(row.integer(2));
    if (bytes > bytes_max && next > from) break;
    span.last = row.integer(0);
    next = offset_of(span.last) + row.integer(1);
    if (std::cmp_greater_equal(next - from, max)) break;
  }
  return span;
}

}  // namespace

Result<Page> read_page(sql::Tx& tx, PartitionId id, const TopicPartition& at, std::int64_t from,
                       std::size_t max, std::size_t bytes_max) {
  Page page;
  EKIDEN_TRY(page.begin, begin_of(tx, id));
  const std::int64_t start = std::max(from, page.begin);
  EKIDEN_TRY(const Span span, span_of(tx, id, start, max, bytes_max));
  if (max == 0 || span.first > span.last) return page;
  EKIDEN_TRY(const Rows rows, tx.query("SELECT place, appended_at, body FROM chunks "
                                       "WHERE place >= $1 AND place <= $2 ORDER BY place",
                                       {span.first, span.last}));
  for (const sql::Row& row : rows) {
    EKIDEN_CHECK(
        decode_chunk(row.bytes(2), at, offset_of(row.integer(0)), row.time(1), start, max, page.records));
  }
  return page;
}

Result<std::optional<std::int64_t>> find_group(sql::Tx& tx, std::string_view name) {
  EKIDEN_TRY(const Rows rows, tx.query("SELECT id FROM consumer_groups WHERE name = $1", {name}));
  if (rows.empty()) return std::optional<std::int64_t>{};
  return std::optional{rows.front().integer(0)};
}

Result<std::int64_t> ensure_group(sql::Tx& tx, std::string_view name) {
  EKIDEN_TRY(const auto found, find_group(tx, name));
  if (found) return *found;
  EKIDEN_TRY(const std::int64_t id, number(tx, "SELECT COALESCE(MAX(id), 0) + 1 FROM consumer_groups"));
  EKIDEN_CHECK(tx.execute("INSERT INTO consumer_groups (id, name) VALUES ($1, $2)", {id, name}));
  return id;
}

Result<std::vector<std::string>> read_groups(sql::Tx& tx) {
  EKIDEN_TRY(const Rows rows, tx.query("SELECT name FROM consumer_groups ORDER BY name"));
  std::vector<std::string> names;
  for (const sql::Row& row : rows) names.push_back(row.text(0));
  return names;
}

namespace {

std::vector<Commit> to_commits(const Rows& rows) {
  std::vector<Commit> commits;
  commits.reserve(rows.size());
  for (const sql::Row& row : rows) {
    commits.push_back({row.integer(0), row.integer(1), row.integer(2), row.integer(3)});
  }
  return commits;
}

}  // namespace

Result<std::vector<Commit>> read_commits(sql::Tx& tx, std::int64_t group) {
  EKIDEN_TRY(const Rows rows,
             tx.query("SELECT group_id, partition_id, next_offset, resets FROM commits WHERE group_id = $1",
                      {group}));
  return to_commits(rows);
}

Result<std::vector<Commit>> read_resets(sql::Tx& tx) {
  EKIDEN_TRY(const Rows rows,
             tx.query("SELECT group_id, partition_id, next_offset, resets FROM commits WHERE resets > 0"));
  return to_commits(rows);
}

Result<void> write_commits(sql::Tx& tx, const std::vector<Commit>& commits) {
  std::vector<Params> rows;
  rows.reserve(commits.size());
  for (const Commit& commit : commits) {
    rows.push_back({commit.group, commit.partition, commit.next, commit.resets});
  }
  EKIDEN_CHECK(tx.execute_batch(
      "INSERT INTO commits (group_id, partition_id, next_offset, resets) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (group_id, partition_id) DO UPDATE SET next_offset = excluded.next_offset "
      "WHERE commits.resets = excluded.resets AND commits.next_offset < excluded.next_offset",
      std::move(rows)));
  return {};
}

Result<std::int64_t> reset_commit(sql::Tx& tx, std::int64_t group, PartitionId partition, std::int64_t next) {
  return number(tx,
                "INSERT INTO commits (group_id, partition_id, next_offset, resets) VALUES ($1, $2, $3, 1) "
                "ON CONFLICT (group_id, partition_id) DO UPDATE SET next_offset = excluded.next_offset, "
                "resets = commits.resets + 1 RETURNING resets",
                {group, partition, next});
}

Result<std::int64_t> drop_oldest(sql::Tx& tx, PartitionId id, Timestamp before, std::int64_t max) {
  EKIDEN_TRY(const std::int64_t begin, begin_of(tx, id));
  EKIDEN_TRY(const Rows rows, tx.query("SELECT place, records, appended_at FROM chunks "
                                       "WHERE place >= $1 AND place <= $2 ORDER BY place LIMIT $3",
                                       {place_of(id, begin), place_of(id, kOffsetEnd - 1), max}));
  // Only from the front: a record that a wrong clock has made old does not tear a hole.
  std::int64_t dropped = 0;
  std::int64_t last = 0;
  for (const sql::Row& row : rows) {
    if (row.time(2) >= before || dropped >= max) break;
    dropped += row.integer(1);
    last = row.integer(0);
  }
  if (dropped == 0) return 0;
  EKIDEN_CHECK(tx.execute("DELETE FROM chunks WHERE place >= $1 AND place <= $2", {place_of(id, 0), last}));
  EKIDEN_CHECK(tx.execute("UPDATE partitions SET begin_offset = $2 WHERE id = $1", {id, begin + dropped}));
  return dropped;
}

}  // namespace ekiden::log::sqlite
