#include "app/system_sources.hpp"

namespace ekiden::app {

namespace {

using Lag = gateway::SystemSources::Lag;

std::vector<Lag> lags_of(const RunningServices& services) {
  std::vector<Lag> lags;
  for (const auto& service : services) {
    for (const auto& runner : service->runners) {
      const delivery::RunnerFigures figures = runner->figures();
      for (const delivery::PartitionFigures& partition : figures.partitions) {
        lags.push_back({.group = figures.group,
                        .topic = figures.topic,
                        .partition = partition.at.partition,
                        .lag_events = partition.lag_events,
                        .prefetched = partition.unfinished,
                        .applied = partition.applied,
                        .dead = partition.dead,
                        .parked = partition.parked});
      }
    }
  }
  return lags;
}

void show_lags(runtime::Metrics& metrics, const std::vector<Lag>& lags) {
  for (const Lag& lag : lags) {
    const runtime::Metrics::Labels labels = {
        {"group", lag.group}, {"topic", lag.topic}, {"partition", std::to_string(lag.partition)}};
    const auto show = [&](const char* name, const char* help, std::int64_t value) {
      metrics.gauge(name, help, labels).set(static_cast<double>(value));
    };
    show("ekiden_consumer_lag", "Events that the group has not read yet.", lag.lag_events);
    show("ekiden_consumer_prefetched", "Events taken and not finished.", lag.prefetched);
    show("ekiden_consumer_applied", "Events applied since the start.", lag.applied);
    show("ekiden_consumer_dead_letters", "Events given up since the start.", lag.dead);
    show("ekiden_consumer_parked", "Events that wait for an earlier one.", lag.parked);
  }
}

void show_consumers(runtime::Metrics& metrics, const RunningServices& services) {
  for (const auto& service : services) {
    for (const auto& runner : service->runners) {
      const delivery::RunnerFigures figures = runner->figures();
      const runtime::Metrics::Labels labels = {{"group", figures.group}, {"topic", figures.topic}};
      const auto show = [&](const char* name, const char* help, std::int64_t value) {
        metrics.gauge(name, help, labels).set(static_cast<double>(value));
      };
      show("ekiden_consumer_gaps", "Times that retention had passed unread events: rebuild from the source.",
           figures.gaps);
      show("ekiden_consumer_after_commit_errors",
           "Batches that are in the tables and did not reach a projection outside them.",
           figures.after_commit_errors);
      show("ekiden_consumer_storage_errors", "Transactions that the database failed, each tried again.",
           figures.storage_errors);
      show("ekiden_consumer_poll_errors", "Polls that the log did not answer.", figures.poll_errors);
      show("ekiden_consumer_late_starts",
           "Things whose first events had gone before the group could read them.", figures.late_starts);
    }
  }
}

void show_stores(runtime::Metrics& metrics, const RunningServices& services) {
  for (const auto& service : services) {
    if (service->db == nullptr) continue;
    const runtime::Metrics::Labels labels = {{"service", std::string(service->spec.name)}};
    const auto show = [&](const char* name, const char* help, double value) {
      metrics.gauge(name, help, labels).set(value);
    };
    const sql::DatabaseFigures sql = service->db->figures();
    show("ekiden_sql_queued", "Transactions that wait for a lane.", static_cast<double>(sql.queued));
    show("ekiden_sql_lanes_busy", "Lanes that run a transaction.", static_cast<double>(sql.lanes_busy));
    show("ekiden_sql_transactions", "Write transactions that became durable since the start.",
         static_cast<double>(sql.committed));
    show("ekiden_sql_commits", "Physical commits since the start.", static_cast<double>(sql.commits));
    show("ekiden_sql_retried", "Transactions run again after a lost race.", static_cast<double>(sql.retried));
    const delivery::RelayFigures relay = service->relay->figures();
    show("ekiden_outbox_depth", "Events that are not on the log yet.", static_cast<double>(relay.depth));
    show("ekiden_outbox_age_seconds", "Age of the oldest of them.",
         std::chrono::duration<double>(relay.oldest_age).count());
    show("ekiden_outbox_published", "Events published since the start.",
         static_cast<double>(relay.published));
    show("ekiden_outbox_failed", "Sends that failed and were repeated.", static_cast<double>(relay.failed));
  }
}

}  // namespace

std::string_view version() {
  return EKIDEN_VERSION;
}

gateway::SystemSources system_sources(const RunningServices& services, const ProcessParts& process) {
  runtime::FiguresRegistry& figures = process.figures;
  runtime::Metrics& metrics = process.metrics;
  gateway::SystemSources sources;
  for (const ServiceRow& row : service_table())
    sources.services_and_models.emplace_back(row.name, describe(row.model(process.config)));
  sources.figures = &figures;
  sources.lags = [&services] { return lags_of(services); };
  sources.metrics = [&services, &figures, &metrics] {
    metrics.show(figures.collect());
    show_lags(metrics, lags_of(services));
    show_consumers(metrics, services);
    show_stores(metrics, services);
    return metrics.serialize();
  };
  sources.not_ready = [&services] {
    std::vector<std::string> names;
    for (const auto& service : services) {
      if (!service->spec.ready()) names.emplace_back(service->spec.name);
    }
    return names;
  };
  sources.version = std::string(version());
  return sources;
}

}  // namespace ekiden::app
