#include "http/watch.hpp"

namespace ekiden::http {

void Watch::add(Watched& item) {
  if (item.place_ != Watched::kUnlisted) return;
  item.place_ = items_.size();
  items_.push_back(&item);
  if (!armed_) arm();
}

void Watch::remove(Watched& item) {
  if (item.place_ == Watched::kUnlisted) return;
  items_[item.place_] = items_.back();
  items_[item.place_]->place_ = item.place_;
  items_.pop_back();
  item.place_ = Watched::kUnlisted;
}

void Watch::arm() {
  armed_ = true;
  timer_.expires_after(tick_);
  timer_.async_wait([self = weak_from_this()](boost::system::error_code stopped) {
    if (const auto watch = self.lock(); watch && !stopped) watch->on_tick();
  });
}

void Watch::on_tick() {
  armed_ = false;
  const Instant now = clock_.monotonic();
  // From the back: where an item takes itself off, the one that moves into its place has been seen.
  for (std::size_t i = items_.size(); i > 0; --i) items_[i - 1]->check(now);
  if (!items_.empty()) arm();
}

}  // namespace ekiden::http
