#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "ports/redis_client/command.hpp"
#include "ports/redis_client/resp.hpp"
#include "ports/redis_client/url.hpp"

namespace ekiden::redis {

struct ClientConfig {
  Address address{};
  std::string ca_file{};                             ///< over TLS; empty: the system's
  std::chrono::milliseconds connect_timeout{2'000};  ///< until the server has greeted
  std::chrono::milliseconds call_timeout{2'000};     ///< of calls that say nothing else
  std::chrono::milliseconds silence_max{2'000};      ///< overdue by so much: the connection is given up
  std::chrono::milliseconds retry_first{50};         ///< between attempts to connect; doubles,
  std::chrono::milliseconds retry_max{2'000};        ///< up to here, less a random half
  std::size_t calls_max = 20'000;                    ///< not answered yet
  std::size_t bytes_max = std::size_t{128} << 20;    ///< of these calls' commands
};

struct ClientFigures {
  bool is_up = false;
  std::int64_t calls = 0;     ///< not answered yet
  std::int64_t connects = 0;  ///< these since the start
  std::int64_t completed = 0;
  std::int64_t timeouts = 0;
  std::int64_t refused = 0;  ///< because the server was away, or a bound was reached
};

struct CallOptions {
  std::chrono::milliseconds timeout{0};  ///< 0: the configured one
  /// Where it is not empty: only to the server of this run id (`server()`), so that nothing that was meant
  /// for one reaches another after a failover or a restart.
  std::string server{};
};

/// One server and one connection, which every caller shares: commands of all threads go out together and
/// answers come back in order. Connects by itself, and again after every loss. While it is not connected,
/// calls fail at once.
/// @threads any. A callback runs on the client's own thread, or within `call` where it is refused: it must
/// neither block nor call `run`.
class Client {
 public:
  using Done = std::move_only_function<void(Result<Reply>)>;

  /// Returns at once; `wait_until_up` waits for the server. `clock` and `random` outlive it.
  Client(ClientConfig config, const Clock& clock, Random& random, const Logger& logger);
  /// Fails what waits, and returns when the thread has ended.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// An answer that is an error comes as one.
  /// @errors unavailable  not connected, or the server refuses for the time being: nothing happened (slugs
  ///                      `redis-away`, `redis-refuses`); or the connection broke: it may have happened
  ///                      (`redis-lost`).
  ///         timeout      no answer in time; it may have happened.
  ///         busy         too much is in flight; nothing happened.
  ///         conflict     slug `redis-other-server`: another server than `options.server` answers there.
  ///         internal     the server says that the command is wrong.
  void call(const Command& command, const CallOptions& options, Done done);
  /// A script by its digest; where the server does not know it, the whole text follows.
  void call(ScriptCall script, const CallOptions& options, Done done);

  /// The same, waiting for the answer. Not on a loop.
  Result<Reply> run(const Command& command, const CallOptions& options = {});
  Result<Reply> run(ScriptCall script, const CallOptions& options = {});

  /// Run id of the server that is connected; empty where none is. Another id: another server, or the same one
  /// started anew.
  std::string server() const;
  bool is_up() const;
  /// False where `until` came first.
  bool wait_until_up(Instant until) const;
  ClientFigures figures() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::redis
