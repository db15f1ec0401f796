#include "ports/redis_client/call_queue.hpp"

#include <algorithm>

namespace ekiden::redis {

std::optional<Error> CallQueue::reason_against(const Call& call, const CallOptions& options) const {
  if (!open_) return Error{Errc::unavailable, "redis-away", "Redis cannot be reached at the moment"};
  if (!options.server.empty() && options.server != server_) {
    return Error{Errc::conflict, "redis-other-server", "another Redis answers there now, or it began anew"};
  }
  if (calls_.size() >= config_.calls_max || bytes_ + call.bytes > config_.bytes_max) {
    return Error{Errc::busy, "redis-calls", "too many calls to Redis wait for their answers"};
  }
  return std::nullopt;
}

bool CallQueue::take_bytes(std::string& out) {
  const MutexLock lock(mutex_);
  out.clear();
  out.swap(out_);
  writing_ = !out.empty();
  return writing_;
}

std::optional<CallQueue::Call> CallQueue::take_answered() {
  const MutexLock lock(mutex_);
  if (calls_.empty()) return std::nullopt;
  std::optional<Call> call{std::move(calls_.front())};
  calls_.pop_front();
  bytes_ -= call->bytes;
  ++figures_.completed;
  return call;
}

CallQueue::Overdue CallQueue::take_overdue() {
  const MutexLock lock(mutex_);
  const Instant now = clock_.monotonic();
  Overdue overdue;
  if (!calls_.empty()) {
    const Instant silent_at = calls_.front().deadline + config_.silence_max;
    overdue.is_silent = silent_at <= now;
    overdue.look_at = silent_at;
  }
  for (Call& call : calls_) {
    if (!call.done) continue;
    if (call.deadline <= now) {
      overdue.done.push_back(std::exchange(call.done, nullptr));
    } else {
      overdue.look_at = std::min(overdue.look_at, call.deadline);
    }
  }
  figures_.timeouts += static_cast<std::int64_t>(overdue.done.size());
  look_at_ = overdue.look_at;
  return overdue;
}

void CallQueue::open(std::string server) {
  const MutexLock lock(mutex_);
  open_ = true;
  server_ = std::move(server);
  ++figures_.connects;
  opened_.notify_all();
}

std::vector<Client::Done> CallQueue::close() {
  const MutexLock lock(mutex_);
  open_ = writing_ = false;
  server_.clear();
  out_.clear();
  std::vector<Client::Done> waiting;
  for (Call& call : calls_) {
    if (call.done) waiting.push_back(std::move(call.done));
  }
  calls_.clear();
  bytes_ = 0;
  return waiting;
}

std::string CallQueue::server() const {
  const MutexLock lock(mutex_);
  return server_;
}

bool CallQueue::wait_until_open(Instant until) const {
  const MutexLock lock(mutex_);
  while (!open_) {
    if (!opened_.wait_until(mutex_, until)) break;
  }
  return open_;
}

ClientFigures CallQueue::figures() const {
  const MutexLock lock(mutex_);
  ClientFigures figures = figures_;
  figures.is_up = open_;
  figures.calls = static_cast<std::int64_t>(calls_.size());
  return figures;
}

}  // namespace ekiden::redis
