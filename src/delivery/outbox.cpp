#include "delivery/outbox.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "delivery/header_codec.hpp"

namespace ekiden::delivery {
namespace {

using sql::Blob;
using sql::Params;

constexpr std::size_t kKeysOfAStatement = 32;

/// Draws positions for so many keys. $1: the clock; then of each key its bytes and the last position where
/// the clock is ahead of the key.
std::string draw_text(std::size_t keys) {
  std::string text = "INSERT INTO outbox_keys (key, last_position) VALUES ";
  for (std::size_t i = 0; i < keys; ++i) {
    text += (i == 0 ? "($" : ", ($") + std::to_string(2 * i + 2) + ", $" + std::to_string(2 * i + 3) + ")";
  }
  return text +
         " ON CONFLICT (key) DO UPDATE SET last_position = CASE WHEN outbox_keys.last_position >= $1 "
         "THEN outbox_keys.last_position + (excluded.last_position - $1) + 1 "
         "ELSE excluded.last_position END RETURNING key, last_position";
}

constexpr std::string_view kInsertRow =
    "INSERT INTO outbox (event_id, position, topic, key, type, subject, sequence, headers, data, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The last position of each key. The answer of the statement itself, since a question of its own would make
/// writers of neighbouring keys conflict where an engine watches what serializable transactions read.
Result<std::map<std::string, std::int64_t>> draw_positions(
    sql::Tx& tx, const std::map<std::string_view, std::int64_t>& counts, Timestamp now) {
  std::map<std::string, std::int64_t> drawn;
  // Keys are drawn in sorted order, so that two transactions cannot wait for one another.
  for (auto next = counts.begin(); next != counts.end();) {
    Params params{now};
    std::size_t keys = 0;
    for (; next != counts.end() && keys < kKeysOfAStatement; ++next, ++keys) {
      params.emplace_back(Blob{std::string(next->first)});
      params.emplace_back(to_micros(now) + next->second - 1);
    }
    EKIDEN_TRY(const sql::Rows rows, tx.query(draw_text(keys), std::move(params)));
    for (const sql::Row& row : rows) drawn[row.bytes(0)] = row.integer(1);
  }
  return drawn;
}

Result<OutboxRow> read_row(const sql::Row& row) {
  OutboxRow out{.id = row.id<EventId>(0),
                .position = row.integer(1),
                .type = row.text(4),
                .subject = row.text(5),
                .sequence = row.integer(6),
                .message = {.topic = row.text(2), .key = row.bytes(3), .value = row.bytes(8), .headers = {}}};
  EKIDEN_TRY(out.message.headers, unpack_headers(row.bytes(7)));
  return out;
}

}  // namespace

Outbox::Outbox(std::string_view service, std::string_view topic, const Clock& clock, Ids& ids,
               std::function<void()> wake)
    : source_("/ekiden/" + std::string(service)),
      topic_(topic),
      clock_(&clock),
      ids_(&ids),
      wake_(std::move(wake)) {}

Result<void> Outbox::append(sql::Tx& tx, Envelope envelope) const {
  std::vector<Envelope> one;
  one.push_back(std::move(envelope));
  return append_all(tx, std::move(one));
}

Result<void> Outbox::append_all(sql::Tx& tx, std::vector<Envelope> envelopes) const {
  if (envelopes.empty()) return {};
  const Timestamp now = clock_->now();
  std::vector<OutboxRow> rows;
  rows.reserve(envelopes.size());
  for (Envelope& envelope : envelopes) {
    if (envelope.id.is_nil()) envelope.id = ids_->make<EventId>();
    if (envelope.source.empty()) envelope.source = source_;
    if (envelope.time == Timestamp{}) envelope.time = now;
    EKIDEN_CHECK(check(envelope));
    rows.push_back({.id = envelope.id,
                    .type = envelope.type,
                    .subject = envelope.subject,
                    .sequence = envelope.sequence,
                    .message = encode(envelope, topic_)});
  }
  EKIDEN_CHECK(insert_rows(tx, rows, now));
  if (wake_) tx.after_commit(wake_);
  return {};
}

Result<void> insert_rows(sql::Tx& tx, const std::vector<OutboxRow>& rows, Timestamp now) {
  std::map<std::string_view, std::int64_t> left;
  for (const OutboxRow& row : rows) ++left[row.message.key];
  EKIDEN_TRY(const auto last, draw_positions(tx, left, now));
  std::vector<Params> sets;
  sets.reserve(rows.size());
  for (const OutboxRow& row : rows) {
    const std::int64_t position = last.at(row.message.key) - --left[row.message.key];
    sets.push_back(Params{row.id, position, row.message.topic, Blob{row.message.key}, row.type, row.subject,
                          row.sequence, Blob{pack_headers(row.message.headers)}, Blob{row.message.value},
                          now});
  }
  EKIDEN_CHECK(tx.execute_batch(kInsertRow, std::move(sets)));
  return {};
}

Result<std::vector<OutboxRow>> read_unpublished(sql::Tx& tx, std::size_t limit,
                                                const std::vector<std::string>& skip_keys) {
  std::string statement =
      "SELECT event_id, position, topic, key, type, subject, sequence, headers, data FROM outbox "
      "WHERE published_at IS NULL";
  Params params{static_cast<std::int64_t>(limit)};
  for (std::size_t i = 0; i < skip_keys.size(); ++i) {
    statement += (i == 0 ? " AND key NOT IN ($" : ", $") + std::to_string(i + 2);
    params.emplace_back(Blob{skip_keys[i]});
  }
  if (!skip_keys.empty()) statement += ")";
  statement += " ORDER BY position LIMIT $1";
  EKIDEN_TRY(const sql::Rows found, tx.query(statement, std::move(params)));
  std::vector<OutboxRow> rows;
  rows.reserve(found.size());
  for (const sql::Row& row : found) {
    EKIDEN_TRY(OutboxRow read, read_row(row));
    rows.push_back(std::move(read));
  }
  return rows;
}

Result<void> mark_published(sql::Tx& tx, const std::vector<EventId>& ids, Timestamp now) {
  std::vector<Params> sets;
  sets.reserve(ids.size());
  for (const EventId& id : ids) sets.push_back(Params{id, now});
  EKIDEN_CHECK(tx.execute_batch(
      "UPDATE outbox SET published_at = $2 WHERE event_id = $1 AND published_at IS NULL", std::move(sets)));
  return {};
}

Result<std::int64_t> prune_published(sql::Tx& tx, Timestamp before, std::size_t limit) {
  EKIDEN_TRY(
      const std::int64_t gone,
      tx.execute("DELETE FROM outbox WHERE event_id IN (SELECT event_id FROM outbox "
                 "WHERE published_at IS NOT NULL AND published_at < $1 ORDER BY published_at LIMIT $2)",
                 {before, static_cast<std::int64_t>(limit)}));
  // A key that comes back draws from the clock, which has passed every position that it ever had.
  EKIDEN_CHECK(
      tx.execute("DELETE FROM outbox_keys WHERE key IN (SELECT key FROM outbox_keys "
                 "WHERE last_position < $1 ORDER BY last_position LIMIT $2)",
                 {before, static_cast<std::int64_t>(limit)}));
  return gone;
}

Result<OutboxDepth> outbox_depth(sql::Tx& tx, Timestamp now) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT count(*), min(created_at) FROM (SELECT created_at FROM outbox "
                      "WHERE published_at IS NULL ORDER BY position LIMIT $1) AS waiting",
                      {kOutboxDepthMax}));
  OutboxDepth depth{.rows = rows.at(0).integer(0)};
  if (const auto oldest = rows.at(0).maybe_time(1); oldest && *oldest < now) depth.oldest_age = now - *oldest;
  return depth;
}

}  // namespace ekiden::delivery
