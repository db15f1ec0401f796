#include <tuple>
#include <utility>

#include "ports/log/sqlite/group_coordinator.hpp"

namespace ekiden::log::sqlite {
namespace {

/// An assignment in the making, with its counts.
class Shares {
 public:
  explicit Shares(const Subscriptions& subscriptions) : subscriptions_(subscriptions) {
    for (const auto& [member, topics] : subscriptions) totals_[member] = 0;
  }

  bool may_have(MemberId member, const TopicPartition& partition) const {
    const auto found = subscriptions_.find(member);
    return found != subscriptions_.end() && found->second.contains(partition.topic);
  }

  void give(const TopicPartition& partition, MemberId to) {
    if (const auto old = assignment_.find(partition); old != assignment_.end()) {
      --totals_[old->second];
      --per_topic_[{old->second, partition.topic}];
    }
    assignment_[partition] = to;
    ++totals_[to];
    ++per_topic_[{to, partition.topic}];
  }

  void give_to_least_loaded(const TopicPartition& partition) {
    std::optional<std::tuple<int, int, MemberId>> best;
    for (const auto& [member, total] : totals_) {
      if (!may_have(member, partition)) continue;
      const std::tuple rank{total, topic_count(member, partition.topic), member};
      if (!best || rank < *best) best = rank;
    }
    if (best) give(partition, std::get<MemberId>(*best));
  }

  /// Moves one partition to whom it helps most; false where no move helps. Each move lowers the sum of the
  /// squares of the counts, so repeating it ends.
  bool improve() {
    std::optional<Move> best;
    for (const auto& [share, count] : per_topic_) {
      if (count == 0) continue;
      const auto& [owner, topic] = share;
      for (const auto& [member, total] : totals_) {
        const int gap = totals_[owner] - total;
        if (gap < 2 || !subscriptions_.at(member).contains(topic)) continue;
        const int topic_gap = count - topic_count(member, topic);
        if (!best || std::pair{gap, topic_gap} > std::pair{best->gap, best->topic_gap}) {
          best = Move{gap, topic_gap, owner, member, topic};
        }
      }
    }
    if (!best) return false;
    for (auto it = assignment_.lower_bound({best->topic, 0}); it != assignment_.end(); ++it) {
      if (it->second != best->from) continue;
      give(it->first, best->to);
      return true;
    }
    return false;
  }

  Assignment take() && { return std::move(assignment_); }

 private:
  struct Move {
    int gap;
    int topic_gap;
    MemberId from;
    MemberId to;
    std::string topic;
  };

  int topic_count(MemberId member, const std::string& topic) const {
    const auto found = per_topic_.find({member, topic});
    return found == per_topic_.end() ? 0 : found->second;
  }

  const Subscriptions& subscriptions_;
  Assignment assignment_;
  std::map<MemberId, int> totals_;
  std::map<std::pair<MemberId, std::string>, int> per_topic_;
};

}  // namespace

Assignment sticky_assignment(const std::set<TopicPartition>& partitions, const Subscriptions& subscriptions,
                             const Assignment& before) {
  Shares shares(subscriptions);
  for (const TopicPartition& partition : partitions) {
    const auto old = before.find(partition);
    if (old != before.end() && shares.may_have(old->second, partition)) shares.give(partition, old->second);
  }
  for (const TopicPartition& partition : partitions) {
    const auto old = before.find(partition);
    if (old == before.end() || !shares.may_have(old->second, partition)) {
      shares.give_to_least_loaded(partition);
    }
  }
  while (shares.improve()) {
  }
  return std::move(shares).take();
}

}  // namespace ekiden::log::sqlite
