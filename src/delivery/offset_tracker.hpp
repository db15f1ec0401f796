#pragma once

#include <cstddef>
#include <optional>
#include <set>

#include "ports/log/log.hpp"

namespace ekiden::delivery {

/// Which records of a partition were taken and are not finished, and so how far the group may commit.
/// Records may finish in any order, and be delivered again from an earlier offset. @threads one at a time
class OffsetTracker {
 public:
  void taken(log::Offset offset) {
    unfinished_.insert(offset);
    next_ = log::after(offset);
  }
  void finished(log::Offset offset) {
    if (const auto found = unfinished_.find(offset); found != unfinished_.end()) unfinished_.erase(found);
  }
  std::size_t unfinished() const { return unfinished_.size(); }

  /// Everything before it is finished; nullopt before the first record.
  std::optional<log::CommittedOffset> committable() const {
    if (!next_ || unfinished_.empty()) return next_;
    const log::CommittedOffset held{unfinished_.begin()->value};
    return held < *next_ ? held : *next_;
  }

  /// `committable`, where it has moved since the last call.
  std::optional<log::CommittedOffset> take_news() {
    const auto now = committable();
    if (now == told_) return std::nullopt;
    told_ = now;
    return now;
  }

 private:
  std::multiset<log::Offset> unfinished_;
  std::optional<log::CommittedOffset> next_;  ///< after the record that was delivered last
  std::optional<log::CommittedOffset> told_;
};

}  // namespace ekiden::delivery
