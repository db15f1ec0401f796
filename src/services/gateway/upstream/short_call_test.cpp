#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/upstream/testing/cluster.hpp"

// GETs on kept connections, which go without a coroutine, and what takes the long way after all.
namespace ekiden::gateway {
namespace {

using http::testing::Echo;
using http::testing::get;
using http::testing::RawClient;
using http::testing::TestServer;
using testing::Gateway;
using ::testing::HasSubstr;
using testing::kOk;
using ::testing::Not;
using testing::ScriptedProcess;
using testing::Tcp;

/// Answers the requests of one connection with these, and keeps their heads.
ScriptedProcess::Script answers_all(std::vector<std::string> answers, std::vector<std::string>& seen) {
  return [answers = std::move(answers), &seen](Tcp::socket& socket) {
    for (const std::string& answer : answers) {
      seen.push_back(ScriptedProcess::read_head(socket));
      ScriptedProcess::write(socket, answer);
    }
  };
}

TEST(ShortCall, SaysWhatTheLongWaySays) {
  std::vector<std::string> seen;
  const std::string answer =
      "HTTP/1.1 404 Not Found\r\nETag: \"7\"\r\nDate: x\r\nServer: y\r\nX-Hop: 1\r\nConnection: x-hop\r\n"
      "Content-Length: 5\r\n\r\nhello";
  ScriptedProcess process{{answers_all({answer, answer}, seen)}};
  Gateway gateway{{process.port()}};
  const std::string request =
      get("/a?b=c",
          "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
          "Authorization: Bearer secret\r\nX-User-Id: forged\r\nX-Internal-Caller: forged\r\n"
          "X-Request-Id: 0190b1e0-0000-7000-8000-000000000001\r\nConnection: X-Mine\r\nX-Mine: 1\r\n"
          "X-Kept: 2\r\n");
  RawClient client{gateway.port()};
  const auto by_long = client.call(request);
  EXPECT_EQ(gateway.answered_shortly(), 0);
  const auto by_short = client.call(request);
  EXPECT_EQ(gateway.answered_shortly(), 1);
  for (const auto& each : {by_long, by_short}) {
    EXPECT_EQ(each.status, 404);
    EXPECT_EQ(each.body, "hello");
    EXPECT_EQ(each.header("ETag"), "\"7\"");
    EXPECT_EQ(each.header("RateLimit"), "\"read\";r=7;t=1");
    EXPECT_EQ(each.header("X-Hop"), "");
    EXPECT_EQ(each.header("Server"), "ekiden");
  }
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[1], HasSubstr("X-Request-Id: " + by_short.header("X-Request-Id") + "\r\n"));
  EXPECT_THAT(seen[1], HasSubstr("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  for (const std::string& head : seen) {
    for (const char* said : {"GET /a?b=c HTTP/1.1\r\n", "X-Kept: 2\r\n", "Ekiden-Timeout-Ms: "})
      EXPECT_THAT(head, HasSubstr(said));
    for (const char* hidden : {"00f067aa0ba902b7", "secret", "forged", "X-Mine", "0190b1e0"})
      EXPECT_THAT(head, Not(HasSubstr(hidden)));
  }
  EXPECT_THAT(gateway.metrics(), HasSubstr("outcome=\"answered\",service=\"echo\"} 2"));
}

TEST(ShortCall, AnswersThatComeInPiecesArePutTogether) {
  ScriptedProcess process{{[](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, kOk);
    ScriptedProcess::read_head(socket);
    for (const char* piece :
         {"HTTP/1.1 103 Early\r\n", "\r\nHTTP/1.1 200", " OK\r\nContent-", "Length: 6\r\n\r\n", "abc", "def"})
      ScriptedProcess::write(socket, piece);
  }}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/")).body, "ok");
  EXPECT_EQ(client.call(get("/")).body, "abcdef");
  EXPECT_EQ(gateway.answered_shortly(), 1);
}

TEST(ShortCall, LargeAnswersAndUnknownSizesPassThrough) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/fast")).status, 200);
  EXPECT_EQ(client.call(get("/stream")).body.size(), 300'000U);
  EXPECT_EQ(client.call(get("/sized")).body.size(), 300'000U);
  EXPECT_EQ(client.call(get("/refused")).status, 401);
  EXPECT_EQ(gateway.answered_shortly(), 3);
  EXPECT_EQ(process.figures().accepted, 1);
}

TEST(ShortCall, PipelinedRequestsAreAnsweredInOrder) {
  Echo echo;
  TestServer process{echo};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/fast")).status, 200);
  ASSERT_TRUE(client.send(get("/fast") + get("/refused") + get("/fast", "Connection: close\r\n")));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 401);
  const auto last = client.receive();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_EQ(gateway.answered_shortly(), 3);
}

TEST(ShortCall, TheServerCompressesWhatTheProcessHasNot) {
  const std::string body(5'000, 'a');
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n" + body;
  std::vector<std::string> seen;
  ScriptedProcess process{{answers_all({answer, answer, answer}, seen)}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/")).body, body);
  EXPECT_EQ(client.call(get("/")).body, body);
  const auto packed = client.call(get("/", "Accept-Encoding: gzip\r\n"));
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("RateLimit"), "\"read\";r=7;t=1");
  EXPECT_LT(packed.body.size(), 200U);
  EXPECT_EQ(gateway.answered_shortly(), 2);
}

TEST(ShortCall, ABreakBeforeTheAnswerIsRepeatedTheLongWay) {
  std::vector<std::string> seen;
  ScriptedProcess process{{[](Tcp::socket& socket) {
                             ScriptedProcess::read_head(socket);
                             ScriptedProcess::write(socket, kOk);
                             ScriptedProcess::read_head(socket);
                           },
                           answers_all({std::string(kOk)}, seen)}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/1")).body, "ok");
  const auto repeated = client.call(get("/2"));
  EXPECT_EQ(repeated.body, "ok");
  EXPECT_EQ(repeated.header("RateLimit"), "\"read\";r=7;t=1");
  EXPECT_EQ(gateway.answered_shortly(), 0);
  EXPECT_EQ(gateway.asked_shortly(), 2);
  EXPECT_THAT(gateway.metrics(), HasSubstr("ekiden_upstream_retries_total{service=\"echo\"} 1"));
}

TEST(ShortCall, WithoutRetriesABreakIs502) {
  ScriptedProcess process{{[](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, kOk);
    ScriptedProcess::read_head(socket);
  }}};
  UpstreamConfig config = Gateway::quick();
  config.retry_ratio = 0;
  config.retry_reserve = 0;
  Gateway gateway{{process.port()}, std::move(config)};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/1")).body, "ok");
  const auto broken = client.call(get("/2"));
  EXPECT_EQ(broken.status, 502);
  EXPECT_THAT(broken.body, HasSubstr("urn:ekiden:upstream-broken"));
  EXPECT_THAT(broken.body, HasSubstr(broken.header("X-Request-Id")));
  EXPECT_EQ(gateway.answered_shortly(), 1);
}

TEST(ShortCall, HalfAnAnswerAndNonsenseAre502) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK\r\nConte", "nonsense\r\n\r\n"}) {
    ScriptedProcess process{{[bytes](Tcp::socket& socket) {
      ScriptedProcess::read_head(socket);
      ScriptedProcess::write(socket, kOk);
      ScriptedProcess::read_head(socket);
      ScriptedProcess::write(socket, bytes);
    }}};
    Gateway gateway{{process.port()}};
    RawClient client{gateway.port()};
    EXPECT_EQ(client.call(get("/1")).body, "ok");
    EXPECT_EQ(client.call(get("/2")).status, 502) << bytes;
    EXPECT_EQ(gateway.answered_shortly(), 1);
  }
}

TEST(ShortCall, AProcessThatDoesNotAnswerCostsTheDeadline) {
  std::latch asked{1};
  ScriptedProcess process{{[&asked](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, kOk);
    ScriptedProcess::read_head(socket);
    asked.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
  }}};
  Gateway gateway{{process.port()}};
  RawClient client{gateway.port()};
  EXPECT_EQ(client.call(get("/1")).body, "ok");
  ASSERT_TRUE(client.send(get("/2")));
  asked.wait();
  gateway.server().clock.advance(std::chrono::seconds{10});
  const auto late = client.receive();
  EXPECT_EQ(late.status, 504);
  EXPECT_THAT(late.body, HasSubstr("urn:ekiden:upstream-timeout"));
}

TEST(ShortCall, WorkEndsWhenTheClientHasGone) {
  std::latch asked{1};
  std::latch closed{1};
  ScriptedProcess process{{[&](Tcp::socket& socket) {
    ScriptedProcess::read_head(socket);
    ScriptedProcess::write(socket, kOk);
    ScriptedProcess::read_head(socket);
    asked.count_down();
    EXPECT_TRUE(ScriptedProcess::is_closed(socket));
    closed.count_down();
  }}};
  Gateway gateway{{process.port()}};
  {
    RawClient client{gateway.port()};
    EXPECT_EQ(client.call(get("/1")).body, "ok");
    ASSERT_TRUE(client.send(get("/2")));
    asked.wait();
  }
  // It is asked a second after it was seen first: by two looks.
  while (!closed.try_wait()) gateway.server().clock.advance(std::chrono::milliseconds{600});
  EXPECT_EQ(gateway.answered_shortly(), 1);
}

}  // namespace
}  // namespace ekiden::gateway
