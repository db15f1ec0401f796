#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ports/ranking/ranking.hpp"
#include "ports/redis_client/command.hpp"

namespace ekiden::ranking {

using EventChanges = std::pair<EventId, std::vector<Change>>;

/// A change whose score cannot become too large whatever it is added to a few hundred times.
inline constexpr std::int64_t kTameDelta = std::int64_t{1} << 40;

/// @errors invalid: what every store refuses about an event, whatever the scores are.
Result<void> check_changes(const std::vector<Change>& changes);

/// Whether this event can be summed up with others before anybody knows the scores.
bool is_tame(const std::vector<Change>& changes);

/// Several events as one call: their ids, and for each board and member the sum of what they change. Views
/// the events' strings: they outlive the batch.
class Batch {
 public:
  /// Adds an event whose changes are checked. Several in one batch are all tame, or there is only one.
  void add(const EventChanges& event);
  std::size_t events() const { return events_; }
  std::size_t changes() const { return changes_; }
  /// The ids in the order in which they are written.
  std::vector<EventId> order() const;

  /// Appends the ids by bucket, and the boards with their changes.
  void write(redis::ScriptCall& call) const;

 private:
  /// What a member's score becomes on the way, from 0: in the end `sum`, and never outside `low` to `high`.
  struct Sum {
    UserId member;
    std::int64_t sum = 0;
    std::int64_t low = 0;
    std::int64_t high = 0;
    bool is_single = true;
    Timestamp reached_at;
  };
  struct BoardSums {
    std::string_view name;
    std::vector<Sum> sums;
    std::unordered_map<UserId, std::size_t> index;
  };
  struct Bucket {
    std::string name;
    std::vector<EventId> ids;
  };

  void add(BoardSums& board, const Change& change);

  std::size_t events_ = 0;
  std::size_t changes_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<BoardSums> boards_;
  std::unordered_map<std::string_view, std::size_t> board_index_;
};

}  // namespace ekiden::ranking
