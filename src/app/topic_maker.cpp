#include "app/topic_maker.hpp"

#include <stdexcept>

namespace ekiden::app {

namespace {
constexpr std::chrono::seconds kAgain{1};
}  // namespace

void TopicMaker::start() {
  const Result<void> made = log_.ensure_topics(topics_);
  if (made) return;
  if (!is_retryable(made.error().code())) throw std::runtime_error(made.error().text());
  logger_.warning("topics_wait", {{"error", made.error().text()}});
  thread_ = std::make_unique<runtime::WorkerThread>(runtime::ExecutorLabel{"log", "topics"},
                                                    [this](std::stop_token stop) { keep_trying(stop); });
}

void TopicMaker::stop() {
  if (!thread_) return;
  thread_->request_stop();
  thread_->join();
  thread_.reset();
}

void TopicMaker::keep_trying(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    {
      // Taken once, so that a thread between its check and its wait does not miss the bell.
      const MutexLock lock(mutex_);
    }
    stopped_.notify_all();
  });
  while (!stop.stop_requested()) {
    const Result<void> made = log_.ensure_topics(topics_);
    if (made) {
      logger_.info("topics_made", {});
      return;
    }
    if (!is_retryable(made.error().code())) logger_.error("topics_refused", {{"error", made.error().text()}});
    const Instant until = clock_.monotonic() + kAgain;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && stopped_.wait_until(mutex_, until)) continue;
  }
}

}  // namespace ekiden::app
