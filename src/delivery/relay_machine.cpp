#include "delivery/relay_machine.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::delivery {

RelayActions RelayMachine::step(Instant now, RelayInput input) {
  std::visit([&](auto& one) { take(now, std::move(one)); }, input);
  wake_lanes(now);
  RelayActions actions;
  if (!stopping_) send_ready(actions);
  use_database(now, actions);
  return actions;
}

void RelayMachine::take(Instant now, relay_input::Scanned input) {
  work_ = Work::none;
  database_failures_ = 0;
  bool is_full = input.rows.size() >= scan_asked_;
  const std::size_t held_before = held_.size();
  next_scan_at_ = now + limits_.scan_interval;
  for (OutboxRow& row : input.rows) {
    if (held_.contains(row.id)) continue;
    // The rest comes again: what was taken is a beginning of each key's rows.
    if (held_.size() >= limits_.held_max) {
      is_full = true;
      break;
    }
    const std::string key = row.message.key;
    Lane& lane = lanes_[key];
    // What stands behind a failing row is read again when that row is through.
    if (lane.failures > 0) continue;
    held_.emplace(row.id, key);
    lane.waiting.push_back(std::move(row));
    if (lane.waiting.size() == 1) ready_.push_back(key);
  }
  // A full answer may hide more rows behind it; one of failing keys alone is asked for again at leisure.
  if (is_full && held_.size() > held_before) scan_wanted_ = true;
}

void RelayMachine::take(Instant now, relay_input::ScanFailed) {
  work_ = Work::none;
  scan_wanted_ = true;
  database_failed(now);
}

void RelayMachine::take(Instant now, relay_input::Sent input) {
  const auto held = held_.find(input.id);
  if (held == held_.end()) return;
  const auto found = lanes_.find(held->second);
  if (found == lanes_.end() || !found->second.is_sent || found->second.waiting.front().id != input.id) return;
  Lane& lane = found->second;
  --in_flight_;
  lane.is_sent = false;
  if (lane.failures > 0) scan_wanted_ = true;
  lane.failures = 0;
  lane.waiting.pop_front();
  if (unmarked_.empty()) first_unmarked_at_ = now;
  unmarked_.push_back(input.id);
  if (lane.waiting.empty()) {
    lanes_.erase(found);
  } else {
    ready_.push_back(held->second);
  }
}

void RelayMachine::take(Instant now, relay_input::SendFailed input) {
  const auto held = held_.find(input.id);
  if (held == held_.end()) return;
  const auto found = lanes_.find(held->second);
  if (found == lanes_.end() || !found->second.is_sent || found->second.waiting.front().id != input.id) return;
  Lane& lane = found->second;
  --in_flight_;
  lane.is_sent = false;
  ++lane.failures;
  lane.retry_at = now + retry_delay(limits_.retry, lane.failures, random_);
  retries_.emplace(lane.retry_at, held->second);
  // Only the failing row stays in memory: a key that cannot be sent must not fill it.
  while (lane.waiting.size() > 1) {
    held_.erase(lane.waiting.back().id);
    lane.waiting.pop_back();
  }
}

void RelayMachine::take(Instant now, relay_input::Marked) {
  work_ = Work::none;
  database_failures_ = 0;
  for (const EventId& id : marking_) held_.erase(id);
  marking_.clear();
  first_unmarked_at_ = now;
}

void RelayMachine::take(Instant now, relay_input::MarkFailed) {
  work_ = Work::none;
  unmarked_.insert(unmarked_.begin(), marking_.begin(), marking_.end());
  marking_.clear();
  database_failed(now);
}

void RelayMachine::database_failed(Instant now) {
  ++database_failures_;
  database_at_ = now + retry_delay(limits_.retry, database_failures_, random_);
}

void RelayMachine::wake_lanes(Instant now) {
  while (!retries_.empty() && retries_.begin()->first <= now) {
    ready_.push_back(std::move(retries_.begin()->second));
    retries_.erase(retries_.begin());
  }
}

void RelayMachine::send_ready(RelayActions& actions) {
  while (!ready_.empty() && in_flight_ < limits_.in_flight_max) {
    Lane& lane = lanes_.at(ready_.front());
    ready_.pop_front();
    lane.is_sent = true;
    ++in_flight_;
    actions.send.push_back(lane.waiting.front());
  }
}

bool RelayMachine::wants_mark(Instant now) const {
  if (unmarked_.empty()) return false;
  return stopping_ || unmarked_.size() >= limits_.mark_max || now >= first_unmarked_at_ + limits_.mark_delay;
}

bool RelayMachine::wants_scan(Instant now) const {
  return !stopping_ && held_.size() < limits_.held_max && (scan_wanted_ || now >= next_scan_at_);
}

void RelayMachine::use_database(Instant now, RelayActions& actions) {
  if (work_ != Work::none || now < database_at_) return;
  const bool mark = wants_mark(now);
  const bool scan = wants_scan(now);
  if (!mark && !scan) return;
  // They take turns, so that neither starves under load.
  work_ = mark && (!scan || last_work_ != Work::mark) ? Work::mark : Work::scan;
  last_work_ = work_;
  if (work_ == Work::mark) {
    marking_ = std::move(unmarked_);
    unmarked_.clear();
    actions.mark = marking_;
    return;
  }
  scan_wanted_ = false;
  scan_asked_ = scan_limit();
  actions.scan = {.limit = scan_asked_, .skip_keys = failing_keys()};
}

std::vector<std::string> RelayMachine::failing_keys() const {
  std::vector<std::string> keys;
  for (const auto& [at, key] : retries_) {
    if (keys.size() == limits_.skip_keys_max) break;
    keys.push_back(key);
  }
  return keys;
}

Instant RelayMachine::next_wake() const {
  Instant at = Instant::max();
  if (!retries_.empty() && !stopping_) at = std::min(at, retries_.begin()->first);
  if (work_ != Work::none) return at;
  if (!unmarked_.empty())
    at =
        std::min(at, std::max(database_at_, stopping_ ? Instant{} : first_unmarked_at_ + limits_.mark_delay));
  if (!stopping_ && held_.size() < limits_.held_max)
    at = std::min(at, std::max(database_at_, scan_wanted_ ? Instant{} : next_scan_at_));
  return at;
}

}  // namespace ekiden::delivery
