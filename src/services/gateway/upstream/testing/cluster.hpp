#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "http/problem.hpp"
#include "http/request_maker.hpp"
#include "http/testing/echo.hpp"
#include "http/testing/raw_client.hpp"
#include "http/testing/test_server.hpp"
#include "services/gateway/upstream/remote_caller.hpp"

namespace ekiden::gateway::testing {

using Tcp = boost::asio::ip::tcp;

inline http::ClusterSecret cluster_secret() {
  return {.current = std::string(32, 'k'), .previous = {}};
}

/// Passes every request on, as the gateway's dispatcher does once it has admitted one.
class PassOn final : public http::Dispatcher {
 public:
  explicit PassOn(const http::Route& every) : route(every) {}
  http::Fast try_fast(const http::FastRequest& request, http::FastReply&) override {
    if (request.head.verb != http::Verb::get || !request.head.get(http::kTimeoutHeader).empty())
      return http::Fast::no;
    ++asked_shortly;
    const auto call = caller->prepare(route, request, std::nullopt, [this](int) { ++answered_shortly; });
    http::Headers drawn;
    drawn.add("RateLimit", "\"read\";r=7;t=1");
    if (call && call->send(drawn)) return http::Fast::taken;
    if (call) request.open->set_drawn(std::move(drawn));
    return http::Fast::no;
  }
  runtime::Task<http::Admission> admit(http::Request& request) override {
    if (auto upgrade = caller->upgrade(route, request)) co_return *std::move(upgrade);
    const bool has_body = request.verb == http::Verb::post;
    co_return http::Admitted{
        .route = &route, .body = has_body ? route.body : http::BodyPolicy::none(), .passes = true};
  }
  runtime::Task<http::Response> handle(const http::Route& every, http::Request request) override {
    const std::string id = request.request_id;
    const http::Headers drawn = request.answer_headers;
    Result<http::Response> answer = co_await caller->call(every, std::move(request));
    http::Response response = answer ? *std::move(answer) : http::problem(answer.error(), id);
    for (const auto& [name, value] : drawn.all()) response.headers.set(name, value);
    co_return response;
  }

  const http::Route& route;
  RemoteCaller* caller = nullptr;
  std::atomic<int> asked_shortly = 0;     ///< requests that might go without a coroutine
  std::atomic<int> answered_shortly = 0;  ///< that did
};

/// A gateway's server whose every request goes to the processes at `ports`.
class Gateway {
 public:
  explicit Gateway(const std::vector<std::uint16_t>& ports, UpstreamConfig config = quick())
      : Gateway(addresses_of(ports), std::move(config)) {}
  Gateway(std::vector<std::string> addresses, UpstreamConfig config) {
    config.addresses["echo"] = std::move(addresses);
    caller_ = std::make_unique<RemoteCaller>(std::move(config), server_.loops(), signer_, server_.clock,
                                             random_, Logger{server_.sink, server_.clock}, metrics_);
    pass_on_.caller = caller_.get();
    const Result<void> added = caller_->add("echo", {&route_});
    if (!added) throw std::runtime_error(added.error().text());
  }
  ~Gateway() {
    caller_->stop();
    server_.stop();
  }

  static UpstreamConfig quick() {
    UpstreamConfig config;
    config.tick = std::chrono::milliseconds{1};
    config.check_every = std::chrono::milliseconds{5};
    return config;
  }
  static std::string address_of(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
  static std::vector<std::string> addresses_of(const std::vector<std::uint16_t>& ports) {
    std::vector<std::string> addresses;
    for (const std::uint16_t port : ports) addresses.push_back(address_of(port));
    return addresses;
  }

  std::uint16_t port() const { return server_.port(); }
  http::testing::TestServer& server() { return server_; }
  RemoteCaller& caller() { return *caller_; }
  /// One request on a connection of its own.
  http::testing::RawClient::Answer call(const std::string& bytes) {
    http::testing::RawClient client{port()};
    return client.call(bytes);
  }
  int asked_shortly() const { return pass_on_.asked_shortly; }
  int answered_shortly() const { return pass_on_.answered_shortly; }
  std::string metrics() const { return metrics_.serialize(); }

 private:
  http::Route route_{.verb = http::Verb::post,
                     .pattern = "/",
                     .handler = {},
                     .body = http::BodyPolicy::json(256 * 1024 * 1024),
                     .idempotent = http::Idempotent::yes,
                     .websocket = true};
  runtime::Metrics metrics_;
  ekiden::testing::SeededRandom random_{11};
  const http::CallSigner signer_{cluster_secret()};
  PassOn pass_on_{route_};
  http::testing::TestServer server_{pass_on_};
  std::unique_ptr<RemoteCaller> caller_;
};

/// A process that does with its connections what the test says, one after another, on a thread.
class ScriptedProcess {
 public:
  using Script = std::function<void(Tcp::socket&)>;
  explicit ScriptedProcess(std::vector<Script> scripts)
      : acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this, scripts = std::move(scripts)] {
          for (const Script& script : scripts) {
            boost::system::error_code failed;
            Tcp::socket socket = acceptor_.accept(failed);
            if (failed) return;
            script(socket);
          }
        }) {}
  ~ScriptedProcess() {
    // Whoever still waits to be connected to is let go.
    boost::system::error_code ignored;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
    acceptor_.close(ignored);
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// Reads a head; empty where the connection ended.
  static std::string read_head(Tcp::socket& socket) {
    std::string input;
    boost::system::error_code failed;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(input), "\r\n\r\n", failed);
    return failed ? std::string{} : input;
  }
  static void write(Tcp::socket& socket, std::string_view text) {
    boost::system::error_code failed;
    boost::asio::write(socket, boost::asio::buffer(text.data(), text.size()), failed);
  }
  /// True where the other side closes without a word.
  static bool is_closed(Tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code failed;
    socket.read_some(boost::asio::buffer(&byte, 1), failed);
    return failed.failed();
  }
  /// Takes one request and answers it with these bytes.
  static Script answers(std::string bytes) {
    return [bytes = std::move(bytes)](Tcp::socket& socket) {
      read_head(socket);
      write(socket, bytes);
    };
  }

 private:
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  std::thread thread_;
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

constexpr std::string_view kOkAndClose =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// A port on which nobody listens.
inline std::uint16_t closed_port() {
  boost::asio::io_context context;
  const Tcp::acceptor acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

}  // namespace ekiden::gateway::testing
