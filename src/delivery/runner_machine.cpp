#include "delivery/runner_machine.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ekiden::delivery {

void RunnerMachine::assigned(Instant now, const std::vector<log::TopicPartition>& partitions) {
  for (const log::TopicPartition& at : partitions) {
    forget({at});
    const std::uint64_t generation = ++last_generation_;
    generations_[at] = generation;
    partitions_[generation].at = at;
    figures_[at].at = at;
  }
  // What a predecessor left parked and ready has nobody else to remember it.
  next_sweep_ = now;
}

void RunnerMachine::revoke(const std::vector<log::TopicPartition>& partitions) {
  for (const log::TopicPartition& at : partitions) {
    Partition* partition = partition_at(at);
    if (partition == nullptr) continue;
    partition->is_revoking = true;
    for (auto& [key, lane] : partition->lanes) lane.queue.clear();
    const std::uint64_t generation = generations_.at(at);
    std::erase_if(retries_, [&](const auto& entry) { return entry.second->generation == generation; });
    const std::size_t dropped =
        std::erase_if(calls_, [&](const ItemPtr& item) { return item->generation == generation; });
    partition->in_work -= dropped;
  }
}

bool RunnerMachine::is_drained(const std::vector<log::TopicPartition>& partitions) const {
  return std::ranges::all_of(partitions, [&](const log::TopicPartition& at) {
    const auto generation = generations_.find(at);
    return generation == generations_.end() || partitions_.at(generation->second).in_work == 0;
  });
}

void RunnerMachine::forget(const std::vector<log::TopicPartition>& partitions) {
  for (const log::TopicPartition& at : partitions) {
    const auto found = generations_.find(at);
    if (found == generations_.end()) continue;
    const std::uint64_t generation = found->second;
    const auto is_its = [&](const ItemPtr& item) { return item->generation == generation; };
    std::erase_if(retries_, [&](const auto& entry) { return is_its(entry.second); });
    std::erase_if(calls_, is_its);
    std::erase_if(finishes_, is_its);
    std::erase_if(stores_, [&](const auto& store) { return store.first == at; });
    partitions_.erase(generation);
    generations_.erase(found);
  }
}

void RunnerMachine::polled(Instant, std::vector<ArrivedPtr> records) {
  for (ArrivedPtr& arrived : records) {
    Partition* partition = partition_at(arrived->record.at);
    if (partition == nullptr || partition->is_revoking) continue;
    enqueue(*partition, generations_.at(partition->at), std::move(arrived));
  }
  for (auto& [generation, partition] : partitions_) {
    if (const auto next = partition.offsets.take_news()) stores_.emplace_back(partition.at, *next);
  }
}

void RunnerMachine::enqueue(Partition& partition, std::uint64_t generation, ArrivedPtr arrived) {
  partition.offsets.taken(arrived->record.offset);
  if (!arrived->is_handled) {
    partition.offsets.finished(arrived->record.offset);
    ++figures_[partition.at].passed_over;
    return;
  }
  auto item = std::make_shared<Item>();
  item->id = ++last_item_;
  item->generation = generation;
  item->at = partition.at;
  item->key = arrived->record.key;
  if (!arrived->event && !arrived->is_discard) item->death = arrived->event.error();
  partition.bytes += arrived->record.value.size();
  item->arrived = std::move(arrived);
  Lane& lane = partition.lanes[item->key];
  const std::string key = item->key;
  lane.queue.push_back(std::move(item));
  make_ready(generation, key, lane);
}

RunnerMachine::Partition* RunnerMachine::partition_of(const Item& item) {
  const auto found = partitions_.find(item.generation);
  return found == partitions_.end() ? nullptr : &found->second;
}

RunnerMachine::Partition* RunnerMachine::partition_at(const log::TopicPartition& at) {
  const auto found = generations_.find(at);
  return found == generations_.end() ? nullptr : &partitions_.at(found->second);
}

void RunnerMachine::make_ready(std::uint64_t generation, const std::string& key, Lane& lane) {
  if (lane.is_busy || lane.is_queued) return;
  lane.is_queued = true;
  ready_.push_back({generation, key});
}

void RunnerMachine::lane_free(Partition& partition, std::uint64_t generation, const std::string& key) {
  const auto found = partition.lanes.find(key);
  if (found == partition.lanes.end()) return;
  Lane& lane = found->second;
  lane.is_busy = false;
  if (!lane.queue.empty() || lane.wants_release) {
    make_ready(generation, key, lane);
  } else if (!lane.is_queued) {
    partition.lanes.erase(found);
  }
}

Work RunnerMachine::new_work(Work::Kind kind, std::vector<ItemPtr> items) {
  work_ = Work{.id = ++last_work_, .kind = kind, .items = std::move(items), .partitions = {}};
  return *work_;
}

std::optional<Work> RunnerMachine::take_work(Instant now) {
  wake_lanes(now);
  if (work_ || now < storage_at_) return std::nullopt;
  if (!finishes_.empty()) {
    std::vector<ItemPtr> items;
    while (!finishes_.empty() && items.size() < limits_.batch_max) {
      items.push_back(std::move(finishes_.front()));
      finishes_.pop_front();
    }
    return new_work(Work::Kind::finish, std::move(items));
  }
  if (now >= next_sweep_ && !generations_.empty()) {
    next_sweep_ = now + limits_.sweep_interval;
    Work work = new_work(Work::Kind::sweep, {});
    for (const auto& [at, generation] : generations_) work.partitions.push_back(at);
    work_ = work;
    return work;
  }
  return take_batch();
}

bool RunnerMachine::is_single(const Lane& lane) {
  if (lane.wants_release) return true;
  const Item& front = *lane.queue.front();
  return front.death || front.is_alone || front.origin == Item::Origin::parked;
}

std::size_t RunnerMachine::batch_room() const {
  if (!limits_.is_keyed) return limits_.batch_max;
  const std::size_t used = running_ + calls_.size();
  return used >= limits_.keys_max ? 0 : std::min(limits_.batch_max, limits_.keys_max - used);
}

std::optional<Work> RunnerMachine::take_batch() {
  std::vector<ItemPtr> batch;
  const std::size_t room = batch_room();
  while (!ready_.empty() && batch.size() < room) {
    const LaneRef ref = ready_.front();
    const auto partition = partitions_.find(ref.generation);
    const auto lane = partition == partitions_.end() ? decltype(partition->second.lanes.end()){}
                                                     : partition->second.lanes.find(ref.key);
    if (partition == partitions_.end() || lane == partition->second.lanes.end()) {
      ready_.pop_front();
      continue;
    }
    Lane& found = lane->second;
    const bool is_idle = found.queue.empty() && !found.wants_release;
    const bool is_single_lane = !is_idle && is_single(found);
    if (is_single_lane && !batch.empty()) break;
    ready_.pop_front();
    found.is_queued = false;
    if (is_idle) {
      if (!found.is_busy) partition->second.lanes.erase(lane);
      continue;
    }
    found.is_busy = true;
    if (is_single_lane) return take_single(partition->second, ref, found);
    const std::size_t most = limits_.is_keyed ? batch.size() + 1 : room;
    while (!found.queue.empty() && batch.size() < most && !is_single(found)) {
      batch.push_back(std::move(found.queue.front()));
      found.queue.pop_front();
      ++partition->second.in_work;
    }
  }
  if (batch.empty()) return std::nullopt;
  return new_work(limits_.is_keyed ? Work::Kind::admit : Work::Kind::apply, std::move(batch));
}

std::optional<Work> RunnerMachine::take_single(Partition& partition, const LaneRef& ref, Lane& lane) {
  ++partition.in_work;
  const bool front_is_parked = !lane.queue.empty() && lane.queue.front()->origin == Item::Origin::parked;
  if (lane.wants_release && !front_is_parked) {
    lane.wants_release = false;
    auto item = std::make_shared<Item>();
    item->id = ++last_item_;
    item->generation = ref.generation;
    item->origin = Item::Origin::parked;
    item->at = partition.at;
    item->key = ref.key;
    return new_work(Work::Kind::release, {std::move(item)});
  }
  ItemPtr item = std::move(lane.queue.front());
  lane.queue.pop_front();
  Work::Kind kind = limits_.is_keyed ? Work::Kind::admit : Work::Kind::apply;
  if (item->origin == Item::Origin::parked) kind = Work::Kind::release;
  if (item->death) kind = Work::Kind::kill;
  return new_work(kind, {std::move(item)});
}

void RunnerMachine::wake_lanes(Instant now) {
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const ItemPtr item = std::move(retries_.begin()->second);
    retries_.erase(retries_.begin());
    Partition* partition = partition_of(*item);
    if (partition == nullptr) continue;
    if (limits_.is_keyed) {
      ++partition->in_work;
      calls_.push_back(item);
    } else {
      partition->lanes[item->key].queue.push_front(item);
      lane_free(*partition, item->generation, item->key);
    }
  }
}

std::vector<ItemPtr> RunnerMachine::take_calls() {
  std::vector<ItemPtr> calls;
  while (!calls_.empty() && running_ < limits_.keys_max) {
    calls.push_back(std::move(calls_.front()));
    calls_.pop_front();
    ++running_;
  }
  return calls;
}

void RunnerMachine::call_done(Instant now, const ItemPtr& item, const Result<void>& outcome) {
  --running_;
  if (partition_of(*item) == nullptr) return;
  if (outcome) {
    finishes_.push_back(item);
  } else {
    event_failed(now, item, outcome.error());
  }
}

void RunnerMachine::put_back(const ItemPtr& item) {
  Partition* partition = partition_of(*item);
  if (partition == nullptr) return;
  --partition->in_work;
  if (!partition->is_revoking) partition->lanes[item->key].queue.push_front(item);
}

void RunnerMachine::event_failed(Instant now, const ItemPtr& item, const Error& error) {
  Partition* partition = partition_of(*item);
  if (partition == nullptr) return;
  ++item->failures;
  item->is_alone = true;
  if (is_retryable(error.code()) && item->failures < limits_.retry.attempts_max) {
    ++figures_[item->at].retried;
    --partition->in_work;
    if (!partition->is_revoking)
      retries_.emplace(now + retry_delay(limits_.retry, item->failures, random_), item);
    return;
  }
  item->death = error;
  put_back(item);
  lane_free(*partition, item->generation, item->key);
}

void RunnerMachine::batch_failed(Instant now, const WorkResult& result) {
  const std::vector<ItemPtr> items = std::move(work_->items);
  work_.reset();
  if (items.size() == 1) {
    const ItemPtr& item = items.front();
    // A release may meet another event than at its last attempt.
    if (result.failed_event && (!item->arrived || item->arrived->id != result.failed_event->id)) {
      item->arrived = result.failed_event;
      item->failures = 0;
    }
    event_failed(now, item, *result.error);
    return;
  }
  for (const ItemPtr& item : items) item->is_alone = true;
  for (auto item = items.rbegin(); item != items.rend(); ++item) put_back(*item);
  for (const ItemPtr& item : items) {
    if (Partition* partition = partition_of(*item)) lane_free(*partition, item->generation, item->key);
  }
}

void RunnerMachine::storage_failed(Instant now) {
  ++storage_failures_;
  storage_at_ = now + retry_delay(limits_.storage_retry, storage_failures_, random_);
  const Work work = *std::move(work_);
  work_.reset();
  if (work.kind == Work::Kind::sweep) next_sweep_ = now;
  for (auto item = work.items.rbegin(); item != work.items.rend(); ++item) {
    if (work.kind == Work::Kind::finish) {
      if (partition_of(**item) != nullptr) finishes_.push_front(*item);
      continue;
    }
    put_back(*item);
  }
  if (work.kind == Work::Kind::finish) return;
  for (const ItemPtr& item : work.items) {
    if (Partition* partition = partition_of(*item)) lane_free(*partition, item->generation, item->key);
  }
}

void RunnerMachine::work_done(Instant now, const WorkResult& result) {
  if (!work_) return;
  if (result.outcome == WorkResult::Outcome::storage) {
    storage_failed(now);
    return;
  }
  storage_failures_ = 0;
  storage_at_ = Instant{};
  if (result.outcome == WorkResult::Outcome::failed) {
    batch_failed(now, result);
  } else {
    work_finished(result);
  }
}

void RunnerMachine::work_finished(const WorkResult& result) {
  const Work work = *std::move(work_);
  work_.reset();
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const ItemPtr& item = work.items[i];
    if (partition_of(*item) == nullptr) continue;
    const ItemResult& one = result.items.at(i);
    if (item->origin == Item::Origin::parked) {
      release_finished(item, one);
    } else if (one.verdict == Verdict::run) {
      calls_.push_back(item);
    } else {
      finish(item, one.verdict);
    }
  }
  for (const auto& [at, key] : result.release) want_release(at, key);
  for (const ItemPtr& item : work.items) {
    Partition* partition = partition_of(*item);
    const bool is_running = std::ranges::find(calls_, item) != calls_.end();
    if (partition != nullptr && !is_running) lane_free(*partition, item->generation, item->key);
  }
  for (auto& [generation, partition] : partitions_) {
    if (const auto next = partition.offsets.take_news()) stores_.emplace_back(partition.at, *next);
  }
}

void RunnerMachine::release_finished(const ItemPtr& item, const ItemResult& result) {
  Partition& partition = *partition_of(*item);
  if (result.verdict == Verdict::run) {
    if (!item->arrived || item->arrived->id != result.arrived->id) item->failures = 0;
    item->arrived = result.arrived;
    calls_.push_back(item);
    return;
  }
  --partition.in_work;
  PartitionFigures& figures = figures_[item->at];
  if (result.verdict == Verdict::applied) ++figures.applied;
  if (result.verdict == Verdict::dead) ++figures.dead;
  // A dead one blocks its key again, or leaves its gap open: there is nothing more to release.
  if (result.verdict != Verdict::nothing && result.verdict != Verdict::dead && !partition.is_revoking)
    partition.lanes[item->key].wants_release = true;
}

void RunnerMachine::finish(const ItemPtr& item, Verdict verdict) {
  Partition& partition = *partition_of(*item);
  --partition.in_work;
  partition.offsets.finished(item->arrived->record.offset);
  partition.bytes -= std::min(partition.bytes, item->arrived->record.value.size());
  PartitionFigures& figures = figures_[item->at];
  switch (verdict) {
    case Verdict::applied:
      ++figures.applied;
      break;
    case Verdict::duplicate:
      ++figures.duplicates;
      break;
    case Verdict::parked:
      ++figures.parked;
      break;
    case Verdict::passed:
      ++figures.passed_over;
      break;
    case Verdict::dead:
      ++figures.dead;
      break;
    case Verdict::run:
    case Verdict::nothing:
      break;
  }
}

void RunnerMachine::want_release(const log::TopicPartition& at, const std::string& key) {
  Partition* partition = partition_at(at);
  if (partition == nullptr || partition->is_revoking) return;
  Lane& lane = partition->lanes[key];
  lane.wants_release = true;
  make_ready(generations_.at(at), key, lane);
}

bool RunnerMachine::wants_pause(const Partition& partition) const {
  if (storage_failures_ > 0) return true;
  const std::size_t unfinished = partition.offsets.unfinished();
  if (unfinished >= limits_.prefetch || partition.bytes >= limits_.prefetch_bytes) return true;
  if (unfinished * 2 <= limits_.prefetch && partition.bytes * 2 <= limits_.prefetch_bytes) return false;
  return partition.is_paused;
}

RunnerMachine::Control RunnerMachine::take_control() {
  Control control;
  for (auto& [generation, partition] : partitions_) {
    const bool pause = wants_pause(partition);
    if (partition.is_revoking || pause == partition.is_paused) continue;
    partition.is_paused = pause;
    (pause ? control.pause : control.resume).push_back(partition.at);
  }
  control.store = std::exchange(stores_, {});
  return control;
}

Instant RunnerMachine::next_wake() const {
  Instant at = retries_.empty() ? Instant::max() : retries_.begin()->first;
  if (work_) return at;
  if (storage_failures_ > 0) at = std::min(at, storage_at_);
  if (!generations_.empty()) at = std::min(at, std::max(next_sweep_, storage_at_));
  return at;
}

std::vector<PartitionFigures> RunnerMachine::figures() const {
  std::vector<PartitionFigures> all;
  for (const auto& [at, figures] : figures_) {
    PartitionFigures one = figures;
    if (const auto generation = generations_.find(at); generation != generations_.end()) {
      const Partition& partition = partitions_.at(generation->second);
      one.unfinished = static_cast<std::int64_t>(partition.offsets.unfinished());
      one.is_paused = partition.is_paused;
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace ekiden::delivery
