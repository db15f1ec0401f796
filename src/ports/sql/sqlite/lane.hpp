#pragma once

#include <atomic>
#include <cstddef>

#include "base/bounded_queue.hpp"
#include "ports/sql/job.hpp"
#include "ports/sql/sqlite/connection.hpp"

namespace ekiden::sql::sqlite {

using JobQueue = BoundedQueue<Job>;

/// What the lanes of one database share.
struct Shared {
  std::atomic<std::size_t> busy{0};
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> rolled_back{0};
  std::atomic<std::uint64_t> retried{0};
  /// A reader met a fault: the writer checks the file before it acknowledges anything more.
  std::atomic<bool> suspect{false};
};

/// Counts a lane as busy for as long as it lives.
class BusyMark {
 public:
  explicit BusyMark(Shared& shared) : shared_(shared) { ++shared_.busy; }
  ~BusyMark() { --shared_.busy; }
  BusyMark(const BusyMark&) = delete;
  BusyMark& operator=(const BusyMark&) = delete;

 private:
  Shared& shared_;
};

}  // namespace ekiden::sql::sqlite
