#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// Clang's thread-safety analysis: -Wthread-safety fails the build where a guarded member is touched without
// its mutex.
#define EKIDEN_CAPABILITY(name) __attribute__((capability(name)))
#define EKIDEN_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define EKIDEN_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define EKIDEN_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define EKIDEN_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define EKIDEN_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define EKIDEN_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define EKIDEN_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define EKIDEN_NO_THREAD_SAFETY_ANALYSIS __attribute__((no_thread_safety_analysis))

namespace ekiden {

/// std::mutex, visible to the analysis. Never held across a suspension or a call that waits for another
/// thread.
class EKIDEN_CAPABILITY("mutex") Mutex {
 public:
  void lock() EKIDEN_ACQUIRE() { mutex_.lock(); }
  void unlock() EKIDEN_RELEASE() { mutex_.unlock(); }
  bool try_lock() EKIDEN_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class EKIDEN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) EKIDEN_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() EKIDEN_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Waits on a Mutex that the caller holds. Wake-ups can be spurious: call in a `while` over the condition.
class CondVar {
 public:
  void wait(Mutex& mutex) EKIDEN_REQUIRES(mutex) { condition_.wait(mutex); }
  /// False when `until` came first.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point until) EKIDEN_REQUIRES(mutex) {
    return condition_.wait_until(mutex, until) == std::cv_status::no_timeout;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace ekiden
