#include "runtime/async_log_sink.hpp"

#include <atomic>
#include <thread>

#include "base/bounded_queue.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::runtime {

class AsyncLogSink::State {
 public:
  State(LogSink& inner, const Clock& clock, std::size_t lines_max)
      : inner_(inner), own_logger_(inner, clock), queue_(lines_max), thread_([this] { run(); }) {}

  ~State() {
    queue_.close();
    thread_.join();
  }

  void write(LogLevel level, std::string&& line) {
    if (!queue_.try_push({level, std::move(line)})) dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Line {
    LogLevel level;
    std::string text;
  };

  void run() {
    name_this_thread({"ekiden", "log"});
    while (auto line = queue_.pop()) {
      inner_.write(line->level, std::move(line->text));
      const std::int64_t total = dropped();
      if (total == reported_) continue;
      own_logger_.error("log_lines_dropped", {{"count", total - reported_}, {"total", total}});
      reported_ = total;
    }
  }

  LogSink& inner_;
  const Logger own_logger_;
  BoundedQueue<Line> queue_;
  std::atomic<std::int64_t> dropped_ = 0;
  std::int64_t reported_ = 0;  ///< of the writing thread alone
  std::thread thread_;
};

AsyncLogSink::AsyncLogSink(LogSink& inner, const Clock& clock, std::size_t lines_max)
    : state_(std::make_unique<State>(inner, clock, lines_max)) {}
AsyncLogSink::~AsyncLogSink() = default;
void AsyncLogSink::write(LogLevel level, std::string line) {
  state_->write(level, std::move(line));
}
std::int64_t AsyncLogSink::dropped() const {
  return state_->dropped();
}

}  // namespace ekiden::runtime
