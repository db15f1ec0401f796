#include "ports/log/sqlite/group_coordinator.hpp"

#include <utility>

namespace ekiden::log::sqlite {

GroupCoordinator::Output GroupCoordinator::step(Instant now, const Input& input) {
  Output output;
  changed_ = false;
  std::visit([&](const auto& one) { handle(now, one, output); }, input);
  if (!changed_) return output;
  settle();
  note_work();
  for (const auto& [id, member] : members_) {
    if (member.polling && member.work) output.awake.push_back(id);
  }
  return output;
}

bool GroupCoordinator::owns(MemberId member, const TopicPartition& partition) const {
  const auto found = partitions_.find(partition);
  return found != partitions_.end() && found->second.owner == member && found->second.announced;
}

bool GroupCoordinator::has_work(MemberId member) const {
  const auto found = members_.find(member);
  return found != members_.end() && found->second.work;
}

std::optional<MemberId> GroupCoordinator::owner(const TopicPartition& partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? std::nullopt : found->second.owner;
}

bool GroupCoordinator::is_held(const TopicPartition& partition) const {
  const auto found = partitions_.find(partition);
  return found != partitions_.end() && found->second.announced;
}

void GroupCoordinator::handle(Instant now, const Join& join, Output& output) {
  const MemberId id{++last_member_};
  output.joined = id;
  std::optional<MemberId> namesake;
  for (const auto& [other, member] : members_) {
    if (!join.name.empty() && member.name == join.name && member.state != State::fenced) namesake = other;
  }
  Member fresh;
  fresh.name = join.name;
  fresh.topics = join.topics;
  fresh.session_timeout = join.session_timeout;
  fresh.seen = now;
  members_.emplace(id, std::move(fresh));
  changed_ = true;
  // Taking over an identical seat is the point of static membership: nobody else notices.
  if (!namesake || !inherit(*namesake, id)) rebalance();
}

/// Hands the seat of `from` to `to`; false where the others have to move all the same.
bool GroupCoordinator::inherit(MemberId from, MemberId to) {
  Member& old = members_.at(from);
  const bool had_seat = old.state == State::live || old.state == State::away;
  const bool same_topics = old.topics == members_.at(to).topics;
  for (auto& [at, partition] : partitions_) {
    if (partition.target == from) partition.target = to;
    if (partition.owner != from) continue;
    partition.owner = to;
    partition.announced = partition.revoking = partition.restart = false;
  }
  if (old.state == State::away) {
    members_.erase(from);
  } else {
    old.state = State::fenced;
  }
  return had_seat && same_topics;
}

void GroupCoordinator::handle(Instant now, const PollBegin& poll, Output& output) {
  const auto found = members_.find(poll.member);
  if (found == members_.end()) return;
  Member& member = found->second;
  member.polling = true;
  member.seen = now;
  if (!member.work) return;
  if (member.state == State::expired) {
    member.state = State::live;
    output.directive.lost.assign(member.held.begin(), member.held.end());
    member.held.clear();
    changed_ = true;
    rebalance();
    settle();
  }
  Directive rest = take_directive(poll.member, member);
  if (!rest.lost.empty()) output.directive.lost = std::move(rest.lost);
  output.directive.revoked = std::move(rest.revoked);
  output.directive.assigned = std::move(rest.assigned);
  output.directive.fenced = rest.fenced;
  note_work();
}

Directive GroupCoordinator::take_directive(MemberId id, Member& member) {
  Directive directive;
  if (member.state == State::fenced) {
    directive.fenced = true;
    directive.lost.assign(member.held.begin(), member.held.end());
    member.held.clear();
    return directive;
  }
  for (auto& [at, partition] : partitions_) {
    if (partition.owner != id) continue;
    if (!partition.announced) {
      partition.announced = true;
      member.held.insert(at);
      directive.assigned.push_back(at);
    } else if (!partition.revoking && (partition.target != id || partition.restart)) {
      partition.revoking = true;
      member.held.erase(at);
      directive.revoked.push_back(at);
    }
  }
  return directive;
}

void GroupCoordinator::handle(Instant now, const PollEnd& poll, Output&) {
  const auto found = members_.find(poll.member);
  if (found == members_.end()) return;
  found->second.polling = false;
  found->second.seen = now;
}

void GroupCoordinator::handle(Instant, const Released& released, Output&) {
  for (const TopicPartition& at : released.partitions) {
    const auto found = partitions_.find(at);
    if (found == partitions_.end() || found->second.owner != released.member) continue;
    if (!found->second.revoking) continue;
    found->second = Partition{.owner = std::nullopt, .target = found->second.target};
    changed_ = true;
  }
}

void GroupCoordinator::handle(Instant now, const Leave& leave, Output&) {
  const auto found = members_.find(leave.member);
  if (found == members_.end()) return;
  changed_ = true;
  Member& member = found->second;
  if (member.state == State::live && !member.name.empty()) {
    member.state = State::away;
    member.seen = now;
    member.polling = false;
    member.held.clear();
    for (auto& [at, partition] : partitions_) {
      if (partition.owner == leave.member)
        partition.announced = partition.revoking = partition.restart = false;
    }
    return;
  }
  drop_ownership(leave.member);
  members_.erase(found);
  rebalance();
}

void GroupCoordinator::handle(Instant, const Restart& restart, Output&) {
  const auto found = partitions_.find(restart.partition);
  // Who has not been told of it yet will read the new offset anyway.
  if (found == partitions_.end() || !found->second.announced) return;
  found->second.restart = true;
  changed_ = true;
}

void GroupCoordinator::handle(Instant, const Topology& topology, Output&) {
  if (topology.partitions == topology_) return;
  topology_ = topology.partitions;
  changed_ = true;
  rebalance();
}

void GroupCoordinator::handle(Instant now, const Tick&, Output&) {
  bool any = false;
  for (auto it = members_.begin(); it != members_.end();) {
    Member& member = it->second;
    const bool overdue = !member.polling && now - member.seen >= member.session_timeout;
    const bool seated = member.state == State::live || member.state == State::away;
    if (!overdue || !seated) {
      ++it;
      continue;
    }
    any = true;
    drop_ownership(it->first);
    if (member.state == State::away) {
      it = members_.erase(it);
    } else {
      member.state = State::expired;
      ++it;
    }
  }
  if (!any) return;
  changed_ = true;
  rebalance();
}

void GroupCoordinator::drop_ownership(MemberId member) {
  for (auto& [at, partition] : partitions_) {
    if (partition.target == member) partition.target = std::nullopt;
    if (partition.owner == member) partition = Partition{.owner = std::nullopt, .target = partition.target};
  }
}

/// Decides anew who should own what; nothing moves here yet.
void GroupCoordinator::rebalance() {
  Subscriptions subscriptions;
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) {
    if (member.state != State::live && member.state != State::away) continue;
    subscriptions[id] = member.topics;
    topics.insert(member.topics.begin(), member.topics.end());
  }
  std::set<TopicPartition> all;
  Assignment before;
  for (const auto& [topic, count] : topology_) {
    if (!topics.contains(topic)) continue;
    for (std::int32_t number = 0; number < count; ++number) {
      const TopicPartition at{topic, number};
      all.insert(at);
      const Partition& partition = partitions_[at];
      // The earlier decision rather than the owner of this moment: else a move that is under way turns back.
      if (const auto keeper = partition.target ? partition.target : partition.owner) before[at] = *keeper;
    }
  }
  const Assignment after = sticky_assignment(all, subscriptions, before);
  bool moved = false;
  for (auto& [at, partition] : partitions_) {
    const auto found = after.find(at);
    const auto target = found == after.end() ? std::nullopt : std::optional{found->second};
    moved = moved || partition.target != target;
    partition.target = target;
  }
  if (moved) ++generation_;
}

/// Gives free partitions to those who should own them. A partition that its owner has not been told of can
/// move without a word.
void GroupCoordinator::settle() {
  for (auto& [at, partition] : partitions_) {
    if (partition.owner == partition.target) continue;
    if (!partition.owner || !partition.announced) {
      partition = Partition{.owner = partition.target, .target = partition.target};
    }
  }
}

void GroupCoordinator::note_work() {
  for (auto& [id, member] : members_) {
    member.work = member.state == State::expired || (member.state == State::fenced);
  }
  for (const auto& [at, partition] : partitions_) {
    if (!partition.owner) continue;
    const auto found = members_.find(*partition.owner);
    if (found == members_.end() || found->second.state != State::live) continue;
    const bool must_give_up =
        !partition.revoking && (partition.target != partition.owner || partition.restart);
    if (!partition.announced || must_give_up) found->second.work = true;
  }
}

}  // namespace ekiden::log::sqlite
