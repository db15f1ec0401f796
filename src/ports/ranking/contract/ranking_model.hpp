#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ports/ranking/ranking.hpp"

namespace ekiden::ranking::testing {

/// What a ranking should hold, in the plainest way: an ordered set per board.
class RankingModel {
 public:
  /// Applies an event as the port promises. False where it is refused or known.
  bool apply(EventId event, const std::vector<Change>& changes) {
    if (events_.contains(event)) return false;
    auto next = boards_;
    for (const Change& change : changes) {
      auto& board = next[change.board];
      Standing standing{change.member, 0, {}};
      for (const Standing& held : board) {
        if (held.member == change.member) standing = held;
      }
      board.erase(standing);
      const auto sum = add_scores(standing.score, change.delta);
      if (!sum) return false;
      if (*sum != 0) board.insert({change.member, *sum, change.reached_at});
    }
    std::erase_if(next, [](const auto& entry) { return entry.second.empty(); });
    boards_ = std::move(next);
    events_.insert(event);
    return true;
  }

  std::vector<Entry> entries(const std::string& board) const {
    std::vector<Entry> result;
    if (const auto found = boards_.find(board); found != boards_.end()) {
      for (const Standing& held : found->second) {
        result.push_back(
            {static_cast<std::int64_t>(result.size()) + 1, held.member, held.score, held.reached_at});
      }
    }
    return result;
  }

  std::vector<std::string> boards() const {
    std::vector<std::string> names;
    for (const auto& [name, standings] : boards_) names.push_back(name);
    return names;
  }

 private:
  struct Above {
    bool operator()(const Standing& a, const Standing& b) const { return precedes(a, b); }
  };
  std::map<std::string, std::set<Standing, Above>> boards_;
  std::set<EventId> events_;
};

}  // namespace ekiden::ranking::testing
