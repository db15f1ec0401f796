#include "ports/log/sqlite/sqlite_log.hpp"

#include <algorithm>
#include <utility>

#include "ports/log/checks.hpp"
#include "ports/log/sqlite/consumer.hpp"
#include "ports/log/sqlite/log_core.hpp"

namespace ekiden::log {
namespace {

using sqlite::LogCore;

class SqliteProducer final : public Producer {
 public:
  explicit SqliteProducer(std::shared_ptr<LogCore> core) : core_(std::move(core)) {}
  void send(Message message, Delivered done) override {
    core_->appender().send(std::move(message), std::move(done));
  }

 private:
  const std::shared_ptr<LogCore> core_;
};

class SqliteLog final : public Log {
 public:
  explicit SqliteLog(std::shared_ptr<LogCore> core) : core_(std::move(core)) {}
  ~SqliteLog() override { core_->stop(); }
  SqliteLog(const SqliteLog&) = delete;
  SqliteLog& operator=(const SqliteLog&) = delete;

  Result<void> ensure_topics(const std::vector<TopicConfig>& topics) override;
  Result<std::vector<TopicConfig>> topics() const override;
  std::shared_ptr<Producer> producer() override { return std::make_shared<SqliteProducer>(core_); }
  Result<std::unique_ptr<Consumer>> join(ConsumerConfig config, RebalanceListener& listener) override;
  Result<std::vector<Record>> read(const TopicPartition& at, Offset from, std::size_t max) override;
  Result<std::vector<PartitionState>> state(std::string_view group, std::string_view topic) override;
  Result<std::vector<std::string>> groups() override;
  Result<void> reset(std::string_view group, const TopicPartition& at, CommittedOffset to) override;
  Result<std::int64_t> enforce_retention() override { return core_->drop_old(); }

 private:
  const std::shared_ptr<LogCore> core_;
};

Result<void> SqliteLog::ensure_topics(const std::vector<TopicConfig>& topics) {
  for (const TopicConfig& topic : topics) EKIDEN_CHECK(check(topic));
  EKIDEN_CHECK(core_->database().write([&](sql::Tx& tx) -> Result<void> {
    for (const TopicConfig& topic : topics) EKIDEN_CHECK(sqlite::ensure_topic(tx, topic));
    return {};
  }));
  return core_->look();
}

Result<std::vector<TopicConfig>> SqliteLog::topics() const {
  EKIDEN_CHECK(core_->look());
  const sqlite::CatalogPtr catalog = core_->catalog();
  std::vector<TopicConfig> configs;
  for (const auto& [name, topic] : catalog->topics) configs.push_back(topic.config);
  return configs;
}

Result<std::unique_ptr<Consumer>> SqliteLog::join(ConsumerConfig config, RebalanceListener& listener) {
  EKIDEN_CHECK(check(config));
  EKIDEN_TRY(const sqlite::Membership who, core_->join(config));
  return std::unique_ptr<Consumer>(std::make_unique<sqlite::SqliteConsumer>(core_, who, listener));
}

Result<std::vector<Record>> SqliteLog::read(const TopicPartition& at, Offset from, std::size_t max) {
  EKIDEN_CHECK(core_->look());
  const sqlite::PartitionId id = core_->catalog()->partition(at);
  if (id == 0) return Error{Errc::not_found, "no-such-partition", "there is no such partition"};
  EKIDEN_TRY(sqlite::Page page, core_->database().read([&](sql::Tx& tx) {
    return sqlite::read_page(tx, id, at, from.value, max, core_->config().fetch_bytes_max);
  }));
  return std::move(page.records);
}

Result<std::vector<PartitionState>> SqliteLog::state(std::string_view group, std::string_view topic) {
  sqlite::Overview overview;
  std::vector<sqlite::Commit> commits;
  EKIDEN_CHECK(core_->database().read([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(overview, sqlite::read_overview(tx));
    EKIDEN_TRY(const auto group_id, sqlite::find_group(tx, group));
    commits.clear();
    if (!group_id) return {};
    EKIDEN_TRY(commits, sqlite::read_commits(tx, *group_id));
    return {};
  }));
  if (overview.catalog.topic(topic) == nullptr) {
    return Error{Errc::not_found, "no-such-topic", "there is no such topic"};
  }
  std::vector<PartitionState> states;
  for (const sqlite::Bounds& bounds : overview.bounds) {
    const TopicPartition& at = overview.catalog.names.at(bounds.id);
    if (at.topic != topic) continue;
    PartitionState state{at, Offset{bounds.begin}, Offset{bounds.end}, {}, bounds.end - bounds.begin};
    const auto commit = std::ranges::find(commits, bounds.id, &sqlite::Commit::partition);
    if (commit != commits.end()) {
      state.committed = CommittedOffset{commit->next};
      state.lag_events = bounds.end - commit->next;
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<std::vector<std::string>> SqliteLog::groups() {
  return core_->database().read([](sql::Tx& tx) { return sqlite::read_groups(tx); });
}

Result<void> SqliteLog::reset(std::string_view group, const TopicPartition& at, CommittedOffset to) {
  if (!is_valid_name(group)) {
    return Error{Errc::invalid, "bad-name", "a group's name is 1 to 100 of [a-z0-9._-]", "group"};
  }
  return core_->reset(group, at, to);
}

}  // namespace

Result<std::unique_ptr<Log>> make_sqlite_log(std::unique_ptr<sql::Database> database, SqliteLogConfig config,
                                             const Clock& clock, Logger logger) {
  auto core = std::make_shared<LogCore>(std::move(database), config, clock, std::move(logger));
  EKIDEN_CHECK(core->open());
  return std::unique_ptr<Log>(std::make_unique<SqliteLog>(std::move(core)));
}

}  // namespace ekiden::log
