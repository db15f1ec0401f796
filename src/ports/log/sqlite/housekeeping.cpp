#include <algorithm>

#include "ports/log/sqlite/log_core.hpp"

namespace ekiden::log::sqlite {
namespace {

constexpr std::int64_t kDropChunk = 1'000;
constexpr Duration kFirstDrop = std::chrono::minutes{1};

}  // namespace

void LogCore::keep_house() {
  Instant next_look = clock_.monotonic() + config_.look_every;
  Instant next_drop = clock_.monotonic() + std::min<Duration>(kFirstDrop, config_.drop_every);
  DropPass pass;
  while (wait_for_chores(pass.left.empty() ? std::min(next_look, next_drop) : Instant::min())) {
    const Instant now = clock_.monotonic();
    commit_when_due(now);
    if (now >= next_look) {
      look_around(now);
      next_look = clock_.monotonic() + config_.look_every;
    }
    if (now >= next_drop) {
      pass = start_dropping();
      next_drop = now + config_.drop_every;
    }
    // One chunk at a time: commits and expiries do not wait until everything old is dropped.
    if (!pass.left.empty()) go_on_dropping(pass);
  }
}

bool LogCore::wait_for_chores(Instant until) {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const Instant due = commit_due_ ? std::min(*commit_due_, until) : until;
    if (clock_.monotonic() >= due) return true;
    chores_.wait_until(mutex_, due);
  }
  return false;
}

void LogCore::commit_when_due(Instant now) {
  {
    const MutexLock lock(mutex_);
    if (!commit_due_ || now < *commit_due_) return;
  }
  if (const auto committed = commit_stored(); !committed) {
    logger_.warning("log_commit_failed", {{"slug", committed.error().slug()}});
  }
}

void LogCore::look_around(Instant now) {
  const Result<void> looked = look();
  auto resets = database_->read([](sql::Tx& tx) { return read_resets(tx); });
  if (!looked || !resets) logger_.warning("log_look_failed");
  const MutexLock lock(mutex_);
  state_.tick(now);
  if (!resets) return;
  for (const Commit& commit : *resets) state_.apply_reset(commit, now);
  state_.wake_ready();
}

LogCore::DropPass LogCore::start_dropping() const {
  DropPass pass;
  for (const auto& [id, name] : catalog()->names) pass.left.push_back(id);
  return pass;
}

Result<void> LogCore::drop_some(DropPass& pass) {
  const PartitionId id = pass.left.back();
  const CatalogPtr topics = catalog();
  const CatalogTopic* topic = topics->topic(topics->names.at(id).topic);
  const Timestamp before = clock_.now() - topic->config.retention;
  EKIDEN_TRY(const std::int64_t dropped,
             database_->write([&](sql::Tx& tx) { return drop_oldest(tx, id, before, kDropChunk); }));
  pass.dropped += dropped;
  if (dropped < kDropChunk) pass.left.pop_back();
  return {};
}

void LogCore::go_on_dropping(DropPass& pass) {
  if (const auto dropped = drop_some(pass); !dropped) {
    logger_.warning("log_drop_failed", {{"slug", dropped.error().slug()}});
    pass.left.clear();
  }
  if (pass.left.empty() && pass.dropped > 0) logger_.info("log_dropped_old", {{"records", pass.dropped}});
}

Result<std::int64_t> LogCore::drop_old() {
  EKIDEN_CHECK(look());
  DropPass pass = start_dropping();
  while (!pass.left.empty()) EKIDEN_CHECK(drop_some(pass));
  EKIDEN_CHECK(look());
  return pass.dropped;
}

}  // namespace ekiden::log::sqlite
