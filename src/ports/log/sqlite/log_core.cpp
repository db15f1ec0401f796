#include "ports/log/sqlite/log_core.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::log::sqlite {
namespace {

constexpr Duration kAfterFailure = std::chrono::seconds{1};

// Whatever the tables' trouble is, a consumer or an operator can only call again.
Error as_unavailable(const Error& error) {
  if (is_retryable(error.code()) || error.code() == Errc::internal) {
    return Error{Errc::unavailable, error.slug(), error.text()};
  }
  return error;
}

std::vector<Record> copies(const std::vector<RecordPtr>& records) {
  std::vector<Record> out;
  out.reserve(records.size());
  for (const RecordPtr& record : records) out.push_back(*record);
  return out;
}

}  // namespace

LogCore::LogCore(std::unique_ptr<sql::Database> database, const SqliteLogConfig& config, const Clock& clock,
                 Logger logger)
    : config_(config),
      clock_(clock),
      logger_(std::move(logger)),
      database_(std::move(database)),
      state_(config.tail_bytes_max),
      appender_(*database_, config_, clock,
                [this](AppendedRecords records) { appended(std::move(records)); }) {}

Result<void> LogCore::open() {
  EKIDEN_CHECK(sql::migrate(*database_, log_migrations()));
  EKIDEN_CHECK(look());
  housekeeper_ = std::jthread([this] { keep_house(); });
  return {};
}

void LogCore::stop() {
  appender_.close();
  {
    const MutexLock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  chores_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
  if (const auto committed = commit_stored(); !committed) {
    logger_.warning("log_commit_failed", {{"slug", committed.error().slug()}});
  }
}

CatalogPtr LogCore::catalog() const {
  const MutexLock lock(mutex_);
  return state_.catalog();
}

Result<void> LogCore::look() {
  EKIDEN_TRY(Overview overview, database_->read([](sql::Tx& tx) { return read_overview(tx); }));
  const MutexLock lock(mutex_);
  state_.refresh(std::move(overview), clock_.monotonic());
  appender_.set_catalog(state_.catalog());
  return {};
}

void LogCore::appended(AppendedRecords records) {
  const MutexLock lock(mutex_);
  for (auto& [id, of_partition] : records) state_.appended(id, std::move(of_partition));
  state_.wake_ready();
}

Result<void> LogCore::commit_stored() {
  std::vector<Commit> commits;
  {
    const MutexLock lock(mutex_);
    commits = state_.uncommitted();
    commit_due_.reset();
  }
  if (commits.empty()) return {};
  Result<void> written = database_->write([&](sql::Tx& tx) { return write_commits(tx, commits); });
  const MutexLock lock(mutex_);
  if (written) {
    state_.committed(commits);
  } else {
    commit_due_ = clock_.monotonic() + kAfterFailure;
  }
  return written;
}

Result<void> LogCore::reset(std::string_view group, const TopicPartition& at, CommittedOffset to) {
  EKIDEN_CHECK(look());
  const PartitionId id = catalog()->partition(at);
  if (id == 0) return Error{Errc::not_found, "no-such-partition", "there is no such partition"};
  EKIDEN_TRY(const Commit reset, database_->write([&](sql::Tx& tx) -> Result<Commit> {
    EKIDEN_TRY(const Overview overview, read_overview(tx));
    const auto bounds = std::ranges::find(overview.bounds, id, &Bounds::id);
    if (bounds == overview.bounds.end() || to.value < 0 || to.value > bounds->end) {
      return Error{Errc::invalid, "bad-offset", "the offset lies beyond the end of the partition", "to"};
    }
    EKIDEN_TRY(const GroupId group_id, ensure_group(tx, group));
    EKIDEN_TRY(const std::int64_t resets, reset_commit(tx, group_id, id, to.value));
    return Commit{group_id, id, to.value, resets};
  }));
  const MutexLock lock(mutex_);
  state_.apply_reset(reset, clock_.monotonic());
  state_.wake_ready();
  return {};
}

Result<Membership> LogCore::join(const ConsumerConfig& config) {
  EKIDEN_CHECK(look());
  const CatalogPtr topics = catalog();
  for (const std::string& name : config.topics) {
    if (topics->topic(name) == nullptr) {
      return Error{Errc::invalid, "no-such-topic", "there is no such topic", "topics"};
    }
  }
  GroupId group = 0;
  std::vector<Commit> commits;
  EKIDEN_CHECK(database_->write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(group, ensure_group(tx, config.group));
    EKIDEN_TRY(commits, read_commits(tx, group));
    return {};
  }));
  Membership joined;
  {
    const MutexLock lock(mutex_);
    joined = state_.join(group, config, commits, clock_.monotonic());
  }
  if (config.start_at == StartAt::latest) {
    if (const auto committed = commit_stored(); !committed) {
      leave(joined);
      return as_unavailable(committed.error());
    }
  }
  return joined;
}

void LogCore::leave(const Membership& who) {
  const MutexLock lock(mutex_);
  state_.leave(who, clock_.monotonic());
}

Directive LogCore::begin_poll(const Membership& who) {
  const MutexLock lock(mutex_);
  return state_.begin_poll(who, clock_.monotonic());
}

void LogCore::end_poll(const Membership& who) {
  const MutexLock lock(mutex_);
  state_.end_poll(who, clock_.monotonic());
}

void LogCore::released(const Membership& who, const std::vector<TopicPartition>& partitions) {
  const MutexLock lock(mutex_);
  state_.released(who, partitions, clock_.monotonic());
}

Result<std::vector<Record>> LogCore::fetch(const Membership& who, std::size_t max) {
  Taken taken;
  {
    const MutexLock lock(mutex_);
    taken = state_.take(who, max);
  }
  if (!taken.page) return copies(taken.records);
  const PageWanted& wanted = *taken.page;
  auto page = database_->read([&](sql::Tx& tx) {
    return read_page(tx, wanted.id, wanted.at, wanted.from, max, config_.fetch_bytes_max);
  });
  if (!page) return as_unavailable(page.error());
  Result<void> outcome;
  {
    const MutexLock lock(mutex_);
    outcome = state_.page_read(who, wanted, *page);
  }
  if (outcome) return std::move(page->records);
  logger_.error(outcome.error().code() == Errc::gone ? "log_records_gone" : "log_read_failed",
                {{"topic", wanted.at.topic}, {"partition", wanted.at.partition}, {"from", wanted.from}});
  return outcome.error().code() == Errc::gone ? outcome.error() : as_unavailable(outcome.error());
}

bool LogCore::wait(const Membership& who, Instant until) {
  const MutexLock lock(mutex_);
  while (!state_.has_something(who)) {
    if (!state_.signal(who).wait_until(mutex_, until) && clock_.monotonic() >= until) break;
  }
  return state_.has_something(who) && !state_.take_wake(who);
}

void LogCore::wake(const Membership& who) {
  const MutexLock lock(mutex_);
  state_.wake(who);
}

void LogCore::set_paused(const Membership& who, const std::vector<TopicPartition>& partitions, bool paused) {
  const MutexLock lock(mutex_);
  state_.set_paused(who, partitions, paused);
}

Result<void> LogCore::store(const Membership& who, const TopicPartition& at, CommittedOffset next) {
  const MutexLock lock(mutex_);
  EKIDEN_TRY(const bool news, state_.store(who, at, next));
  if (news && !commit_due_) {
    commit_due_ = clock_.monotonic() + config_.commit_every;
    chores_.notify_all();
  }
  return {};
}

}  // namespace ekiden::log::sqlite
