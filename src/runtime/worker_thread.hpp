#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "runtime/worker_pool.hpp"

namespace ekiden::runtime {

/// A named thread for one loop that runs until it is told to stop: a relay, a consumer. Joined by its
/// destructor.
class WorkerThread {
 public:
  WorkerThread(ExecutorLabel label, std::function<void(std::stop_token)> run)
      : thread_([label = std::move(label), run = std::move(run)](std::stop_token stop) {
          name_this_thread(label);
          run(std::move(stop));
        }) {}
  void request_stop() { thread_.request_stop(); }
  /// Waits for the end of the loop.
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::jthread thread_;
};

}  // namespace ekiden::runtime
