#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "ports/log/sqlite/catalog.hpp"
#include "ports/log/sqlite/group_coordinator.hpp"
#include "ports/log/sqlite/log_tables.hpp"
#include "ports/log/sqlite/tail.hpp"

namespace ekiden::log::sqlite {

using GroupId = std::int64_t;

/// A consumer, as the log knows it.
struct Membership {
  GroupId group = 0;
  MemberId member;
};

/// A stretch of a partition that is not in memory.
struct PageWanted {
  PartitionId id = 0;
  TopicPartition at;
  std::int64_t from = 0;
};

/// What a consumer can have at once: records from memory, or else a page that it has to read first.
struct Taken {
  std::vector<RecordPtr> records;
  std::optional<PageWanted> page;
};

/// Everything of the log that lies in memory: partitions' ends and tails, groups, what their members read and
/// have stored. No I/O and no lock; signals consumers that wait. @threads guarded by LogCore's mutex
class LogState {
 public:
  explicit LogState(std::size_t tail_bytes_max) : tail_bytes_max_(tail_bytes_max) {}

  const CatalogPtr& catalog() const { return catalog_; }
  /// Takes over what was read: new topics and partitions, records of other processes. A view older than what
  /// is known changes nothing.
  void refresh(Overview overview, Instant now);
  /// Records that have become durable, of one partition, in order.
  void appended(PartitionId id, std::vector<RecordPtr> records);
  /// Signals every consumer that waits and has something to do.
  void wake_ready();

  /// @param commits all of the group's.
  Membership join(GroupId group, const ConsumerConfig& config, const std::vector<Commit>& commits,
                  Instant now);
  void leave(const Membership& who, Instant now);
  void tick(Instant now);

  /// Enters `poll`. What is assigned is ready to be read; what is lost or revoked is read no more, but may be
  /// stored until `released`.
  Directive begin_poll(const Membership& who, Instant now);
  void end_poll(const Membership& who, Instant now);
  void released(const Membership& who, const std::vector<TopicPartition>& partitions, Instant now);

  Taken take(const Membership& who, std::size_t max);
  /// Goes on behind a page that was read for `wanted`.
  /// @errors gone: retention has passed what this group had not read; the next page starts where it begins.
  Result<void> page_read(const Membership& who, const PageWanted& wanted, const Page& page);
  /// True where the consumer should look again: records, a directive, or a call of `wake`.
  bool has_something(const Membership& who) const;
  bool take_wake(const Membership& who);
  void wake(const Membership& who);
  CondVar& signal(const Membership& who);

  void set_paused(const Membership& who, const std::vector<TopicPartition>& partitions, bool paused);
  /// @returns whether there is now something new to commit.
  Result<bool> store(const Membership& who, const TopicPartition& at, CommittedOffset next);

  /// What is stored and not known to be durable.
  std::vector<Commit> uncommitted() const;
  void committed(const std::vector<Commit>& commits);
  /// An operator has moved an offset; resets that are known already change nothing.
  void apply_reset(const Commit& commit, Instant now);

 private:
  struct Slot {
    TopicPartition at;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    Tail tail;
  };
  struct Fetch {
    std::int64_t next = 0;
    bool paused = false;
  };
  struct Member {
    std::map<PartitionId, Fetch> fetches;
    PartitionId turn = 0;  ///< where the next `take` begins, so that all partitions get theirs
    bool woken = false;
    std::unique_ptr<CondVar> signal = std::make_unique<CondVar>();
  };
  struct Progress {
    std::optional<std::int64_t> stored;
    std::optional<std::int64_t> committed;
    std::int64_t resets = 0;
    std::int64_t gone_to = 0;     ///< everything before this was dropped, and the group has been told
    bool ignores_stores = false;  ///< reset while a member held it: what it still stores is of before
  };
  struct Group {
    std::string name;
    GroupCoordinator coordinator;
    std::map<MemberId, Member> members;
    std::map<PartitionId, Progress> progress;
  };

  GroupCoordinator::Output step(Group& group, Instant now, const GroupCoordinator::Input& input);
  GroupCoordinator::Topology topology() const;
  void start_at_end(Group& group, const std::vector<std::string>& topics);
  bool is_ready(const Group& group, MemberId id, const Member& member) const;
  std::int64_t start_of(Group& group, PartitionId id);
  bool take_from(Slot& slot, PartitionId id, Fetch& fetch, std::size_t max, Taken& taken);
  Group& group_of(const Membership& who) { return groups_.at(who.group); }
  Member& member_of(const Membership& who) { return groups_.at(who.group).members.at(who.member); }

  const std::size_t tail_bytes_max_;
  CatalogPtr catalog_ = std::make_shared<Catalog>();
  std::unordered_map<PartitionId, Slot> slots_;
  std::map<GroupId, Group> groups_;
};

}  // namespace ekiden::log::sqlite
