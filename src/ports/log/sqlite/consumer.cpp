#include "ports/log/sqlite/consumer.hpp"

#include <algorithm>

namespace ekiden::log::sqlite {
namespace {

// So that "for ever" can be added to a clock's time.
constexpr Duration kLongestWait = std::chrono::hours{24};

Error is_closed() {
  return Error{Errc::conflict, "consumer-closed", "the consumer has been closed"};
}

}  // namespace

SqliteConsumer::~SqliteConsumer() {
  if (const auto closed = close(); !closed) {
    core_->logger().warning("log_commit_failed", {{"slug", closed.error().slug()}});
  }
}

Result<std::vector<Record>> SqliteConsumer::poll(std::size_t max, Duration timeout) {
  if (closed_) return is_closed();
  auto answer = poll_until(max, core_->clock().monotonic() + std::clamp(timeout, Duration{0}, kLongestWait));
  core_->end_poll(who_);
  return answer;
}

Result<std::vector<Record>> SqliteConsumer::poll_until(std::size_t max, Instant until) {
  for (;;) {
    EKIDEN_CHECK(follow_directives());
    EKIDEN_TRY(std::vector<Record> records, core_->fetch(who_, max));
    if (!records.empty() || !core_->wait(who_, until)) return records;
  }
}

Result<void> SqliteConsumer::follow_directives() {
  for (;;) {
    const Directive directive = core_->begin_poll(who_);
    if (directive.empty()) return {};
    // The listener is the caller's code: while it runs, the session runs.
    core_->end_poll(who_);
    if (!directive.lost.empty()) listener_.on_lost(directive.lost);
    if (directive.fenced) {
      return Error{Errc::conflict, "member-replaced", "another consumer joined under this member's name"};
    }
    if (!directive.revoked.empty()) {
      listener_.on_revoked(directive.revoked);
      // Where this fails the next owner in this process still starts at what is stored; it is committed
      // later.
      if (const auto committed = core_->commit_stored(); !committed) {
        core_->logger().warning("log_commit_failed", {{"slug", committed.error().slug()}});
      }
      core_->released(who_, directive.revoked);
    }
    if (!directive.assigned.empty()) listener_.on_assigned(directive.assigned);
  }
}

void SqliteConsumer::pause(const std::vector<TopicPartition>& partitions) {
  if (!closed_) core_->set_paused(who_, partitions, true);
}

void SqliteConsumer::resume(const std::vector<TopicPartition>& partitions) {
  if (!closed_) core_->set_paused(who_, partitions, false);
}

Result<void> SqliteConsumer::store(const TopicPartition& at, CommittedOffset next) {
  return core_->store(who_, at, next);
}

void SqliteConsumer::wake() {
  core_->wake(who_);
}

Result<void> SqliteConsumer::close() {
  if (closed_) return {};
  closed_ = true;
  Result<void> committed = core_->commit_stored();
  core_->leave(who_);
  return committed;
}

}  // namespace ekiden::log::sqlite
