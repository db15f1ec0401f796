#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/upstream/testing/cluster.hpp"

// What a gateway makes of processes that fail: each fault is one that a real one shows.
namespace ekiden::gateway {
namespace {

using http::testing::Echo;
using http::testing::get;
using http::testing::post;
using http::testing::RawClient;
using http::testing::TestServer;
using testing::closed_port;
using testing::Gateway;
using ::testing::HasSubstr;
using testing::kOk;
using testing::kOkAndClose;
using testing::ScriptedProcess;
using testing::Tcp;

/// Takes a request and hangs up without a word.
void hang_up(Tcp::socket& socket) {
  ScriptedProcess::read_head(socket);
}

std::string keyed(const std::string& body) {
  return post("/", body, "Idempotency-Key: k1\r\n");
}

TEST(RemoteFaults, AnEndpointThatRefusesIsPassedOverForEveryVerb) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{closed_port(), process.port()}};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(gateway.call(get("/fast")).status, 200);
    EXPECT_EQ(gateway.call(post("/json", "[1]")).status, 200);
  }
}

TEST(RemoteFaults, ALargeBodyThatNobodyHasReadYetMayStillGoElsewhere) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{closed_port(), process.port()}};
  const std::string large = "\"" + std::string(1'000'000, 'a') + "\"";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gateway.call(post("/large", large)).body, large);
}

TEST(RemoteFaults, WhereNobodyListensTheAnswerIs503) {
  Gateway gateway{{closed_port()}};
  const auto answer = gateway.call(get("/"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_THAT(answer.body, HasSubstr("urn:ekiden:upstream-unreachable"));
  // After five failures in a row it is not even asked any more.
  EXPECT_EQ(gateway.call(get("/")).status, 503);
  EXPECT_THAT(gateway.call(get("/")).body, HasSubstr("urn:ekiden:service-unreachable"));
  EXPECT_FALSE(gateway.caller().is_reachable("echo"));
}

TEST(RemoteFaults, ABreakBeforeTheAnswerIsRepeatedWhereThatIsHarmless) {
  ScriptedProcess process{{hang_up, ScriptedProcess::answers(std::string(kOkAndClose)), hang_up,
                           ScriptedProcess::answers(std::string(kOkAndClose)), hang_up}};
  Gateway gateway{{process.port()}};
  EXPECT_EQ(gateway.call(get("/")).body, "ok");
  EXPECT_EQ(gateway.call(keyed("{}")).body, "ok");
  const auto broken = gateway.call(post("/", "{}"));
  EXPECT_EQ(broken.status, 502);
  EXPECT_THAT(broken.body, HasSubstr("urn:ekiden:upstream-broken"));
  EXPECT_THAT(gateway.metrics(), HasSubstr("ekiden_upstream_retries_total{service=\"echo\"} 2"));
}

TEST(RemoteFaults, RetriesEndWithTheirBudget) {
  UpstreamConfig config = Gateway::quick();
  config.retry_reserve = 1;
  config.retry_ratio = 0;
  config.circuit.failures_max = 100;
  ScriptedProcess process{{hang_up, ScriptedProcess::answers(std::string(kOkAndClose)), hang_up}};
  Gateway gateway{{process.port()}, config};
  EXPECT_EQ(gateway.call(get("/")).status, 200);
  EXPECT_EQ(gateway.call(get("/")).status, 502);
}

TEST(RemoteFaults, HalfAnAnswerIsNeverRepeated) {
  for (const char* half :
       {"HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}) {
    ScriptedProcess process{{ScriptedProcess::answers(half)}};
    Gateway gateway{{process.port()}};
    EXPECT_EQ(gateway.call(get("/")).status, 502) << half;
  }
}

TEST(RemoteFaults, ABodyThatBreaksOffBreaksOffVisibly) {
  for (const std::string framing : {"Content-Length: 1000000", "Transfer-Encoding: chunked"}) {
    ScriptedProcess process{
        {ScriptedProcess::answers("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n3\r\nabc\r\n")}};
    Gateway gateway{{process.port()}};
    RawClient client{gateway.port()};
    ASSERT_TRUE(client.send(get("/")));
    const std::string all = client.receive_all();
    EXPECT_THAT(all, HasSubstr("200 OK"));
    EXPECT_THAT(all, ::testing::Not(HasSubstr("\r\n0\r\n\r\n")));
    EXPECT_LT(all.size(), 1000U);
  }
}

TEST(RemoteFaults, WhatCannotBeReadAsAnAnswerIs502) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH\r\n\r\n"), start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        start + "X: " + std::string(9000, 'a') + "\r\n\r\n", start + "A:b\n\n",
        start + std::string(40'000, 'h')}) {
    ScriptedProcess process{{ScriptedProcess::answers(bytes)}};
    Gateway gateway{{process.port()}};
    EXPECT_EQ(gateway.call(get("/")).status, 502) << bytes.substr(0, 60);
  }
}

TEST(RemoteFaults, AHangingProcessCostsTheDeadlineAndNoMore) {
  std::latch asked{1};
  ScriptedProcess process{{[&asked](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    asked.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
  }}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  ASSERT_TRUE(client.send(get("/", "Ekiden-Timeout-Ms: 5000\r\n")));
  asked.wait();
  gateway.server().clock.advance(std::chrono::seconds{6});
  const auto answer = client.receive();
  EXPECT_EQ(answer.status, 504);
  EXPECT_THAT(answer.body, HasSubstr("urn:ekiden:upstream-timeout"));
  // A short deadline is the client's own: nothing is held against the process.
  EXPECT_TRUE(gateway.caller().is_reachable("echo"));
}

TEST(RemoteFaults, AnAnswerThatTricklesEndsAtTheDeadline) {
  std::latch begun{1};
  ScriptedProcess process{{[&begun](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, "HTTP/1.1 200 OK\r\n");
    begun.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
  }}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  ASSERT_TRUE(client.send(get("/", "Ekiden-Timeout-Ms: 5000\r\n")));
  begun.wait();
  gateway.server().clock.advance(std::chrono::seconds{6});
  EXPECT_EQ(client.receive().status, 504);
}

TEST(RemoteFaults, ABodyThatStandsStillIsGivenUp) {
  std::latch begun{1};
  ScriptedProcess process{{[&begun](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    begun.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
  }}};
  Gateway gateway{{process.port()}};
  boost::asio::io_context context;
  Tcp::socket client{context};
  client.connect({boost::asio::ip::make_address("127.0.0.1"), gateway.port()});
  ScriptedProcess::write(client, get("/"));
  std::string input;
  boost::asio::read_until(client, boost::asio::dynamic_buffer(input), "abc");
  begun.wait();
  client.non_blocking(true);
  boost::system::error_code failed;
  while (!failed || failed == boost::asio::error::would_block) {
    // Whenever the gateway asks for the next piece: the minute that it waits passes then.
    gateway.server().clock.advance(std::chrono::seconds{61});
    std::this_thread::yield();
    char byte = 0;
    client.read_some(boost::asio::buffer(&byte, 1), failed);
  }
}

TEST(RemoteFaults, AKeptConnectionThatWasClosedIsReplaced) {
  std::latch closed{1};
  ScriptedProcess process{{[&closed](Tcp::socket& socket) {
                             ScriptedProcess::read_head(socket);
                             ScriptedProcess::write(socket, kOk);
                             socket.close();
                             closed.count_down();
                           },
                           ScriptedProcess::answers(std::string(kOk))}};
  Gateway gateway{{process.port()}};
  EXPECT_EQ(gateway.call(get("/")).body, "ok");
  closed.wait();
  // That shows before anything is written.
  EXPECT_EQ(gateway.call(post("/", "{}")).body, "ok");
}

TEST(RemoteFaults, WorkEndsWhenTheClientHasGone) {
  std::latch asked{1};
  std::latch ended{1};
  ScriptedProcess process{{[&](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    asked.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
    ended.count_down();
  }}};
  Gateway gateway{{process.port()}};
  {
    RawClient client{gateway.port()};
    ASSERT_TRUE(client.send(get("/")));
    asked.wait();
  }
  // Once the clock has moved twice, each time seen by a tick, the client is looked for.
  while (!ended.try_wait()) {
    gateway.server().clock.advance(std::chrono::milliseconds{600});
    std::this_thread::yield();
  }
}

TEST(RemoteFaults, BeyondItsBoundsItRefusesWith503) {
  UpstreamConfig config = Gateway::quick();
  config.connections_max = 1;
  config.waiting_max = 1;
  std::latch asked{1};
  std::latch go_on{1};
  ScriptedProcess process{{[&](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    asked.count_down();
    go_on.wait();
    ScriptedProcess::write(socket, kOk);
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, kOk);
  }}};
  Gateway gateway{{process.port()}, config};
  RawClient first{gateway.port()};
  ASSERT_TRUE(first.send(get("/1")));
  asked.wait();
  RawClient second{gateway.port()};
  RawClient third{gateway.port()};
  ASSERT_TRUE(second.send(get("/2")));
  while (gateway.server().figures().in_flight < 2) std::this_thread::yield();
  ASSERT_TRUE(third.send(get("/3")));
  // One of the two waits, the other is refused: whichever came second.
  while (gateway.server().figures().by_class[5] < 1) std::this_thread::yield();
  go_on.count_down();
  EXPECT_EQ(first.receive().body, "ok");
  const auto one = second.receive();
  const auto other = third.receive();
  EXPECT_EQ(one.status + other.status, 200 + 503);
  const auto& refused = one.status == 503 ? one : other;
  EXPECT_THAT(refused.body, HasSubstr("urn:ekiden:upstream-busy"));
  EXPECT_EQ(refused.header("Retry-After"), "1");
}

/// Ready or not, as the test says; counts what else it is asked.
class Drainable final : public http::Dispatcher {
 public:
  runtime::Task<http::Admission> admit(http::Request& request) override {
    if (request.path == "/readyz") co_return http::Response::json(ready ? 200 : 503, "{}");
    ++asked;
    co_return http::Response::json(200, "{}");
  }
  runtime::Task<http::Response> handle(const http::Route&, http::Request) override {
    co_return http::Response::no_content();
  }
  std::atomic<bool> ready = true;
  std::atomic<int> asked = 0;
};

TEST(RemoteFaults, AProcessThatIsNotReadyIsLeftAloneUntilItIs) {
  Drainable first;
  Drainable second;
  TestServer one{first};
  TestServer other{second};
  Gateway gateway{{one.port(), other.port()}};
  gateway.caller().start();
  const auto ask_until = [&gateway](const std::atomic<int>& asked) {
    const int before = asked;
    while (asked == before) EXPECT_EQ(gateway.call(get("/")).status, 200);
  };
  ask_until(first.asked);
  ask_until(second.asked);
  first.ready = false;
  while (gateway.server().sink.lines().find("not_ready") == std::string::npos) std::this_thread::yield();
  const int before = first.asked;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(gateway.call(get("/")).status, 200);
  EXPECT_EQ(first.asked, before);
  first.ready = true;
  ask_until(first.asked);
}

TEST(RemoteFaults, ARollingRestartAnswersNoError) {
  Drainable first;
  Drainable second;
  auto one = std::make_unique<TestServer>(first);
  TestServer other{second};
  Gateway gateway{{one->port(), other.port()}};
  gateway.caller().start();
  std::atomic<bool> is_over = false;
  std::atomic<int> errors = 0;
  std::thread load{[&] {
    RawClient client{gateway.port()};
    for (int i = 0; !is_over; ++i) {
      if (client.call(i % 2 == 0 ? get("/") : post("/", "{}")).status != 200) ++errors;
    }
  }};
  while (first.asked < 50 || second.asked < 50) std::this_thread::yield();
  // As a service does on SIGTERM: it says that it is not ready, answers what still comes with `close`, and
  // stops only when the gateways have had the time to see that.
  first.ready = false;
  one->server().send_away();
  while (gateway.server().sink.lines().find("not_ready") == std::string::npos) std::this_thread::yield();
  // The load is one client: once it has been answered elsewhere, nothing of it is under way here.
  int so_far = second.asked;
  while (second.asked < so_far + 2) std::this_thread::yield();
  one.reset();
  so_far = second.asked;
  while (second.asked < so_far + 100) std::this_thread::yield();
  is_over = true;
  load.join();
  EXPECT_EQ(errors, 0);
}

}  // namespace
}  // namespace ekiden::gateway
