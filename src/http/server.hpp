#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "base/trace.hpp"
#include "http/client_address.hpp"
#include "http/framing.hpp"
#include "http/message.hpp"
#include "http/multipart.hpp"
#include "http/open_request.hpp"
#include "http/route.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::http {

struct ServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one; Server::port() tells
  FramingLimits framing{};
  MultipartLimits multipart{};
  TrustedProxies trusted_proxies{};
  /// For services behind the gateway: keeps `X-User-Id`, `X-Internal-*` and a given `X-Request-Id`.
  bool is_internal = false;
  std::filesystem::path spool_folder = std::filesystem::temp_directory_path();
  std::chrono::milliseconds header_timeout{5'000};  ///< from the first byte of a head to its last
  std::chrono::milliseconds idle_timeout{75'000};   ///< between two requests of a connection
  std::chrono::milliseconds body_timeout{
      10'000};  ///< without a byte; also the head start of the minimum rate
  std::chrono::milliseconds write_timeout{20'000};        ///< the same for what we send
  std::chrono::milliseconds linger_timeout{2'000};        ///< for the client to read a last answer
  std::chrono::milliseconds request_timeout_max{60'000};  ///< from a request's last byte to its answer
  std::chrono::milliseconds tick{250};                    ///< how exactly the timeouts are kept
  std::int64_t bytes_per_second_min = 500;                ///< of a body, received or sent
  std::size_t connections_max = 16'384;                   ///< lowered to what RLIMIT_NOFILE leaves
  std::size_t spare_descriptors = 128;  ///< of RLIMIT_NOFILE, kept for stores and spool files
  std::size_t pipelined_max = 16;       ///< requests in one run; then the connection is closed
  std::size_t gzip_bytes_min = 1'024;   ///< smaller bodies are not worth compressing
  double traced_share = 0;              ///< of requests that bring no trace of their own: 0 to 1
  SpanSink* spans = nullptr;            ///< where requests' spans go; null: nowhere. Outlives the server
  std::string service = "http";         ///< what the spans call this server
};

/// What a fast answer may look at. Views are good until try_fast() returns.
struct FastRequest {
  const HeadView& head;  ///< its path() is plain: equal to its decoded form
  std::string_view client_address;
  std::string_view request_id;               ///< ours
  Duration timeout_max;                      ///< for its answer
  const std::shared_ptr<OpenRequest>& open;  ///< for whoever takes it on
};

enum class Fast : std::uint8_t {
  no,        ///< the long way
  answered,  ///< by the reply
  taken,     ///< it will be answered through its OpenRequest
};

/// Go on: read the body as `body` says, then call handle() with this route.
struct Admitted {
  const Route* route = nullptr;
  BodyPolicy body{};
  /// Do not read the body, but for its headers: handle() takes it from Request::client as it comes, neither
  /// decompressed nor taken apart.
  bool passes = false;
};

/// A connection that has become something else (a WebSocket).
struct UpgradedConnection {
  boost::asio::ip::tcp::socket socket;
  std::string head;   ///< the request's head, as it came
  std::string early;  ///< bytes that came behind it
  Request request;
};
struct Upgrade {
  /// Called on the connection's loop. The server forgets the connection, but for nothing: it is the taker's
  /// now.
  std::move_only_function<void(UpgradedConnection)> take;
};

using Admission = std::variant<Admitted, Response, Upgrade>;

/// What answers: the gateway, or one service. Every call is made on the loop of its connection and may not
/// block. An exception is logged and answered with 500.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  /// Answers without a coroutine where it can, at once or later. Asked only for requests without a body and
  /// with a plain path.
  virtual Fast try_fast(const FastRequest& request, FastReply& reply) {
    (void)request;
    (void)reply;
    return Fast::no;
  }
  /// Decides before the body is read: finds the route, checks who asks and whether they may, and sets
  /// `params` and `identity` on the request, which lives until the answer is sent.
  virtual runtime::Task<Admission> admit(Request& request) = 0;
  virtual runtime::Task<Response> handle(const Route& route, Request request) = 0;
};

/// Since the start, but for the two that say `now`.
struct ServerFigures {
  std::int64_t connections = 0;  ///< now
  std::int64_t in_flight = 0;    ///< now, without fast answers
  std::int64_t accepted = 0;
  std::int64_t accept_pauses = 0;
  std::int64_t fast_answers = 0;
  std::array<std::int64_t, 6> by_class{};  ///< [2] counts 2xx, …
  std::int64_t refused = 0;                ///< broken framing
  std::int64_t timeouts = 0;
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;
};

/// An HTTP/1.1 server over event loops that the caller runs. A connection stays on one loop.
/// Loops must be stopped, or drain() finished, before the server goes, and the server goes before its loops;
/// `clock`, `random` and the dispatcher outlive it.
class Server {
 public:
  /// Binds and listens; nothing is accepted before start().
  /// @param loops executors of io_contexts, each run by one thread.
  /// @param blocking where spool files are written, streams are read and large bodies are compressed; it
  /// outlives the server.
  /// Throws std::system_error where the address cannot be bound, std::logic_error where a loop is no
  /// io_context.
  Server(ServerConfig config, std::vector<boost::asio::any_io_executor> loops, Dispatcher& dispatcher,
         runtime::WorkerPool& blocking, const Clock& clock, Random& random, Logger logger);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// @threads any
  void start();
  std::uint16_t port() const;
  /// From now on every answer says `Connection: close`, while connections are still accepted: for the time in
  /// which whoever balances over several servers learns that this one ends. @threads any
  void send_away();
  /// Stops accepting, closes idle connections, lets requests in flight finish with `Connection: close`, and
  /// returns when the last connection is gone; what is left at `deadline` is closed. @threads any
  runtime::Task<void> drain(Deadline deadline);
  /// @threads any
  ServerFigures figures() const;

  class Core;
  struct Door;

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Door> door_;
};

}  // namespace ekiden::http
