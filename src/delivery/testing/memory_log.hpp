#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery::testing {

/// A log in memory that keeps the port's promises, and an adversary within them: a test expires members,
/// rewinds groups, appends copies, drops old records and lets polls fail whenever it likes. @threads any
class MemoryLog final : public log::Log {
 public:
  explicit MemoryLog(const Clock& clock) : state_(std::make_shared<State>(clock)) {}

  Result<void> ensure_topics(const std::vector<log::TopicConfig>& topics) override {
    const MutexLock lock(state_->mutex);
    for (const log::TopicConfig& config : topics) {
      Topic& topic = state_->topics[config.name];
      topic.config = config;
      topic.partitions.resize(static_cast<std::size_t>(config.partitions));
    }
    return {};
  }
  Result<std::vector<log::TopicConfig>> topics() const override {
    const MutexLock lock(state_->mutex);
    std::vector<log::TopicConfig> all;
    for (const auto& [name, topic] : state_->topics) all.push_back(topic.config);
    return all;
  }
  std::shared_ptr<log::Producer> producer() override { return std::make_shared<MemoryProducer>(state_); }
  Result<std::unique_ptr<log::Consumer>> join(log::ConsumerConfig config,
                                              log::RebalanceListener& listener) override {
    const MutexLock lock(state_->mutex);
    const int id = ++state_->last_member;
    Group& group = state_->groups[config.group];
    group.topics.insert(config.topics.begin(), config.topics.end());
    group.members.insert(id);
    state_->changed.notify_all();
    return std::make_unique<MemoryConsumer>(state_, std::move(config), id, listener);
  }
  Result<std::vector<log::Record>> read(const log::TopicPartition& at, log::Offset from,
                                        std::size_t max) override {
    const MutexLock lock(state_->mutex);
    return state_->read(at, from.value, max);
  }
  Result<std::vector<log::PartitionState>> state(std::string_view group, std::string_view topic) override {
    const MutexLock lock(state_->mutex);
    std::vector<log::PartitionState> all;
    const auto found = state_->topics.find(std::string(topic));
    if (found == state_->topics.end()) return all;
    for (std::size_t i = 0; i < found->second.partitions.size(); ++i) {
      const Partition& partition = found->second.partitions[i];
      log::PartitionState one{.at = {std::string(topic), static_cast<std::int32_t>(i)},
                              .begin = {partition.begin},
                              .end = {partition.end()},
                              .committed = std::nullopt};
      const auto& committed = state_->groups[std::string(group)].committed;
      if (const auto it = committed.find(one.at); it != committed.end()) one.committed = {it->second};
      one.lag_events = one.end.value - (one.committed ? one.committed->value : one.begin.value);
      all.push_back(one);
    }
    return all;
  }
  Result<std::vector<std::string>> groups() override {
    const MutexLock lock(state_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, group] : state_->groups) names.push_back(name);
    return names;
  }
  Result<void> reset(std::string_view group, const log::TopicPartition& at,
                     log::CommittedOffset to) override {
    const MutexLock lock(state_->mutex);
    Group& found = state_->groups[std::string(group)];
    found.committed[at] = to.value;
    found.positions[at] = to.value;
    state_->changed.notify_all();
    return {};
  }
  Result<std::int64_t> enforce_retention() override { return 0; }

  // The adversary.

  /// Every member of the group has been away too long: partitions go to whoever polls first.
  void expire(std::string_view group) {
    const MutexLock lock(state_->mutex);
    Group& found = state_->groups[std::string(group)];
    found.owners.clear();
    found.shift += 1;
  }
  /// Appends a copy of a record, as a producer does that missed an answer.
  void repeat(const log::TopicPartition& at, log::Offset offset) {
    const MutexLock lock(state_->mutex);
    Partition& partition = state_->partition(at);
    log::Record copy = partition.records.at(static_cast<std::size_t>(offset.value - partition.begin));
    state_->append(at, std::move(copy));
  }
  void truncate(const log::TopicPartition& at, log::Offset begin) {
    const MutexLock lock(state_->mutex);
    Partition& partition = state_->partition(at);
    while (partition.begin < begin.value && !partition.records.empty()) {
      partition.records.erase(partition.records.begin());
      ++partition.begin;
    }
  }
  void append(const log::TopicPartition& at, log::Record record) {
    const MutexLock lock(state_->mutex);
    state_->append(at, std::move(record));
  }

 private:
  struct Partition {
    std::int64_t begin = 0;
    std::vector<log::Record> records;
    std::int64_t end() const { return begin + static_cast<std::int64_t>(records.size()); }
  };
  struct Topic {
    log::TopicConfig config;
    std::vector<Partition> partitions;
  };
  struct Group {
    std::set<std::string> topics;
    std::set<int> members;
    std::map<log::TopicPartition, int> owners;
    std::map<log::TopicPartition, std::int64_t> committed;
    std::map<log::TopicPartition, std::int64_t> positions;
    std::size_t shift = 0;
  };
  struct State {
    explicit State(const Clock& its_clock) : clock(its_clock) {}
    const Clock& clock;
    mutable Mutex mutex;
    CondVar changed;
    std::map<std::string, Topic> topics EKIDEN_GUARDED_BY(mutex);
    std::map<std::string, Group> groups EKIDEN_GUARDED_BY(mutex);
    int last_member EKIDEN_GUARDED_BY(mutex) = 0;

    Partition& partition(const log::TopicPartition& at) EKIDEN_REQUIRES(mutex) {
      return topics.at(at.topic).partitions.at(static_cast<std::size_t>(at.partition));
    }
    void append(const log::TopicPartition& at, log::Record record) EKIDEN_REQUIRES(mutex) {
      Partition& to = partition(at);
      record.at = at;
      record.offset = {to.end()};
      record.appended_at = clock.now();
      to.records.push_back(std::move(record));
      changed.notify_all();
    }
    std::vector<log::Record> read(const log::TopicPartition& at, std::int64_t from, std::size_t max)
        EKIDEN_REQUIRES(mutex) {
      const Partition& partition_read = partition(at);
      std::vector<log::Record> found;
      for (std::int64_t i = std::max(from, partition_read.begin);
           i < partition_read.end() && found.size() < max; ++i)
        found.push_back(partition_read.records[static_cast<std::size_t>(i - partition_read.begin)]);
      return found;
    }
    /// Whose each partition should be: dealt round, from a place that moves when members expire.
    std::map<log::TopicPartition, int> wanted(const Group& group) EKIDEN_REQUIRES(mutex) {
      std::map<log::TopicPartition, int> owners;
      if (group.members.empty()) return owners;
      const std::vector<int> members(group.members.begin(), group.members.end());
      std::size_t next = group.shift;
      for (const std::string& topic : group.topics) {
        for (std::size_t i = 0; i < topics[topic].partitions.size(); ++i)
          owners[{topic, static_cast<std::int32_t>(i)}] = members[next++ % members.size()];
      }
      return owners;
    }
  };

  class MemoryProducer final : public log::Producer {
   public:
    explicit MemoryProducer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void send(log::Message message, log::Delivered done) override {
      log::TopicPartition at{message.topic, 0};
      std::int64_t offset = 0;
      {
        const MutexLock lock(state_->mutex);
        const auto topic = state_->topics.find(message.topic);
        if (topic != state_->topics.end()) {
          std::size_t hash = 5381;
          for (const char c : message.key) hash = hash * 33 + static_cast<unsigned char>(c);
          at.partition = static_cast<std::int32_t>(hash % topic->second.partitions.size());
          offset = state_->partition(at).end();
          state_->append(at, {.at = {},
                              .offset = {},
                              .appended_at = {},
                              .key = std::move(message.key),
                              .value = std::move(message.value),
                              .headers = std::move(message.headers)});
        } else {
          offset = -1;
        }
      }
      if (offset < 0) {
        done(Error{Errc::invalid, "no-such-topic", "there is no topic " + at.topic});
      } else {
        done(std::pair{at, log::Offset{offset}});
      }
    }

   private:
    std::shared_ptr<State> state_;
  };

  class MemoryConsumer final : public log::Consumer {
   public:
    MemoryConsumer(std::shared_ptr<State> state, log::ConsumerConfig config, int id,
                   log::RebalanceListener& listener)
        : state_(std::move(state)), config_(std::move(config)), id_(id), listener_(listener) {}
    ~MemoryConsumer() override { leave(); }

    Result<std::vector<log::Record>> poll(std::size_t max, Duration timeout) override {
      rebalance();
      const Instant until = state_->clock.monotonic() + timeout;
      const MutexLock lock(state_->mutex);
      while (true) {
        EKIDEN_TRY(std::vector<log::Record> found, fetch(max));
        const bool is_woken = std::exchange(woken_, false);
        const bool is_over = timeout <= Duration::zero() || is_woken;
        if (!found.empty() || is_over || !state_->changed.wait_until(state_->mutex, until)) return found;
      }
    }
    void pause(const std::vector<log::TopicPartition>& partitions) override {
      paused_.insert(partitions.begin(), partitions.end());
    }
    void resume(const std::vector<log::TopicPartition>& partitions) override {
      for (const log::TopicPartition& at : partitions) paused_.erase(at);
    }
    Result<void> store(const log::TopicPartition& at, log::CommittedOffset next) override {
      const MutexLock lock(state_->mutex);
      Group& group = state_->groups[config_.group];
      const auto owner = group.owners.find(at);
      if (owner == group.owners.end() || owner->second != id_)
        return Error{Errc::conflict, "fenced", "the partition is another member's"};
      auto& committed = group.committed[at];
      committed = std::max(committed, next.value);
      return {};
    }
    void wake() override {
      const MutexLock lock(state_->mutex);
      woken_ = true;
      state_->changed.notify_all();
    }
    Result<void> close() override {
      leave();
      return {};
    }

   private:
    void leave() {
      const MutexLock lock(state_->mutex);
      Group& group = state_->groups[config_.group];
      if (group.members.erase(id_) == 0) return;
      std::erase_if(group.owners, [&](const auto& one) { return one.second == id_; });
      state_->changed.notify_all();
    }
    /// Gives up what another member should have, then takes what nobody holds.
    void rebalance() {
      std::vector<log::TopicPartition> lost;
      std::vector<log::TopicPartition> revoked;
      {
        const MutexLock lock(state_->mutex);
        Group& group = state_->groups[config_.group];
        const auto wanted = state_->wanted(group);
        for (const log::TopicPartition& at : mine_) {
          const auto owner = group.owners.find(at);
          if (owner == group.owners.end() || owner->second != id_) {
            lost.push_back(at);
          } else if (wanted.at(at) != id_) {
            revoked.push_back(at);
          }
        }
      }
      if (!lost.empty()) listener_.on_lost(lost);
      if (!revoked.empty()) listener_.on_revoked(revoked);
      for (const log::TopicPartition& at : lost) mine_.erase(at);
      for (const log::TopicPartition& at : revoked) mine_.erase(at);
      std::vector<log::TopicPartition> assigned;
      {
        const MutexLock lock(state_->mutex);
        Group& group = state_->groups[config_.group];
        for (const log::TopicPartition& at : revoked) {
          if (const auto owner = group.owners.find(at); owner != group.owners.end() && owner->second == id_)
            group.owners.erase(owner);
        }
        for (const auto& [at, owner] : state_->wanted(group)) {
          if (owner != id_ || group.owners.contains(at)) continue;
          group.owners[at] = id_;
          const auto committed = group.committed.find(at);
          group.positions[at] =
              committed == group.committed.end() ? state_->partition(at).begin : committed->second;
          mine_.insert(at);
          paused_.erase(at);
          assigned.push_back(at);
        }
        state_->changed.notify_all();
      }
      if (!assigned.empty()) listener_.on_assigned(assigned);
    }
    bool may_read(const Group& group, const log::TopicPartition& at) const {
      const auto owner = group.owners.find(at);
      return !paused_.contains(at) && owner != group.owners.end() && owner->second == id_;
    }
    Result<std::vector<log::Record>> fetch(std::size_t max) EKIDEN_REQUIRES(state_->mutex) {
      Group& group = state_->groups[config_.group];
      for (const log::TopicPartition& at : mine_) {
        const std::int64_t begin = state_->partition(at).begin;
        if (!may_read(group, at) || group.positions[at] >= begin) continue;
        group.positions[at] = begin;
        return Error{Errc::gone, "retention", "unread records of " + at.topic + " are gone"};
      }
      std::vector<log::Record> found;
      for (const log::TopicPartition& at : mine_) {
        if (!may_read(group, at)) continue;
        for (log::Record& record : state_->read(at, group.positions[at], max - found.size())) {
          group.positions[at] = record.offset.value + 1;
          found.push_back(std::move(record));
        }
      }
      return found;
    }

    std::shared_ptr<State> state_;
    log::ConsumerConfig config_;
    int id_;
    log::RebalanceListener& listener_;
    std::set<log::TopicPartition> mine_;
    std::set<log::TopicPartition> paused_;
    bool woken_ EKIDEN_GUARDED_BY(state_->mutex) = false;
  };

  std::shared_ptr<State> state_;
};

}  // namespace ekiden::delivery::testing
