#pragma once

#include <cstddef>
#include <vector>

#include "base/id.hpp"
#include "ports/ranking/memory/hash_index.hpp"

namespace ekiden::ranking {

/// The last `max` event ids that were applied: 16 bytes each in a ring, and 11 to 23 in an index. It catches
/// redeliveries within the process; what is older is caught by the inbox in SQL, which is the lasting guard.
/// @threads one at a time
class EventWindow {
 public:
  /// @param max 1 to 2^31.
  explicit EventWindow(std::size_t max);
  bool contains(const EventId& event) const;
  /// Adds an id that is not contained; where the window is full, the oldest is forgotten.
  void add(const EventId& event);
  /// Makes an early start on the memory that `contains` and `add` will touch for the event that comes after
  /// `ahead` others.
  void prefetch(const EventId& event, std::size_t ahead) const;
  std::size_t size() const { return ring_.size(); }

 private:
  std::size_t max_;
  std::size_t next_ = 0;  ///< where the next id goes once the ring is full: the oldest
  std::vector<EventId> ring_;
  HashIndex index_;
};

}  // namespace ekiden::ranking
