#include "services/gateway/upstream/remote_caller.hpp"

#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "services/gateway/upstream/testing/cluster.hpp"

// What passes through a gateway: real servers and sockets on loopback, and a clock that the test moves.
namespace ekiden::gateway {
namespace {

using http::testing::Echo;
using http::testing::get;
using http::testing::post;
using http::testing::RawClient;
using http::testing::TestServer;
using testing::Gateway;
using ::testing::HasSubstr;
using testing::kOk;
using ::testing::Not;
using testing::ScriptedProcess;
using testing::Tcp;

TEST(RemoteCaller, PassesARequestOnAndItsAnswerBack) {
  std::string seen;
  ScriptedProcess process{{[&seen](Tcp::socket& socket) {
    seen = ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket,
                           "HTTP/1.1 201 Created\r\nLocation: /a/7\r\nDate: x\r\nServer: y\r\nX-Hop: 1\r\n"
                           "Connection: x-hop\r\nKeep-Alive: 5\r\nContent-Length: 5\r\n\r\nhello");
  }}};
  Gateway gateway{{process.port()}};
  const auto answer =
      gateway.call(get("/a?b=c%20d",
                       "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                       "Authorization: Bearer secret\r\nX-Api-Key: eka_secret\r\nX-User-Id: forged\r\n"
                       "X-Internal-Caller: forged\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: X-Mine\r\n"
                       "X-Mine: 1\r\nX-Kept: 2\r\nTE: trailers\r\nAccept-Encoding: gzip\r\n"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Location"), "/a/7");
  EXPECT_EQ(answer.header("X-Hop"), "");
  EXPECT_EQ(answer.header("Server"), "ekiden");
  EXPECT_THAT(seen, HasSubstr("GET /a?b=c%20d HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Kept: 2\r\n"));
  EXPECT_THAT(seen, HasSubstr("Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Request-Id: " + answer.header("X-Request-Id") + "\r\n"));
  EXPECT_THAT(seen, HasSubstr("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_THAT(seen, HasSubstr("Ekiden-Timeout-Ms: "));
  for (const char* hidden :
       {"00f067aa0ba902b7", "secret", "forged", "X-Mine", "TE:", "X-Forwarded-For", "X-User-Id"})
    EXPECT_THAT(seen, Not(HasSubstr(hidden)));
  EXPECT_EQ(gateway.caller().is_reachable("echo"), true);
  EXPECT_EQ(gateway.caller().is_reachable("other"), false);
}

TEST(RemoteCaller, KeepsConnectionsForTheNextCall) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/fast")).body, R"({"fast":true})");
  EXPECT_EQ(client.call(post("/json", "[1]")).body, "[1]");
  EXPECT_EQ(client.call(get("/text")).body.size(), 100'000U);
  EXPECT_EQ(client.call(get("/stream")).body.size(), 300'000U);
  EXPECT_EQ(client.call(get("/sized")).header("Content-Length"), "300000");
  EXPECT_EQ(client.call(get("/refused")).status, 401);
  ASSERT_TRUE(client.send("HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(client.receive(true).header("Content-Length"), "100000");
  EXPECT_EQ(client.call(get("/fast")).status, 200);
  EXPECT_EQ(process.figures().accepted, 1);
}

TEST(RemoteCaller, PassesLargeBodiesBothWays) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  const std::string large = "\"" + std::string(3'000'000, 'a') + "\"";
  EXPECT_EQ(client.call(post("/large", large)).body, large);
  std::string chunked =
      "POST /large HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  for (int i = 0; i < 30; ++i) chunked += "186a0\r\n" + std::string(100'000, 'b') + "\r\n";
  const auto answer = client.call(chunked + "0\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::string(3'000'000, 'b'));
  EXPECT_EQ(process.figures().accepted, 1);
}

/// Sends on `client` until it takes no more for a while. @returns bytes taken
std::size_t send_until_full(Tcp::socket& client, std::size_t most) {
  const std::string piece(256 * 1024, 'x');
  std::size_t sent = 0;
  client.non_blocking(true);
  while (sent < most) {
    boost::system::error_code failed;
    sent += client.write_some(boost::asio::buffer(piece.data(), std::min(piece.size(), most - sent)), failed);
    if (!failed) continue;
    pollfd waiting{.fd = client.native_handle(), .events = POLLOUT, .revents = 0};
    if (::poll(&waiting, 1, 300) == 0) break;
  }
  return sent;
}

TEST(RemoteCaller, AProcessThatDoesNotReadHoldsTheClientBack) {
  constexpr std::size_t kBody = 200'000'000;
  std::latch full{1};
  std::size_t received = 0;
  ScriptedProcess process{{[&](Tcp::socket& socket) {
    received = ScriptedProcess::read_head(socket).size();
    full.wait();
    std::vector<char> buffer(1024 * 1024);
    boost::system::error_code failed;
    while (received < kBody && !failed) received += socket.read_some(boost::asio::buffer(buffer), failed);
    ScriptedProcess::write(socket, kOk);
  }}};
  Gateway gateway{{process.port()}};
  boost::asio::io_context context;
  Tcp::socket client{context};
  client.connect({boost::asio::ip::make_address("127.0.0.1"), gateway.port()});
  ScriptedProcess::write(client,
                         "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
                             std::to_string(kBody) + "\r\n\r\n");
  const std::size_t taken = send_until_full(client, kBody);
  // What the kernel holds for two connections, and two pieces of ours.
  EXPECT_LT(taken, 40'000'000U);
  full.count_down();
  client.non_blocking(false);
  ScriptedProcess::write(client, std::string(kBody - taken, 'x'));
  EXPECT_THAT(ScriptedProcess::read_head(client), HasSubstr("200 OK"));
}

/// Answers with a gigabyte, and counts how much of it was asked for.
class Gigabyte final : public http::Dispatcher {
 public:
  runtime::Task<http::Admission> admit(http::Request&) override { co_return http::Admitted{&route_, {}}; }
  runtime::Task<http::Response> handle(const http::Route&, http::Request) override {
    http::Response response;
    response.stream = [this](std::string& piece) -> Result<bool> {
      piece.assign(64 * 1024, 'g');
      return ++pulled < 16 * 1024;
    };
    co_return response;
  }
  std::atomic<int> pulled = 0;

 private:
  http::Route route_{.verb = http::Verb::get, .pattern = "/", .handler = {}};
};

TEST(RemoteCaller, AClientThatDoesNotReadHoldsTheProcessBack) {
  Gigabyte gigabyte;
  TestServer process{gigabyte};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port(), 64 * 1024};
  ASSERT_TRUE(client.send(get("/")));
  int before = -1;
  while (before != gigabyte.pulled || before == 0) {
    before = gigabyte.pulled;
    ::poll(nullptr, 0, 300);
  }
  EXPECT_LT(before, 16 * 1024 / 20);
}

TEST(RemoteCaller, PassesEventsOnAsTheyCome) {
  std::latch first_seen{1};
  ScriptedProcess process{{[&](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket,
                           "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    first_seen.wait();
    ScriptedProcess::write(socket, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
  }}};
  Gateway gateway{{process.port()}};
  boost::asio::io_context context;
  Tcp::socket client{context};
  client.connect({boost::asio::ip::make_address("127.0.0.1"), gateway.port()});
  ScriptedProcess::write(client, get("/events"));
  std::string input;
  boost::asio::read_until(client, boost::asio::dynamic_buffer(input), "data: 1\n\n\r\n");
  // The second is sent only now.
  first_seen.count_down();
  boost::asio::read_until(client, boost::asio::dynamic_buffer(input), "0\r\n\r\n");
  EXPECT_THAT(input, HasSubstr("data: 2\n\n"));
}

TEST(RemoteCaller, AnEarlyAnswerEndsAnUpload) {
  ScriptedProcess process{{ScriptedProcess::answers("HTTP/1.1 507 Full\r\nContent-Length: 4\r\n\r\nfull")}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000000"
                  "\r\n\r\nbegun"));
  const auto answer = client.receive();
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(answer.body, "full");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST(RemoteCaller, PassesAWebSocketThrough) {
  std::string handshake;
  ScriptedProcess process{{[&handshake](Tcp::socket& socket) {
    handshake = ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket,
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: abc\r\n\r\nfirst");
    std::string input;
    boost::system::error_code failed;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(input), "ping", failed);
    ScriptedProcess::write(socket, "pong");
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
  }}};
  Gateway gateway{{process.port()}};
  boost::asio::io_context context;
  Tcp::socket client{context};
  client.connect({boost::asio::ip::make_address("127.0.0.1"), gateway.port()});
  ScriptedProcess::write(client, get("/realtime",
                                     "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                                     "Sec-WebSocket-Key: k\r\nAuthorization: Bearer secret\r\n"));
  std::string input;
  boost::asio::read_until(client, boost::asio::dynamic_buffer(input), "first");
  EXPECT_THAT(input, HasSubstr("101 Switching"));
  EXPECT_THAT(input, HasSubstr("Sec-WebSocket-Accept: abc\r\n"));
  ScriptedProcess::write(client, "ping");
  boost::asio::read_until(client, boost::asio::dynamic_buffer(input), "pong");
  client.close();
  EXPECT_THAT(handshake, HasSubstr("Upgrade: websocket\r\n"));
  EXPECT_THAT(handshake, HasSubstr("X-Internal-Caller: 1|"));
  EXPECT_THAT(handshake, Not(HasSubstr("secret")));
}

TEST(RemoteCaller, AWebSocketThatIsRefusedGetsItsAnswer) {
  ScriptedProcess process{
      {ScriptedProcess::answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: origin\r\n\r\nno")}};
  Gateway gateway{{process.port()}};
  const auto answer = gateway.call(get("/realtime", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.header("X-Why"), "origin");
  EXPECT_EQ(answer.body, "no");
  Gateway lonely{{testing::closed_port()}};
  EXPECT_EQ(lonely.call(get("/realtime", "Connection: Upgrade\r\nUpgrade: websocket\r\n")).status, 503);
}

TEST(RemoteCaller, FindsProcessesByName) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{"localhost:" + std::to_string(process.port())}, Gateway::quick()};
  EXPECT_EQ(gateway.call(get("/fast")).status, 503);
  gateway.caller().start();
  while (!gateway.caller().is_reachable("echo")) std::this_thread::yield();
  EXPECT_EQ(gateway.call(get("/fast")).status, 200);
}

}  // namespace
}  // namespace ekiden::gateway
