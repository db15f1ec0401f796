#include "delivery/group_store.hpp"

#include <algorithm>
#include <bit>

#include "delivery/header_codec.hpp"

namespace ekiden::delivery {
namespace {

using sql::Blob;
using sql::Params;

constexpr std::string_view kParkedColumns =
    "p.event_id, p.reason, p.topic, p.log_partition, p.log_offset, p.key, p.headers, p.data, p.appended_at";

/// A parked event `p` beside its subject's row `s`: its gap has closed, or (before $4) it is the first of a
/// subject of which nothing earlier can come any more.
constexpr std::string_view kMayGoOn =
    "(p.sequence <= coalesce(s.last_sequence, 0) + 1 OR (s.subject IS NULL AND p.appended_at <= $4 "
    "AND NOT EXISTS (SELECT 1 FROM parked e WHERE e.group_name = p.group_name AND e.subject = p.subject "
    "AND e.sequence < p.sequence))) ";

InboxState state_of(const std::string& text) {
  if (text == "parked") return InboxState::parked;
  if (text == "dead") return InboxState::dead;
  if (text == "discarded") return InboxState::discarded;
  return InboxState::applied;
}

std::string_view name_of(InboxState state) {
  switch (state) {
    case InboxState::applied:
      return "applied";
    case InboxState::parked:
      return "parked";
    case InboxState::dead:
      return "dead";
    case InboxState::discarded:
      return "discarded";
  }
  return "applied";
}

/// `($2, $3 …)` for so many values, rounded up to a power of two: few texts to prepare.
std::string list_after_group(std::size_t count) {
  std::string list = "(";
  for (std::size_t i = 0; i < std::bit_ceil(count); ++i)
    list += (i == 0 ? "$" : ", $") + std::to_string(i + 2);
  return list + ")";
}

/// The group and the values of such a list; the last one is repeated.
template <class T>
Params params_of(std::string_view group, const std::vector<T>& values) {
  Params params{group};
  const std::size_t count = std::bit_ceil(values.size());
  params.reserve(count + 1);
  for (std::size_t i = 0; i < count; ++i) params.emplace_back(values[std::min(i, values.size() - 1)]);
  return params;
}

Result<ParkedEvent> read_parked(const sql::Row& row, std::string_view group) {
  log::Record record{.at = {.topic = row.text(2), .partition = static_cast<std::int32_t>(row.integer(3))},
                     .offset = {row.integer(4)},
                     .appended_at = row.time(8),
                     .key = row.bytes(5),
                     .value = row.bytes(7),
                     .headers = {}};
  EKIDEN_TRY(record.headers, unpack_headers(row.bytes(6)));
  return ParkedEvent{.arrived = arrive(std::move(record), group),
                     .reason = row.text(1) == "gap" ? ParkReason::gap : ParkReason::blocked};
}

}  // namespace

Result<std::map<EventId, InboxState>> GroupStore::states(const std::vector<EventId>& ids) {
  std::map<EventId, InboxState> found;
  if (ids.empty()) return found;
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT event_id, state FROM inbox WHERE group_name = $1 AND event_id IN " +
                           list_after_group(ids.size()),
                       params_of(group_, ids)));
  for (const sql::Row& row : rows) found.emplace(row.id<EventId>(0), state_of(row.text(1)));
  return found;
}

Result<void> GroupStore::insert_applied(const std::vector<EventId>& ids) {
  if (ids.empty()) return {};
  std::vector<Params> sets;
  sets.reserve(ids.size());
  for (const EventId& id : ids) sets.push_back(Params{group_, id, now_});
  EKIDEN_TRY(const std::int64_t written,
             tx_.execute_batch("INSERT INTO inbox (group_name, event_id, state, applied_at) "
                               "VALUES ($1, $2, 'applied', $3) ON CONFLICT DO NOTHING",
                               std::move(sets)));
  if (written != static_cast<std::int64_t>(ids.size()))
    return Error{Errc::unavailable, "inbox-race", "another member has applied one of these events"};
  return {};
}

Result<void> GroupStore::settle(const EventId& id, InboxState state) {
  EKIDEN_CHECK(
      tx_.execute("UPDATE inbox SET state = $3, applied_at = $4 WHERE group_name = $1 AND event_id = $2",
                  {group_, id, name_of(state), now_}));
  return {};
}

Result<std::optional<std::int64_t>> GroupStore::last_sequence(std::string_view subject) {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT last_sequence FROM sequences WHERE group_name = $1 AND subject = $2",
                       {group_, subject}));
  return rows.empty() ? std::optional<std::int64_t>() : rows.front().integer(0);
}

Result<void> GroupStore::meet_subject(std::string_view subject, std::int64_t sequence) {
  EKIDEN_CHECK(
      tx_.execute("INSERT INTO sequences (group_name, subject, last_sequence) VALUES ($1, $2, $3) "
                  "ON CONFLICT DO NOTHING",
                  {group_, subject, sequence}));
  return {};
}

Result<bool> GroupStore::is_parked_before(std::string_view subject, std::int64_t sequence) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx_.query("SELECT 1 FROM parked WHERE group_name = $1 AND subject = $2 AND sequence < $3 LIMIT 1",
                {group_, subject, sequence}));
  return !rows.empty();
}

Result<std::map<std::string, std::optional<std::int64_t>>> GroupStore::last_sequences(
    const std::vector<std::string>& subjects) {
  std::map<std::string, std::optional<std::int64_t>> found;
  if (subjects.empty()) return found;
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT subject, last_sequence FROM sequences WHERE group_name = $1 AND subject IN " +
                           list_after_group(subjects.size()),
                       params_of(group_, subjects)));
  for (const std::string& subject : subjects) found.emplace(subject, std::nullopt);
  for (const sql::Row& row : rows) found[row.text(0)] = row.integer(1);
  return found;
}

Result<void> GroupStore::write_sequences(const std::map<std::string, std::optional<std::int64_t>>& last) {
  std::vector<Params> sets;
  std::vector<Params> ended;
  for (const auto& [subject, sequence] : last) {
    if (sequence) {
      sets.push_back({group_, subject, *sequence});
    } else {
      ended.push_back({group_, subject});
    }
  }
  if (!sets.empty()) {
    EKIDEN_CHECK(
        tx_.execute_batch("INSERT INTO sequences (group_name, subject, last_sequence) VALUES ($1, $2, $3) "
                          "ON CONFLICT (group_name, subject) DO UPDATE SET last_sequence = $3",
                          std::move(sets)));
  }
  if (ended.empty()) return {};
  EKIDEN_CHECK(
      tx_.execute_batch("DELETE FROM sequences WHERE group_name = $1 AND subject = $2", std::move(ended)));
  return {};
}

Result<GroupStore::Waiting> GroupStore::waiting() {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT EXISTS (SELECT 1 FROM blocked_keys WHERE group_name = $1), "
                       "EXISTS (SELECT 1 FROM parked WHERE group_name = $1)",
                       {group_}));
  return Waiting{.any_blocked = rows.at(0).flag(0), .any_parked = rows.at(0).flag(1)};
}

Result<bool> GroupStore::is_blocked(std::string_view topic, std::string_view key) {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT 1 FROM blocked_keys WHERE group_name = $1 AND topic = $2 AND key = $3",
                       {group_, topic, Blob{std::string(key)}}));
  return !rows.empty();
}

Result<void> GroupStore::block(const log::TopicPartition& at, std::string_view key, const EventId& dead) {
  EKIDEN_CHECK(tx_.execute(
      "INSERT INTO blocked_keys (group_name, topic, key, log_partition, event_id, draining, since) "
      "VALUES ($1, $2, $3, $4, $5, FALSE, $6) ON CONFLICT (group_name, topic, key) "
      "DO UPDATE SET log_partition = $4, event_id = $5, draining = FALSE, since = $6",
      {group_, at.topic, Blob{std::string(key)}, at.partition, dead, now_}));
  return {};
}

Result<bool> GroupStore::start_drain(std::string_view topic, std::string_view key, const EventId& dead) {
  EKIDEN_TRY(const std::int64_t changed,
             tx_.execute("UPDATE blocked_keys SET draining = TRUE "
                         "WHERE group_name = $1 AND topic = $2 AND key = $3 AND event_id = $4",
                         {group_, topic, Blob{std::string(key)}, dead}));
  return changed == 1;
}

Result<void> GroupStore::end_drain(std::string_view topic, std::string_view key) {
  EKIDEN_CHECK(
      tx_.execute("DELETE FROM blocked_keys WHERE group_name = $1 AND topic = $2 AND key = $3 "
                  "AND draining AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.group_name = $1 "
                  "AND p.topic = $2 AND p.key = $3 AND p.reason = 'blocked')",
                  {group_, topic, Blob{std::string(key)}}));
  return {};
}

Result<void> GroupStore::park(const Arrived& arrived, ParkReason reason, bool is_known) {
  if (is_known) {
    EKIDEN_CHECK(settle(arrived.id, InboxState::parked));
  } else {
    EKIDEN_TRY(const std::int64_t written,
               tx_.execute("INSERT INTO inbox (group_name, event_id, state, applied_at) "
                           "VALUES ($1, $2, 'parked', $3) ON CONFLICT DO NOTHING",
                           {group_, arrived.id, now_}));
    if (written != 1) return Error{Errc::unavailable, "inbox-race", "another member has taken this event"};
  }
  const log::Record& record = arrived.record;
  const std::string subject = arrived.event ? arrived.event->subject : std::string();
  const std::int64_t sequence = arrived.event ? arrived.event->sequence : 0;
  EKIDEN_CHECK(tx_.execute(
      "INSERT INTO parked (group_name, event_id, reason, topic, log_partition, log_offset, key, subject, "
      "sequence, headers, data, appended_at, parked_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
      {group_, arrived.id, reason == ParkReason::gap ? "gap" : "blocked", record.at.topic,
       record.at.partition, record.offset.value, Blob{record.key}, subject, sequence,
       Blob{pack_headers(record.headers)}, Blob{record.value}, record.appended_at, now_}));
  return {};
}

Result<void> GroupStore::park_for_gap(const EventId& id) {
  EKIDEN_CHECK(
      tx_.execute("UPDATE parked SET reason = 'gap' WHERE group_name = $1 AND event_id = $2", {group_, id}));
  return {};
}

Result<void> GroupStore::unpark(const EventId& id) {
  EKIDEN_TRY(const std::int64_t gone,
             tx_.execute("DELETE FROM parked WHERE group_name = $1 AND event_id = $2", {group_, id}));
  if (gone != 1) return Error{Errc::unavailable, "inbox-race", "another member has released this event"};
  return {};
}

Result<std::optional<ParkedEvent>> GroupStore::next_parked(std::string_view topic, std::string_view key) {
  const Params params{group_, topic, Blob{std::string(key)}};
  EKIDEN_TRY(sql::Rows rows,
             tx_.query("SELECT " + std::string(kParkedColumns) +
                           " FROM parked p JOIN blocked_keys b ON b.group_name = p.group_name "
                           "AND b.topic = p.topic AND b.key = p.key AND b.draining "
                           "WHERE p.group_name = $1 AND p.topic = $2 AND p.key = $3 AND p.reason = 'blocked' "
                           "ORDER BY p.log_offset LIMIT 1",
                       params));
  if (rows.empty()) {
    EKIDEN_TRY(rows, tx_.query("SELECT " + std::string(kParkedColumns) +
                                   " FROM parked p LEFT JOIN sequences s ON s.group_name = p.group_name "
                                   "AND s.subject = p.subject WHERE p.group_name = $1 AND p.topic = $2 "
                                   "AND p.key = $3 AND p.reason = 'gap' "
                                   "AND " +
                                   std::string(kMayGoOn) + "ORDER BY p.subject, p.sequence LIMIT 1",
                               {group_, topic, Blob{std::string(key)}, now_ - kGapPatience}));
  }
  if (rows.empty()) return std::optional<ParkedEvent>();
  EKIDEN_TRY(ParkedEvent found, read_parked(rows.front(), group_));
  return std::optional<ParkedEvent>(std::move(found));
}

Result<bool> GroupStore::closes_gap(std::string_view subject, std::int64_t sequence) {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT 1 FROM parked WHERE group_name = $1 AND subject = $2 AND reason = 'gap' "
                       "AND sequence <= $3 LIMIT 1",
                       {group_, subject, sequence + 1}));
  return !rows.empty();
}

Result<std::vector<std::string>> GroupStore::releasable(const log::TopicPartition& at) {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("SELECT b.key FROM blocked_keys b WHERE b.group_name = $1 AND b.topic = $2 "
                       "AND b.log_partition = $3 AND b.draining "
                       "UNION SELECT p.key FROM parked p LEFT JOIN sequences s "
                       "ON s.group_name = p.group_name AND s.subject = p.subject "
                       "WHERE p.group_name = $1 AND p.topic = $2 AND p.log_partition = $3 "
                       "AND p.reason = 'gap' AND " +
                           std::string(kMayGoOn) + "LIMIT 1024",
                       {group_, at.topic, at.partition, now_ - kGapPatience}));
  std::vector<std::string> keys;
  for (const sql::Row& row : rows) keys.push_back(row.bytes(0));
  return keys;
}

Result<std::int64_t> GroupStore::die(const EventId& id) {
  EKIDEN_TRY(const sql::Rows rows,
             tx_.query("INSERT INTO inbox (group_name, event_id, state, deaths, applied_at) "
                       "VALUES ($1, $2, 'dead', 1, $3) ON CONFLICT (group_name, event_id) "
                       "DO UPDATE SET state = 'dead', deaths = inbox.deaths + 1, applied_at = $3 "
                       "RETURNING deaths",
                       {group_, id, now_}));
  return rows.at(0).integer(0);
}

}  // namespace ekiden::delivery
