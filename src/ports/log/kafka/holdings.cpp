#include "ports/log/kafka/holdings.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::log::kafka {

std::vector<TopicPartition> Holdings::add(const std::vector<TopicPartition>& partitions) {
  const MutexLock lock(mutex_);
  std::vector<TopicPartition> fresh;
  for (const TopicPartition& at : partitions) {
    if (holdings_.try_emplace(at).second) fresh.push_back(at);
  }
  return fresh;
}

std::vector<TopicPartition> Holdings::present(const std::vector<TopicPartition>& partitions) const {
  const MutexLock lock(mutex_);
  std::vector<TopicPartition> here;
  std::ranges::copy_if(partitions, std::back_inserter(here),
                       [&](const auto& at) EKIDEN_REQUIRES(mutex_) { return holdings_.contains(at); });
  return here;
}

void Holdings::remove(const std::vector<TopicPartition>& partitions) {
  const MutexLock lock(mutex_);
  for (const TopicPartition& at : partitions) holdings_.erase(at);
}

std::vector<TopicPartition> Holdings::all() const {
  const MutexLock lock(mutex_);
  std::vector<TopicPartition> here;
  for (const auto& [at, holding] : holdings_) here.push_back(at);
  return here;
}

bool Holdings::has(const TopicPartition& at) const {
  const MutexLock lock(mutex_);
  return holdings_.contains(at);
}

void Holdings::fence() {
  const MutexLock lock(mutex_);
  is_fenced_ = true;
}

bool Holdings::is_fenced() const {
  const MutexLock lock(mutex_);
  return is_fenced_;
}

void Holdings::begin_reset(const TopicPartition& at) {
  const MutexLock lock(mutex_);
  if (const auto found = holdings_.find(at); found != holdings_.end()) found->second.is_resetting = true;
}

Result<bool> Holdings::may_store(const TopicPartition& at, CommittedOffset next) {
  const MutexLock lock(mutex_);
  const auto found = holdings_.find(at);
  if (is_fenced_ || found == holdings_.end()) {
    return Error{Errc::conflict, "not-the-owner", "the partition is not this member's"};
  }
  Holding& holding = found->second;
  const bool was_delivered = holding.first && next.value > *holding.first && next.value <= holding.delivered;
  if (holding.is_resetting || !was_delivered || next.value <= holding.stored) return false;
  holding.stored = next.value;
  return true;
}

void Holdings::set_paused(const TopicPartition& at, bool is_paused) {
  const MutexLock lock(mutex_);
  if (const auto found = holdings_.find(at); found != holdings_.end()) found->second.is_paused = is_paused;
}

void Holdings::deliver(Holding& holding, Record record, std::vector<Record>& out) {
  if (!holding.first) holding.first = record.offset.value;
  holding.delivered = record.offset.value + 1;
  out.push_back(std::move(record));
}

Holdings::Tell Holdings::take(Record record, bool has_room, std::vector<Record>& out) {
  const MutexLock lock(mutex_);
  const auto found = holdings_.find(record.at);
  if (found == holdings_.end()) return Tell::nothing;
  Holding& holding = found->second;
  holding.next = record.offset.value + 1;
  if (has_room && !holding.is_paused && holding.kept.empty()) {
    deliver(holding, std::move(record), out);
    return Tell::nothing;
  }
  holding.kept_bytes += record.value.size() + record.key.size();
  holding.kept.push_back(std::move(record));
  const bool is_full = holding.kept.size() >= kHeldMax || holding.kept_bytes >= kHeldBytesMax;
  if (!is_full || holding.is_paused_in_client) return Tell::nothing;
  holding.is_paused_in_client = true;
  return Tell::pause;
}

std::vector<TopicPartition> Holdings::release(std::size_t max, std::vector<Record>& out) {
  const MutexLock lock(mutex_);
  std::vector<TopicPartition> empty;
  for (auto& [at, holding] : holdings_) {
    if (holding.is_paused) continue;
    while (!holding.kept.empty() && out.size() < max) {
      holding.kept_bytes -= holding.kept.front().value.size() + holding.kept.front().key.size();
      deliver(holding, std::move(holding.kept.front()), out);
      holding.kept.pop_front();
    }
    if (holding.kept.empty() && std::exchange(holding.is_paused_in_client, false)) empty.push_back(at);
  }
  return empty;
}

std::optional<std::int64_t> Holdings::position(const TopicPartition& at) const {
  const MutexLock lock(mutex_);
  const auto found = holdings_.find(at);
  if (found == holdings_.end() || found->second.next == 0) return std::nullopt;
  return found->second.next;
}

}  // namespace ekiden::log::kafka
