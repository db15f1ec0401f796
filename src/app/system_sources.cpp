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

/// Figures of one thing as series, with the labels that say which.
class Shown {
 public:
  Shown(runtime::Metrics& metrics, runtime::Metrics::Labels labels)
      : metrics_(metrics), labels_(std::move(labels)) {}

  template <class Number>
  void now(const char* name, const char* help, Number value) const {
    metrics_.gauge(name, help, labels_).set(static_cast<double>(value));
  }
  /// Since the start.
  template <class Number>
  void total(const char* name, const char* help, Number value) const {
    metrics_.counter(name, help, labels_).raise_to(static_cast<double>(value));
  }

 private:
  runtime::Metrics& metrics_;
  const runtime::Metrics::Labels labels_;
};

void show_lags(runtime::Metrics& metrics, const std::vector<Lag>& lags) {
  for (const Lag& lag : lags) {
    const Shown shown(
        metrics, {{"group", lag.group}, {"topic", lag.topic}, {"partition", std::to_string(lag.partition)}});
    shown.now("ekiden_consumer_lag", "Events that the group has not read yet.", lag.lag_events);
    shown.now("ekiden_consumer_prefetched", "Events taken and not finished.", lag.prefetched);
    shown.now("ekiden_consumer_parked", "Events that wait for an earlier one.", lag.parked);
    shown.total("ekiden_consumer_applied_total", "Events applied.", lag.applied);
    shown.total("ekiden_consumer_dead_letters_total", "Events given up.", lag.dead);
  }
}

void show_consumers(runtime::Metrics& metrics, const RunningServices& services) {
  for (const auto& service : services) {
    for (const auto& runner : service->runners) {
      const delivery::RunnerFigures figures = runner->figures();
      const Shown shown(metrics, {{"group", figures.group}, {"topic", figures.topic}});
      shown.total("ekiden_consumer_gaps_total",
                  "Times that retention had passed unread events: rebuild from the source.", figures.gaps);
      shown.total("ekiden_consumer_after_commit_errors_total",
                  "Batches that are in the tables and did not reach a projection outside them.",
                  figures.after_commit_errors);
      shown.total("ekiden_consumer_storage_errors_total",
                  "Transactions that the database failed, each tried again.", figures.storage_errors);
      shown.total("ekiden_consumer_poll_errors_total", "Polls that the log did not answer.",
                  figures.poll_errors);
      shown.total("ekiden_consumer_late_starts_total",
                  "Things whose first events had gone before the group could read them.",
                  figures.late_starts);
    }
  }
}

void show_tables(runtime::Metrics& metrics, const RunningServices& services) {
  for (const auto& service : services) {
    if (service->db == nullptr) continue;
    const Shown shown(metrics, {{"service", std::string(service->spec.name)}});
    const sql::DatabaseFigures sql = service->db->figures();
    shown.now("ekiden_sql_queued", "Transactions that wait for a lane.", sql.queued);
    shown.now("ekiden_sql_lanes_busy", "Lanes that run a transaction.", sql.lanes_busy);
    shown.total("ekiden_sql_transactions_total", "Write transactions that became durable.", sql.committed);
    shown.total("ekiden_sql_commits_total", "Physical commits.", sql.commits);
    shown.total("ekiden_sql_retried_total", "Transactions run again after a lost race.", sql.retried);
    shown.total("ekiden_sql_rolled_back_total", "Transactions answered with an error.", sql.rolled_back);
    const delivery::RelayFigures relay = service->relay->figures();
    shown.now("ekiden_outbox_depth", "Events that are not on the log yet.", relay.depth);
    shown.now("ekiden_outbox_age_seconds", "Age of the oldest of them.",
              std::chrono::duration<double>(relay.oldest_age).count());
    shown.total("ekiden_outbox_published_total", "Events published.", relay.published);
    shown.total("ekiden_outbox_failed_total", "Sends that failed and were repeated.", relay.failed);
  }
}

void show_redis(runtime::Metrics& metrics, const Stores& stores) {
  if (const auto redis = stores.redis_figures()) {
    const Shown shown(metrics, {});
    shown.now("ekiden_redis_up", "Whether Redis is connected.", redis->is_up ? 1 : 0);
    shown.now("ekiden_redis_calls", "Calls that wait for an answer.", redis->calls);
    shown.total("ekiden_redis_connects_total", "Connections made.", redis->connects);
    shown.total("ekiden_redis_completed_total", "Calls answered.", redis->completed);
    shown.total("ekiden_redis_timeouts_total", "Calls without an answer in time.", redis->timeouts);
    shown.total("ekiden_redis_refused_total", "Calls while Redis was away, or beyond a bound.",
                redis->refused);
  }
  if (const auto limits = stores.shared_limits_figures()) {
    const Shown shown(metrics, {});
    shown.now("ekiden_limits_degraded", "Whether this process decides alone, without Redis.",
              limits->is_degraded ? 1 : 0);
    shown.total("ekiden_limits_shared_total", "Decisions by Redis.", limits->shared);
    shown.total("ekiden_limits_alone_total", "Decisions without it.", limits->degraded);
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
  sources.metrics = [&services, &figures, &metrics, &stores = process.stores] {
    metrics.show(figures.collect());
    show_lags(metrics, lags_of(services));
    show_consumers(metrics, services);
    show_tables(metrics, services);
    show_redis(metrics, stores);
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
