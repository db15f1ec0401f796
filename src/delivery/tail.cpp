#include "delivery/tail.hpp"

#include <utility>

namespace ekiden::delivery {

namespace {

/// Never joined: it only asks where the partitions begin and end.
constexpr std::string_view kNoGroup = "tail";

}  // namespace

Tail::Tail(TailConfig config, log::Log& log, const Clock& clock, Handler handler, Logger logger)
    : config_(std::move(config)),
      log_(log),
      clock_(clock),
      handler_(std::move(handler)),
      logger_(std::move(logger)) {}

/// Records are appended in order of time, but for clocks that differ a little: halving finds the place.
Result<log::Offset> Tail::first_since(const log::PartitionState& partition, Timestamp since) {
  std::int64_t low = partition.begin.value;
  std::int64_t high = partition.end.value;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    EKIDEN_TRY(const auto records, log_.read(partition.at, {middle}, 1));
    if (records.empty() || records.front().appended_at >= since) {
      high = middle;
    } else {
      low = records.front().offset.value + 1;
    }
  }
  return log::Offset{low};
}

Result<std::int64_t> Tail::read_to(const log::PartitionState& partition) {
  log::Offset& next = next_.at(partition.at.partition);
  std::int64_t handed = 0;
  while (next < partition.end) {
    EKIDEN_TRY(const auto records, log_.read(partition.at, next, config_.read_max));
    if (records.empty()) break;
    for (const log::Record& record : records) {
      const auto event = decode(record);
      if (event) {
        handler_(*event);
        ++handed;
      } else {
        logger_.warning("tail_unreadable", {{"topic", config_.topic}, {"offset", record.offset.value}});
      }
      next = {log::after(record.offset).value};
    }
  }
  return handed;
}

Result<std::int64_t> Tail::look() {
  EKIDEN_TRY(const auto partitions, log_.state(kNoGroup, config_.topic));
  std::int64_t handed = 0;
  for (const log::PartitionState& partition : partitions) {
    if (!next_.contains(partition.at.partition)) {
      EKIDEN_TRY(const log::Offset first, first_since(partition, clock_.now() - config_.since));
      next_[partition.at.partition] = first;
    }
    EKIDEN_TRY(const std::int64_t read, read_to(partition));
    handed += read;
  }
  const MutexLock lock(mutex_);
  caught_up_ = true;
  return handed;
}

bool Tail::is_caught_up() const {
  const MutexLock lock(mutex_);
  return caught_up_;
}

void Tail::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] {
    {
      // Taken once, so that a thread between its check and its wait does not miss the bell.
      const MutexLock lock(mutex_);
    }
    stopped_.notify_all();
  });
  bool failing = false;
  while (!stop.stop_requested()) {
    const auto looked = look();
    if (!looked && !std::exchange(failing, true))
      logger_.warning("tail_failed", {{"topic", config_.topic}, {"error", looked.error().text()}});
    if (looked) failing = false;
    const Instant until = clock_.monotonic() + config_.every;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && stopped_.wait_until(mutex_, until)) continue;
  }
}

}  // namespace ekiden::delivery
