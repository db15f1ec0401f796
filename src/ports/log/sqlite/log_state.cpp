#include "ports/log/sqlite/log_state.hpp"

#include <algorithm>

namespace ekiden::log::sqlite {

void LogState::refresh(Overview overview, Instant now) {
  for (const Bounds& bounds : overview.bounds) {
    Slot& slot = slots_[bounds.id];
    slot.at = overview.catalog.names.at(bounds.id);
    // Two reads may answer out of order; neither bound ever goes back.
    slot.begin = std::max(slot.begin, bounds.begin);
    slot.end = std::max(slot.end, bounds.end);
    slot.tail.drop_before(slot.begin);
  }
  if (overview.catalog.names.size() >= catalog_->names.size()) {
    catalog_ = std::make_shared<const Catalog>(std::move(overview.catalog));
    for (auto& [id, group] : groups_) step(group, now, topology());
  }
  wake_ready();
}

void LogState::appended(PartitionId id, std::vector<RecordPtr> records) {
  Slot& slot = slots_[id];
  const std::size_t share = tail_bytes_max_ / std::max<std::size_t>(slots_.size(), 1);
  for (RecordPtr& record : records) {
    slot.end = std::max(slot.end, record->offset.value + 1);
    slot.tail.push(std::move(record), share);
  }
}

void LogState::wake_ready() {
  for (auto& [group_id, group] : groups_) {
    for (auto& [id, member] : group.members) {
      if (is_ready(group, id, member)) member.signal->notify_all();
    }
  }
}

GroupCoordinator::Output LogState::step(Group& group, Instant now, const GroupCoordinator::Input& input) {
  auto output = group.coordinator.step(now, input);
  for (const MemberId id : output.awake) {
    const auto found = group.members.find(id);
    if (found != group.members.end()) found->second.signal->notify_all();
  }
  return output;
}

GroupCoordinator::Topology LogState::topology() const {
  GroupCoordinator::Topology topology;
  for (const auto& [name, topic] : catalog_->topics) topology.partitions[name] = topic.config.partitions;
  return topology;
}

Membership LogState::join(GroupId group_id, const ConsumerConfig& config, const std::vector<Commit>& commits,
                          Instant now) {
  Group& group = groups_[group_id];
  group.name = config.group;
  for (const Commit& commit : commits) {
    apply_reset(commit, now);
    Progress& progress = group.progress[commit.partition];
    if (progress.resets != commit.resets) continue;
    progress.committed = std::max(progress.committed.value_or(0), commit.next);
    progress.stored = std::max(progress.stored.value_or(0), commit.next);
  }
  if (config.start_at == StartAt::latest) start_at_end(group, config.topics);
  step(group, now, topology());
  const std::set<std::string> topics(config.topics.begin(), config.topics.end());
  const auto output =
      step(group, now, GroupCoordinator::Join{config.member, topics, Duration{config.session_timeout}});
  group.members[output.joined];
  return {group_id, output.joined};
}

/// A group that starts at the end starts at the end of now: it is stored at once, or else what is appended
/// before its first commit would be skipped by the next member. Partitions that are added later belong to it
/// from their first record on.
void LogState::start_at_end(Group& group, const std::vector<std::string>& topics) {
  for (const std::string& name : topics) {
    const CatalogTopic* topic = catalog_->topic(name);
    if (topic == nullptr) continue;
    const bool is_new = std::ranges::none_of(topic->partitions, [&](PartitionId id) {
      const auto found = group.progress.find(id);
      return found != group.progress.end() && found->second.stored;
    });
    if (!is_new) continue;
    for (const PartitionId id : topic->partitions) group.progress[id].stored = slots_[id].end;
  }
}

void LogState::leave(const Membership& who, Instant now) {
  Group& group = group_of(who);
  group.members.erase(who.member);
  step(group, now, GroupCoordinator::Leave{who.member});
}

void LogState::tick(Instant now) {
  for (auto& [id, group] : groups_) step(group, now, GroupCoordinator::Tick{});
}

Directive LogState::begin_poll(const Membership& who, Instant now) {
  Group& group = group_of(who);
  Member& member = member_of(who);
  Directive directive = step(group, now, GroupCoordinator::PollBegin{who.member}).directive;
  for (const auto& at : directive.lost) member.fetches.erase(catalog_->partition(at));
  for (const auto& at : directive.revoked) member.fetches.erase(catalog_->partition(at));
  for (const auto& at : directive.assigned) {
    const PartitionId id = catalog_->partition(at);
    member.fetches[id] = Fetch{.next = start_of(group, id)};
  }
  return directive;
}

std::int64_t LogState::start_of(Group& group, PartitionId id) {
  Progress& progress = group.progress[id];
  progress.ignores_stores = false;
  return std::max(progress.stored.value_or(slots_[id].begin), progress.gone_to);
}

void LogState::end_poll(const Membership& who, Instant now) {
  member_of(who).woken = false;
  step(group_of(who), now, GroupCoordinator::PollEnd{who.member});
}

void LogState::released(const Membership& who, const std::vector<TopicPartition>& partitions, Instant now) {
  step(group_of(who), now, GroupCoordinator::Released{who.member, partitions});
}

Taken LogState::take(const Membership& who, std::size_t max) {
  Taken taken;
  Member& member = member_of(who);
  if (max == 0 || member.fetches.empty()) return taken;
  auto turn = member.fetches.lower_bound(member.turn);
  for (std::size_t i = 0; i < member.fetches.size(); ++i, ++turn) {
    if (turn == member.fetches.end()) turn = member.fetches.begin();
    if (turn->second.paused) continue;
    const std::size_t before = taken.records.size();
    const bool go_on = take_from(slots_[turn->first], turn->first, turn->second, max, taken);
    // Whoever could give nothing because the answer was full is first in the next.
    const bool had_turn = go_on || taken.page || taken.records.size() > before;
    member.turn = had_turn ? turn->first + 1 : turn->first;
    if (!go_on) break;
  }
  return taken;
}

/// Adds what the partition has in memory. False where the answer is complete.
bool LogState::take_from(Slot& slot, PartitionId id, Fetch& fetch, std::size_t max, Taken& taken) {
  while (fetch.next < slot.end) {
    if (taken.records.size() >= max) return false;
    RecordPtr record = slot.tail.at(fetch.next);
    if (!record) {
      if (taken.records.empty()) taken.page = PageWanted{id, slot.at, fetch.next};
      return false;
    }
    taken.records.push_back(std::move(record));
    ++fetch.next;
  }
  return true;
}

Result<void> LogState::page_read(const Membership& who, const PageWanted& wanted, const Page& page) {
  Group& group = group_of(who);
  Member& member = member_of(who);
  const auto fetch = member.fetches.find(wanted.id);
  if (fetch == member.fetches.end()) return {};
  if (wanted.from < page.begin) {
    fetch->second.next = page.begin;
    group.progress[wanted.id].gone_to = page.begin;
    return Error{Errc::gone, "log-gone",
                 "retention has dropped offsets " + std::to_string(wanted.from) + " to " +
                     std::to_string(page.begin - 1) + " of " + wanted.at.topic + "/" +
                     std::to_string(wanted.at.partition) + ", which group " + group.name + " had not read",
                 "offset"};
  }
  if (page.records.empty()) {
    return Error{Errc::internal, "log-damaged", "records that were acknowledged are not there"};
  }
  fetch->second.next = page.records.back().offset.value + 1;
  // The tables can be ahead of what the appender has told.
  Slot& slot = slots_[wanted.id];
  slot.end = std::max(slot.end, fetch->second.next);
  return {};
}

bool LogState::is_ready(const Group& group, MemberId id, const Member& member) const {
  if (member.woken || group.coordinator.has_work(id)) return true;
  return std::ranges::any_of(member.fetches, [this](const auto& entry) {
    const auto& [partition, fetch] = entry;
    return !fetch.paused && fetch.next < slots_.at(partition).end;
  });
}

bool LogState::has_something(const Membership& who) const {
  const Group& group = groups_.at(who.group);
  return is_ready(group, who.member, group.members.at(who.member));
}

bool LogState::take_wake(const Membership& who) {
  return std::exchange(member_of(who).woken, false);
}

void LogState::wake(const Membership& who) {
  Group& group = group_of(who);
  const auto found = group.members.find(who.member);
  if (found == group.members.end()) return;  // closed meanwhile
  found->second.woken = true;
  found->second.signal->notify_all();
}

CondVar& LogState::signal(const Membership& who) {
  return *member_of(who).signal;
}

void LogState::set_paused(const Membership& who, const std::vector<TopicPartition>& partitions, bool paused) {
  Member& member = member_of(who);
  for (const TopicPartition& at : partitions) {
    const auto fetch = member.fetches.find(catalog_->partition(at));
    if (fetch != member.fetches.end()) fetch->second.paused = paused;
  }
}

Result<bool> LogState::store(const Membership& who, const TopicPartition& at, CommittedOffset next) {
  Group& group = group_of(who);
  if (!group.coordinator.owns(who.member, at)) {
    return Error{Errc::conflict, "partition-lost", "the partition belongs to another member of the group"};
  }
  const PartitionId id = catalog_->partition(at);
  if (next.value < 0 || next.value > slots_.at(id).end) {
    return Error{Errc::invalid, "bad-offset", "the offset lies beyond the end of the partition", "next"};
  }
  Progress& progress = group.progress[id];
  if (progress.ignores_stores || (progress.stored && *progress.stored >= next.value)) return false;
  progress.stored = next.value;
  return true;
}

std::vector<Commit> LogState::uncommitted() const {
  std::vector<Commit> commits;
  for (const auto& [group_id, group] : groups_) {
    for (const auto& [id, progress] : group.progress) {
      if (!progress.stored || progress.stored == progress.committed) continue;
      commits.push_back({group_id, id, *progress.stored, progress.resets});
    }
  }
  return commits;
}

void LogState::committed(const std::vector<Commit>& commits) {
  for (const Commit& commit : commits) {
    Progress& progress = groups_.at(commit.group).progress[commit.partition];
    if (progress.resets != commit.resets) continue;
    progress.committed = std::max(progress.committed.value_or(0), commit.next);
  }
}

void LogState::apply_reset(const Commit& commit, Instant now) {
  const auto found = groups_.find(commit.group);
  if (found == groups_.end()) return;
  Group& group = found->second;
  Progress& progress = group.progress[commit.partition];
  if (progress.resets >= commit.resets) return;
  const auto name = catalog_->names.find(commit.partition);
  const bool held = name != catalog_->names.end() && group.coordinator.is_held(name->second);
  progress = {.stored = commit.next, .committed = commit.next, .resets = commit.resets};
  progress.ignores_stores = held;
  if (held) step(group, now, GroupCoordinator::Restart{name->second});
}

}  // namespace ekiden::log::sqlite
