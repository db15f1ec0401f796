#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace ekiden {

/// A first-in-first-out queue between threads that never grows beyond `max`. After `close` nothing enters;
/// what is inside can still be taken. @threads any
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t max) : max_(max) {}

  /// False when it is full or closed; `item` is then untouched.
  bool try_push(T&& item) EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (closed_ || items_.size() >= max_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  /// Waits for an item; nullopt once the queue is closed and empty. Blocks: not for loops.
  std::optional<T> pop() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (items_.empty() && !closed_) ready_.wait(mutex_);
    return take();
  }

  /// As `pop`, but nullopt also when `until` comes first.
  std::optional<T> pop_until(Instant until) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      if (!ready_.wait_until(mutex_, until)) break;
    }
    return take();
  }

  void close() EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  std::size_t size() const EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return items_.size();
  }
  std::size_t max() const { return max_; }

 private:
  std::optional<T> take() EKIDEN_REQUIRES(mutex_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item{std::move(items_.front())};
    items_.pop_front();
    return item;
  }

  const std::size_t max_;
  mutable Mutex mutex_;
  CondVar ready_;
  std::deque<T> items_ EKIDEN_GUARDED_BY(mutex_);
  bool closed_ EKIDEN_GUARDED_BY(mutex_) = false;
};

}  // namespace ekiden
