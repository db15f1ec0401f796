#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/gzip.hpp"
#include "http/server.hpp"

namespace ekiden::http {

class Connection;

using LoopExecutor = boost::asio::io_context::executor_type;
/// Typed on the loop's own executor: a type-erased one costs a good part of a small request.
using LoopSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, LoopExecutor>;

/// Written by one thread, read by any.
class Count {
 public:
  void add(std::int64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_release);
  }
  std::int64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::int64_t> value_{0};
};

struct LoopFigures {
  Count connections, in_flight, accepted, fast_answers, refused, timeouts, bytes_in, bytes_out;
  std::array<Count, 6> by_class;
  void count_status(int status) { by_class[static_cast<std::size_t>(status / 100) % by_class.size()].add(); }
};

/// Names requests and spans: version 7 UUIDs whose random bits come from a generator seeded once, since
/// nothing depends on them being hard to guess. Not for two threads at once.
class RequestIds {
 public:
  explicit RequestIds(Random& random);
  /// Writes 36 characters. @param millis of the wall clock.
  void write_uuid(std::int64_t millis, std::array<char, 36>& out);
  std::string hex(std::size_t digits);
  /// True in `share` of all calls. @param share 0 to 1.
  bool chance(double share);

 private:
  std::uint64_t next();
  std::uint64_t state_;
};

/// What the connections of one event loop share. Lives on that loop, but for the figures.
class Loop {
 public:
  Loop(Server::Core& core, LoopExecutor executor, Random& random);

  void add(Connection& connection);
  void remove(Connection& connection);
  /// Closes what is idle and lets the rest finish. Called again at the deadline with `now`: closes
  /// everything.
  void drain(bool now);
  /// Header lines that every answer has. @see AnswerFrame
  std::string_view common() const { return common_; }
  std::int64_t wall_millis() const { return wall_millis_; }
  /// Monotonic time as of the last tick: for timeouts that are much longer than a tick.
  Instant coarse_now() const { return now_; }

  Server::Core& core;
  LoopExecutor executor;
  boost::asio::any_io_executor any_executor;  ///< the same
  LoopFigures figures;
  Deflater deflater;
  RequestIds ids;
  HeadView head;  ///< of the request that is being parsed
  FastReply reply;
  bool draining = false;
  bool sends_away = false;  ///< every answer is its connection's last

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;
  void arm_tick(std::shared_ptr<Timer> timer);
  void on_tick(std::shared_ptr<Timer> timer);
  void refresh_clock();

  std::weak_ptr<Timer> ticking_;  ///< owned by its own wait, for the reason that Door gives
  Connection* first_ = nullptr;
  std::string common_;
  Instant now_;
  std::int64_t wall_millis_ = 0;
  std::int64_t common_second_ = 0;
};

/// What the server has open on its first loop. Owned by the server and by handlers on that loop, never by the
/// core: another loop's handlers keep the core, and may be the last to go, when the first loop is gone.
struct Server::Door {
  explicit Door(LoopExecutor loop) : acceptor(loop), retry(loop), drained(loop) {}
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, LoopExecutor> acceptor;
  boost::asio::steady_timer retry;    ///< accepting again after running out of descriptors
  boost::asio::steady_timer drained;  ///< cancelled when the last connection goes
};

/// The server's shared part: outlives every connection.
class Server::Core : public std::enable_shared_from_this<Server::Core> {
 public:
  Core(ServerConfig config, const std::vector<boost::asio::any_io_executor>& executors,
       Dispatcher& dispatcher, runtime::WorkerPool& blocking, const Clock& clock, Random& random,
       Logger logger);

  std::shared_ptr<Door> listen();
  void start();
  std::uint16_t port() const { return port_; }
  void on_connection_closed();
  void send_away();
  runtime::Task<void> drain(Deadline deadline);
  ServerFigures figures() const;

  const ServerConfig config;
  Dispatcher& dispatcher;
  runtime::WorkerPool& offload;
  const Clock& clock;
  const Logger logger;

 private:
  void accept();
  void on_accept(boost::system::error_code failed, LoopSocket socket, Loop& loop);
  void pause_accepting(bool descriptors_are_out);
  void resume_accepting();
  runtime::Task<void> drain_here(Deadline deadline);

  std::vector<std::unique_ptr<Loop>> loops_;
  std::weak_ptr<Door> door_;
  std::uint16_t port_ = 0;
  std::size_t connections_max_;
  std::size_t next_loop_ = 0;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> accept_paused_{false};
  std::atomic<bool> draining_{false};
  Count accept_pauses_;
};

}  // namespace ekiden::http
