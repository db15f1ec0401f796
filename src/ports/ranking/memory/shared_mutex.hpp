#pragma once

#include <stdexcept>

#include <pthread.h>

#include "base/mutex.hpp"

namespace ekiden::ranking {

/// Many readers or one writer, visible to the thread-safety analysis. A waiting writer goes before new
/// readers (std::shared_mutex lets steady readers starve it), so a reader must not lock twice.
class EKIDEN_CAPABILITY("mutex") SharedMutex {
 public:
  SharedMutex() {
    pthread_rwlockattr_t attributes;
    int failed = pthread_rwlockattr_init(&attributes);
    failed |= pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    failed |= pthread_rwlock_init(&lock_, &attributes);
    failed |= pthread_rwlockattr_destroy(&attributes);
    if (failed != 0) throw std::runtime_error("a read-write lock could not be made");
  }
  ~SharedMutex() { pthread_rwlock_destroy(&lock_); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() EKIDEN_ACQUIRE() { pthread_rwlock_wrlock(&lock_); }
  void unlock() EKIDEN_RELEASE() { pthread_rwlock_unlock(&lock_); }
  void lock_shared() __attribute__((acquire_shared_capability())) { pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() __attribute__((release_shared_capability())) { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

class EKIDEN_SCOPED_CAPABILITY WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) EKIDEN_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~WriteLock() EKIDEN_RELEASE() { mutex_.unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class EKIDEN_SCOPED_CAPABILITY ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) __attribute__((acquire_shared_capability(mutex))) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReadLock() __attribute__((release_generic_capability())) { mutex_.unlock_shared(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace ekiden::ranking
