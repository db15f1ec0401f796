#include "ports/ranking/memory/event_window.hpp"

#include <stdexcept>

namespace ekiden::ranking {

EventWindow::EventWindow(std::size_t max) : max_(max) {
  if (max < 1 || max > (std::size_t{1} << 31)) throw std::invalid_argument("event window: 1 to 2^31 ids");
}

bool EventWindow::contains(const EventId& event) const {
  const auto same = [&](std::uint32_t at) { return ring_[at] == event; };
  return index_.find(hash_of(event.uuid()), same) != HashIndex::kNone;
}

void EventWindow::prefetch(const EventId& event, std::size_t ahead) const {
  index_.prefetch(hash_of(event.uuid()));
  if (ring_.size() == max_) index_.prefetch(hash_of(ring_[(next_ + ahead) % max_].uuid()));
}

void EventWindow::add(const EventId& event) {
  std::size_t at = ring_.size();
  if (at < max_) {
    ring_.push_back(event);
  } else {
    at = next_;
    index_.erase(hash_of(ring_[at].uuid()), static_cast<std::uint32_t>(at));
    ring_[at] = event;
    next_ = at + 1 == max_ ? 0 : at + 1;
  }
  index_.insert(hash_of(event.uuid()), static_cast<std::uint32_t>(at));
}

}  // namespace ekiden::ranking
