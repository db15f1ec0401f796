#include "app/housekeeper.hpp"

namespace ekiden::app {

namespace {

constexpr std::chrono::hours kEvery{1};
/// Rows of one transaction: others write in between.
constexpr std::int64_t kAtOnce = 500;

}  // namespace

std::int64_t Housekeeper::sweep(const std::stop_token& stop) {
  std::int64_t total = 0;
  for (const services::Sweep& one : sweeps_) {
    std::int64_t gone = kAtOnce;
    while (gone == kAtOnce && !stop.stop_requested()) {
      const auto swept = db_.write([&](sql::Tx& tx) { return one.run(tx, clock_.now(), kAtOnce); });
      if (!swept) logger_.warning("sweep_failed", {{"what", one.name}, {"error", swept.error().text()}});
      gone = swept ? *swept : 0;
      total += gone;
    }
  }
  return total;
}

void Housekeeper::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] {
    {
      // Taken once, so that a thread between its check and its wait does not miss the bell.
      const MutexLock lock(mutex_);
    }
    stopped_.notify_all();
  });
  while (!stop.stop_requested()) {
    const std::int64_t gone = sweep(stop);
    if (gone > 0) logger_.info("swept", {{"rows", gone}});
    const Instant until = clock_.monotonic() + kEvery;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && stopped_.wait_until(mutex_, until)) continue;
  }
}

}  // namespace ekiden::app
