#include "http/client.hpp"

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "http/testing/echo.hpp"
#include "http/testing/test_server.hpp"

namespace ekiden::http {
namespace {

namespace asio = boost::asio;
using testing::Echo;
using testing::TestServer;

class ClientTest : public ::testing::Test {
 protected:
  /// Runs one call to its end on the test's own loop.
  Result<ClientResponse> call(Client& client, ClientRequest request, Deadline deadline = Deadline::never()) {
    auto future = asio::co_spawn(loop, client.call(std::move(request), deadline), asio::use_future);
    loop.restart();
    loop.run();
    return future.get();
  }
  static ClientRequest get(std::string target) {
    return {.verb = Verb::get, .target = std::move(target), .headers = {}, .body = {}};
  }
  static ClientRequest post(std::string target, std::string body) {
    ClientRequest request{
        .verb = Verb::post, .target = std::move(target), .headers = {}, .body = std::move(body)};
    request.headers.add("Content-Type", "application/json");
    return request;
  }

  Echo echo;
  asio::io_context loop{1};
  const SystemClock clock;
};

TEST_F(ClientTest, CallsOverOneKeptConnection) {
  TestServer server{echo};
  Client client{loop.get_executor(), {.port = server.port(), .host = "ekiden.example"}};
  for (int i = 0; i < 3; ++i) {
    const auto fast = call(client, get("/fast"));
    ASSERT_TRUE(fast);
    EXPECT_EQ(fast->status, 200);
    EXPECT_EQ(fast->body, R"({"fast":true})");
    EXPECT_EQ(fast->headers.get("Content-Type"), "application/json");
    EXPECT_EQ(call(client, post("/json", "[1]"))->body, "[1]");
    EXPECT_EQ(call(client, get("/refused"))->status, 401);
    ClientRequest head = get("/text");
    head.verb = Verb::head;
    EXPECT_EQ(call(client, std::move(head))->headers.get("Content-Length"), "100000");
    EXPECT_EQ(call(client, get("/stream"))->body.size(), 300'000U);
  }
  EXPECT_EQ(server.figures().accepted, 1);
}

TEST_F(ClientTest, ReplacesConnectionsThatTheServerClosed) {
  TestServer server{echo};
  Client client{loop.get_executor(), {.port = server.port()}};
  EXPECT_EQ(call(client, get("/fast"))->status, 200);
  server.clock.advance(std::chrono::minutes{10});
  while (server.figures().connections > 0) std::this_thread::yield();
  EXPECT_EQ(call(client, post("/json", "[1]"))->body, "[1]");
  EXPECT_EQ(server.figures().accepted, 2);
}

/// Answers the first request of each connection, takes a second one, and closes without a word.
void serve_once_each(asio::ip::tcp::acceptor& acceptor, int connections) {
  for (int i = 0; i < connections; ++i) {
    asio::ip::tcp::socket socket = acceptor.accept();
    std::string input;
    boost::system::error_code ended;
    asio::read_until(socket, asio::dynamic_buffer(input), "\r\n\r\n", ended);
    asio::write(socket, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
                ended);
    input.clear();
    asio::read_until(socket, asio::dynamic_buffer(input), "\r\n\r\n", ended);
  }
}

TEST_F(ClientTest, RepeatsOnlyWhatIsHarmlessToRepeat) {
  asio::ip::tcp::acceptor acceptor{loop, {asio::ip::make_address("127.0.0.1"), 0}};
  std::thread server{[&acceptor] { serve_once_each(acceptor, 2); }};
  {
    Client client{loop.get_executor(), {.port = acceptor.local_endpoint().port()}};
    EXPECT_EQ(call(client, get("/"))->body, "ok");
    // The kept connection ends under this one: it is asked again on a new one.
    EXPECT_EQ(call(client, get("/"))->body, "ok");
    // So it does under this one, which may have happened.
    EXPECT_EQ(call(client, post("/", "{}")).error().slug(), "upstream-broken");
  }
  server.join();
}

TEST_F(ClientTest, TellsWhyACallFailed) {
  std::uint16_t closed_port = 0;
  {
    TestServer server{echo};
    closed_port = server.port();
    Client small{loop.get_executor(), {.port = server.port(), .body_bytes_max = 1000}};
    EXPECT_EQ(call(small, get("/text")).error().slug(), "upstream-too-large");
    Client none{loop.get_executor(), {.port = server.port(), .connections_max = 0}};
    EXPECT_EQ(call(none, get("/fast")).error().code(), Errc::busy);
    Client broken{loop.get_executor(), {.port = server.port()}};
    EXPECT_EQ(call(broken, get("/broken-stream")).error().slug(), "upstream-broken");
  }
  Client client{loop.get_executor(), {.port = closed_port}};
  EXPECT_EQ(call(client, get("/fast")).error().slug(), "upstream-unreachable");
}

TEST_F(ClientTest, GivesUpAtItsDeadline) {
  TestServer server{echo};
  Client client{loop.get_executor(), {.port = server.port()}};
  const auto late = call(client, get("/waits"), Deadline::after(clock, std::chrono::milliseconds{20}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().slug(), "upstream-timeout");
  EXPECT_EQ(late.error().code(), Errc::timeout);
  echo.gate.count_down();
}

}  // namespace
}  // namespace ekiden::http
