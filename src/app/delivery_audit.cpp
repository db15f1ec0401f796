#include "app/delivery_audit.hpp"

#include <set>

#include "app/commands/operator_job.hpp"
#include "delivery/outbox.hpp"

namespace ekiden::app {

namespace {

constexpr std::size_t kReadAtOnce = 5'000;
constexpr std::size_t kFindingsMax = 100;
/// Topics and outboxes forget after a week; younger events must be in both.
constexpr std::chrono::hours kCompared{24 * 6};

/// Calls `visit` for every record of a topic that is younger than `kCompared`.
Result<void> read_topic(log::Log& log, std::string_view topic, const Clock& clock,
                        const std::function<void(const log::Record&)>& visit) {
  EKIDEN_TRY(const auto partitions, log.state("audit", topic));
  const Timestamp since = clock.now() - kCompared;
  for (const log::PartitionState& partition : partitions) {
    log::Offset next = partition.begin;
    while (next < partition.end) {
      EKIDEN_TRY(const auto records, log.read(partition.at, next, kReadAtOnce));
      if (records.empty()) break;
      for (const log::Record& record : records) {
        if (record.appended_at >= since) visit(record);
      }
      next = {log::after(records.back().offset).value};
    }
  }
  return {};
}

Result<std::vector<std::string>> still_on_their_way(const RunningServices& services, log::Log& log,
                                                    const Clock& clock) {
  std::vector<std::string> waiting;
  for (const auto& service : services) {
    EKIDEN_TRY(const auto depth,
               service->db->read([&](sql::Tx& tx) { return delivery::outbox_depth(tx, clock.now()); }));
    if (depth.rows > 0)
      waiting.push_back(std::string(service->spec.name) + ": " + std::to_string(depth.rows) +
                        " events are not on the log yet");
    for (const delivery::Subscription& subscription : service->spec.consumers) {
      EKIDEN_TRY(const auto partitions, log.state(subscription.group, subscription.topic));
      std::int64_t lag = 0;
      for (const log::PartitionState& partition : partitions) lag += partition.lag_events;
      if (lag > 0)
        waiting.push_back(std::string(subscription.group) + ": " + std::to_string(lag) + " events of " +
                          std::string(subscription.topic) + " are not read yet");
    }
  }
  return waiting;
}

void report_missing(std::vector<std::string>& findings, const std::string& what, std::size_t count) {
  if (count > 0) findings.push_back(what + ": " + std::to_string(count));
}

}  // namespace

Result<std::vector<std::string>> wait_until_quiet(const RunningServices& services, log::Log& log,
                                                  const Clock& clock, std::chrono::seconds patience) {
  const Deadline deadline = Deadline::after(clock, patience);
  for (;;) {
    EKIDEN_TRY(auto waiting, still_on_their_way(services, log, clock));
    if (waiting.empty() || deadline.passed(clock)) return waiting;
    wait_for_other_process(std::chrono::milliseconds{100});
  }
}

Result<std::vector<std::string>> outbox_is_on_the_log(const RunningService& service, log::Log& log,
                                                      const Clock& clock) {
  std::vector<std::string> findings;
  EKIDEN_TRY(const sql::Rows rows, service.db->read([&](sql::Tx& tx) {
    return tx.query("SELECT event_id, topic FROM outbox WHERE created_at > $1", {clock.now() - kCompared});
  }));
  std::map<std::string, std::set<std::string>> wanted;
  for (const sql::Row& row : rows) wanted[row.text(1)].insert(row.id<EventId>(0).to_string());
  for (auto& [topic, ids] : wanted) {
    EKIDEN_CHECK(read_topic(log, topic, clock, [&ids](const log::Record& record) {
      for (const auto& [name, value] : record.headers) {
        if (name == "ce_id") ids.erase(value);
      }
    }));
    report_missing(findings, "events of the outbox that are not on the log, topic " + topic, ids.size());
  }
  EKIDEN_TRY(const sql::Rows gaps, service.db->read([](sql::Tx& tx) {
    return tx.query(
        "SELECT subject, COUNT(*), CAST(MAX(sequence) - MIN(sequence) + 1 AS BIGINT) FROM outbox WHERE "
        "sequence > 0 GROUP "
        "BY topic, subject HAVING COUNT(*) <> MAX(sequence) - MIN(sequence) + 1 LIMIT $1",
        {static_cast<std::int64_t>(kFindingsMax)});
  }));
  for (const sql::Row& row : gaps) {
    findings.push_back(row.text(0) + " has " + std::to_string(row.integer(1)) + " events for " +
                       std::to_string(row.integer(2)) + " versions");
  }
  return findings;
}

Result<std::vector<std::string>> inbox_has_every_event(const RunningService& service, log::Log& log,
                                                       const Clock& clock) {
  std::vector<std::string> findings;
  for (const delivery::Subscription& subscription : service.spec.consumers) {
    std::set<std::string> wanted;
    EKIDEN_CHECK(read_topic(log, subscription.topic, clock, [&](const log::Record& record) {
      const auto event = delivery::decode(record);
      if (!event) return;
      for (const std::string_view type : subscription.types) {
        if (type == event->type) wanted.insert(event->id.to_string());
      }
    }));
    EKIDEN_TRY(const sql::Rows rows, service.db->read([&](sql::Tx& tx) {
      return tx.query("SELECT event_id, state FROM inbox WHERE group_name = $1", {subscription.group});
    }));
    std::size_t dead = 0;
    for (const sql::Row& row : rows) {
      const bool known = wanted.erase(row.id<EventId>(0).to_string()) > 0;
      if (known && row.text(1) == "dead") ++dead;
    }
    const std::string group(subscription.group);
    report_missing(findings, group + ": events of the log that were not applied", wanted.size());
    report_missing(findings, group + ": events that were given up (ekiden dlq list)", dead);
  }
  return findings;
}

}  // namespace ekiden::app
