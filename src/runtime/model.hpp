#pragma once

#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

/// The concurrency models that a service can state. Each carries its own bounds, so none without them can be
/// written.
namespace ekiden::runtime {

/// Threads of their own for requests that wait long for something scarce: however many of them come, the
/// service's other requests find its other threads free. Routes name their lane (http::Route::lane).
struct Lane {
  std::string_view name;  ///< of the executor in figures and metrics
  std::size_t threads = 1;
  std::size_t queue_max = 64;
};

/// One thread per request: handlers are plain functions that may block. Beyond `threads` running and
/// `queue_max` waiting requests the answer is 503.
struct ThreadPool {
  std::size_t threads = 16;
  std::size_t queue_max = 512;
  std::vector<Lane> lanes{};
};

/// Handlers are coroutines on `threads` I/O threads; they must not block or compute for long
/// (runtime::offload). Beyond `inflight_max` requests the answer is 503.
struct Coroutines {
  std::size_t threads = 1;
  std::size_t inflight_max = 1024;
};

/// Handlers are coroutines on `loops` event loops, a thread each; a connection stays on its loop.
struct EventLoop {
  std::size_t loops = 1;
  std::size_t inflight_max = 4096;
};

/// No requests of its own to answer: events in, non-blocking calls out.
struct AsyncConsumer {
  std::size_t inflight_max = 1024;
};

using Model = std::variant<ThreadPool, Coroutines, EventLoop, AsyncConsumer>;

/// `thread_pool`, `coroutines`, `event_loop`, `async_consumer`: as metrics and the system page name them.
constexpr std::string_view name_of(const Model& model) {
  struct Names {
    constexpr std::string_view operator()(const ThreadPool&) const { return "thread_pool"; }
    constexpr std::string_view operator()(const Coroutines&) const { return "coroutines"; }
    constexpr std::string_view operator()(const EventLoop&) const { return "event_loop"; }
    constexpr std::string_view operator()(const AsyncConsumer&) const { return "async_consumer"; }
  };
  return std::visit(Names{}, model);
}

}  // namespace ekiden::runtime
