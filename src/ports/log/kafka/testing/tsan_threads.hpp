#pragma once

// librdkafka uses the threads of C11, which the thread sanitizer does not know: a program crashes at its
// first client. A test program that includes this, in one of its files, gives the library the same functions
// by pthreads, which it does know. In other builds there is nothing here.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

namespace ekiden::log::kafka::testing {

struct ThreadStart {
  thrd_start_t function;
  void* argument;
};

inline void* run_thread(void* start) {
  const std::unique_ptr<ThreadStart> owned(static_cast<ThreadStart*>(start));
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(owned->function(owned->argument)));
}

// The C library lays these types out alike.
inline pthread_mutex_t* as_pthread(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}
inline pthread_cond_t* as_pthread(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}
inline int outcome(int error) {
  if (error == 0) return thrd_success;
  return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

}  // namespace ekiden::log::kafka::testing

extern "C" {
using ekiden::log::kafka::testing::as_pthread;
using ekiden::log::kafka::testing::outcome;

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<ekiden::log::kafka::testing::ThreadStart>(function, argument);
  const int error = pthread_create(thread, nullptr, ekiden::log::kafka::testing::run_thread, start.get());
  if (error == 0) static_cast<void>(start.release());
  return outcome(error);
}
int thrd_join(thrd_t thread, int* code) {
  void* result = nullptr;
  const int error = pthread_join(thread, &result);
  if (code != nullptr) *code = static_cast<int>(reinterpret_cast<std::intptr_t>(result));
  return outcome(error);
}
thrd_t thrd_current() {
  return pthread_self();
}
int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const int error = pthread_mutex_init(as_pthread(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return outcome(error);
}
int mtx_lock(mtx_t* mutex) {
  return outcome(pthread_mutex_lock(as_pthread(mutex)));
}
int mtx_unlock(mtx_t* mutex) {
  return outcome(pthread_mutex_unlock(as_pthread(mutex)));
}
void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(as_pthread(mutex));
}
int cnd_init(cnd_t* condition) {
  return outcome(pthread_cond_init(as_pthread(condition), nullptr));
}
int cnd_signal(cnd_t* condition) {
  return outcome(pthread_cond_signal(as_pthread(condition)));
}
int cnd_broadcast(cnd_t* condition) {
  return outcome(pthread_cond_broadcast(as_pthread(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return outcome(pthread_cond_wait(as_pthread(condition), as_pthread(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return outcome(pthread_cond_timedwait(as_pthread(condition), as_pthread(mutex), until));
}
void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(as_pthread(condition));
}
void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}
}

#endif
#endif
