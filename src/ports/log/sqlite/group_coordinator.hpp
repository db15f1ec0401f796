#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log::sqlite {

/// One joining of a consumer; a restart under the same name is another one.
struct MemberId {
  std::uint64_t value = 0;
  friend auto operator<=>(const MemberId&, const MemberId&) = default;
};

using Assignment = std::map<TopicPartition, MemberId>;
using Subscriptions = std::map<MemberId, std::set<std::string>>;

/// Shares partitions out so that no member could give one to another who has at least two fewer. Whoever had
/// a partition keeps it where that allows; a topic's partitions are spread before they are piled up.
/// Partitions that nobody subscribes to are left out.
Assignment sticky_assignment(const std::set<TopicPartition>& partitions, const Subscriptions& subscriptions,
                             const Assignment& before);

/// What a member has to do before it reads on, in this order.
struct Directive {
  std::vector<TopicPartition> lost;      ///< already someone else's: drop what is in work
  std::vector<TopicPartition> revoked;   ///< drain, commit, then send `Released`
  std::vector<TopicPartition> assigned;  ///< start at the committed offset
  bool fenced = false;                   ///< another consumer joined under its name: out for good
  bool empty() const { return lost.empty() && revoked.empty() && assigned.empty() && !fenced; }
};

/// Who of a group reads which partition: joining, leaving, expiry, cooperative sticky rebalancing. A state
/// machine without I/O, clock or threads. A partition moves only after its old owner has sent `Released`, has
/// left, or has expired; each partition that a member was assigned ends in exactly one of `revoked`, `lost`,
/// or its leaving.
class GroupCoordinator {
 public:
  /// `name` empty: when it leaves, its partitions go to others at once. Named: they wait for it until its
  /// session would have timed out, unless another rebalance comes first.
  struct Join {
    std::string name;
    std::set<std::string> topics;
    Duration session_timeout;
  };
  /// The member is in `poll`, where it cannot expire. Answers what it has to do.
  struct PollBegin {
    MemberId member;
  };
  /// The member works outside `poll`: its session runs from now.
  struct PollEnd {
    MemberId member;
  };
  /// `on_revoked` has returned for these. Those that are not the member's any more are ignored.
  struct Released {
    MemberId member;
    std::vector<TopicPartition> partitions;
  };
  struct Leave {
    MemberId member;
  };
  /// The partition's owner gives it up and takes it anew, from the committed offset of then.
  struct Restart {
    TopicPartition partition;
  };
  /// How many partitions each topic has; they never become fewer.
  struct Topology {
    std::map<std::string, std::int32_t> partitions;
  };
  /// Expires who has been away from `poll` for its session timeout.
  struct Tick {};
  using Input = std::variant<Join, PollBegin, PollEnd, Released, Leave, Restart, Topology, Tick>;

  struct Output {
    MemberId joined;              ///< of Join
    Directive directive;          ///< of PollBegin
    std::vector<MemberId> awake;  ///< members that wait in `poll` and have something to do now
  };

  Output step(Instant now, const Input& input);

  /// True from the moment the member was told `assigned` until its `Released`, expiry or leaving: only then
  /// may it store.
  bool owns(MemberId member, const TopicPartition& partition) const;
  /// True where PollBegin would answer with a directive.
  bool has_work(MemberId member) const;
  std::optional<MemberId> owner(const TopicPartition& partition) const;
  /// True where the owner has been told `assigned` and has not released yet.
  bool is_held(const TopicPartition& partition) const;
  /// Counts changes of who should own what.
  std::int64_t generation() const { return generation_; }
  std::size_t members() const { return members_.size(); }

 private:
  enum class State : std::uint8_t { live, away, expired, fenced };
  struct Member {
    std::string name;
    std::set<std::string> topics;
    Duration session_timeout{};
    Instant seen{};
    State state = State::live;
    bool polling = false;
    bool work = false;
    std::set<TopicPartition> held;  ///< told `assigned`, and neither `revoked` nor `lost` since
  };
  struct Partition {
    std::optional<MemberId> owner;
    std::optional<MemberId> target;
    bool announced = false;  ///< the owner was told `assigned`
    bool revoking = false;   ///< the owner was told `revoked`
    bool restart = false;
  };

  void handle(Instant now, const Join& join, Output& output);
  void handle(Instant now, const PollBegin& poll, Output& output);
  void handle(Instant now, const PollEnd& poll, Output& output);
  void handle(Instant now, const Released& released, Output& output);
  void handle(Instant now, const Leave& leave, Output& output);
  void handle(Instant now, const Restart& restart, Output& output);
  void handle(Instant now, const Topology& topology, Output& output);
  void handle(Instant now, const Tick& tick, Output& output);

  bool inherit(MemberId from, MemberId to);
  void drop_ownership(MemberId member);
  void rebalance();
  void settle();
  void note_work();
  Directive take_directive(MemberId id, Member& member);

  std::map<MemberId, Member> members_;
  std::map<TopicPartition, Partition> partitions_;
  std::map<std::string, std::int32_t> topology_;
  std::uint64_t last_member_ = 0;
  std::int64_t generation_ = 0;
  bool changed_ = false;
};

}  // namespace ekiden::log::sqlite
