#pragma once

#include <filesystem>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "base/testing/folder.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "http/server.hpp"
#include "runtime/executor.hpp"

namespace ekiden::http::testing {

/// Keeps log lines for a test to read. @threads any
class MemorySink final : public LogSink {
 public:
  void write(LogLevel, std::string line) override {
    const MutexLock lock(mutex_);
    lines_ += line + "\n";
  }
  std::string lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::string lines_ EKIDEN_GUARDED_BY(mutex_);
};

/// A server on a free port of 127.0.0.1 with its loops' threads and a clock that the test moves.
class TestServer {
 public:
  explicit TestServer(Dispatcher& dispatcher, ServerConfig config = quick(), std::size_t loops = 1) {
    config.spool_folder = folder_.path();
    std::vector<boost::asio::any_io_executor> executors;
    for (std::size_t i = 0; i < loops; ++i) {
      contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
      guards_.push_back(boost::asio::make_work_guard(*contexts_.back()));
      executors.emplace_back(contexts_.back()->get_executor());
    }
    executors_ = executors;
    server_ =
        std::make_unique<Server>(config, executors, dispatcher, pool_, clock, random_, Logger{sink, clock});
    server_->start();
    for (auto& context : contexts_) threads_.emplace_back([each = context.get()] { each->run(); });
  }

  ~TestServer() {
    stop();
    pool_.stop();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// Ends the loops' threads: what lives on the loops may then be destroyed. Once is enough.
  void stop() {
    if (threads_.empty()) return;
    drain(std::chrono::milliseconds{0});
    guards_.clear();
    for (auto& context : contexts_) context->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  const std::vector<boost::asio::any_io_executor>& loops() const { return executors_; }
  Server& server() { return *server_; }

  /// Ticks every millisecond, so that a moved clock is noticed at once.
  static ServerConfig quick() {
    ServerConfig config;
    config.tick = std::chrono::milliseconds{1};
    return config;
  }

  /// Waits for the drain. @param patience in real time.
  void drain(std::chrono::milliseconds patience) { start_drain(patience).get(); }
  std::future<void> start_drain(std::chrono::milliseconds patience) {
    const SystemClock real;
    return boost::asio::co_spawn(*contexts_.front(), server_->drain(Deadline::after(real, patience)),
                                 boost::asio::use_future);
  }

  std::uint16_t port() const { return server_->port(); }
  ServerFigures figures() const { return server_->figures(); }
  const std::filesystem::path& spool() const { return folder_.path(); }

  ekiden::testing::ManualClock clock;
  MemorySink sink;

 private:
  ekiden::testing::Folder folder_;
  ekiden::testing::SeededRandom random_{7};
  runtime::FiguresRegistry figures_;
  runtime::CpuPool pool_{
      {.service = "test", .name = "disk"}, {.threads = 2, .queue_max = 4096}, Logger{sink, clock}, figures_};
  std::vector<boost::asio::any_io_executor> executors_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::unique_ptr<Server> server_;
  std::vector<std::thread> threads_;
};

}  // namespace ekiden::http::testing
