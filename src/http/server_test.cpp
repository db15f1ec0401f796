// The server over loopback, byte by byte: what it refuses, how it frames, when it closes. Time is the test's
// own.
#include "http/server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "base/testing/kept_spans.hpp"
#include "http/gzip.hpp"
#include "http/testing/echo.hpp"
#include "http/testing/raw_client.hpp"
#include "http/testing/test_server.hpp"

namespace ekiden::http {
namespace {

using testing::Echo;
using testing::get;
using testing::post;
using testing::RawClient;
using testing::TestServer;

class ServerTest : public ::testing::Test {
 protected:
  Echo echo;
};

TEST_F(ServerTest, AnswersFastAndSlowOverOneConnection) {
  TestServer server{echo};
  RawClient client{server.port()};
  for (int i = 0; i < 3; ++i) {
    const RawClient::Answer fast = client.call(get("/fast"));
    EXPECT_EQ(fast.status, 200);
    EXPECT_EQ(fast.body, R"({"fast":true})");
    EXPECT_EQ(fast.header("server"), "ekiden");
    EXPECT_EQ(fast.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(fast.header("content-type"), "application/json");
    EXPECT_EQ(fast.header("x-request-id").size(), 36U);
    EXPECT_EQ(fast.header("access-control-allow-origin"), "");
    EXPECT_TRUE(fast.header("date").ends_with("GMT"));
    const RawClient::Answer slow = client.call(post("/json", R"({"a":1})"));
    EXPECT_EQ(slow.status, 200);
    EXPECT_EQ(slow.body, R"({"a":1})");
    EXPECT_NE(slow.header("x-request-id"), fast.header("x-request-id"));
  }
  const ServerFigures figures = server.figures();
  EXPECT_EQ(figures.accepted, 1);
  EXPECT_EQ(figures.fast_answers, 3);
  EXPECT_EQ(figures.by_class[2], 6);
}

/// What a broken request gets, and that the connection ends with it.
struct Refused {
  std::string request;
  int status;
  std::string slug;
};

TEST_F(ServerTest, RefusesBrokenFramingAndCloses) {
  TestServer server{echo};
  const std::string start = "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 64; ++i) many += "A: b\r\n";
  const std::vector<Refused> cases{
      {start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad-framing"},
      {start + "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 501, "bad-framing"},
      {start + "Transfer-Encoding: chunked, identity\r\n\r\n", 400, "bad-framing"},
      {start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400, "bad-framing"},
      {start + "Content-Length: +1\r\n\r\n1", 400, "bad-framing"},
      {start + "Content-Length: -1\r\n\r\n", 400, "bad-framing"},
      {start + "Content-Length: 0x1\r\n\r\n1", 400, "bad-framing"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad-host"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "bad-host"},
      {"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", 421, "misdirected"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400, "bad-header"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "bad-header"},
      {std::string("GET / HTTP/1.1\r\nHost: a\r\nA: ") + '\0' + "\r\n\r\n", 400, "bad-header"},
      {"GET / HTTP/1.1\nHost: a\n\n", 400, "bad-header"},
      {start + "Transfer-Encoding: chunked\r\n\r\n2;x=" + std::string(4096, 'y') + "\r\n{}\r\n0\r\n\r\n", 400,
       "bad-header"},
      {start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, "bad-framing"},
      {start + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", 400, "bad-framing"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(9 * 1024, 'x') + "\r\n\r\n", 431,
       "headers-too-large"},
      {many + "\r\n", 431, "headers-too-large"},
      {"GET /" + std::string(9 * 1024, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri-too-long"},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method-not-allowed"},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method-not-allowed"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method-not-allowed"},
  };
  for (const Refused& each : cases) {
    RawClient client{server.port()};
    const RawClient::Answer answer = client.call(each.request);
    const std::string sample = each.request.substr(0, 120);
    EXPECT_EQ(answer.status, each.status) << sample;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json") << sample;
    EXPECT_NE(answer.body.find("\"urn:ekiden:" + each.slug + "\""), std::string::npos)
        << sample << answer.body;
    EXPECT_NE(answer.body.find(answer.header("x-request-id")), std::string::npos) << sample;
    EXPECT_EQ(answer.header("connection"), "close") << sample;
    EXPECT_EQ(answer.header("allow").empty(), each.status != 405) << sample;
    client.finish_sending();
    EXPECT_TRUE(client.is_closed_by_server()) << sample;
  }
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(ServerTest, RefusesPathsRatherThanNormalisingThem) {
  TestServer server{echo};
  RawClient client{server.port()};
  for (const char* path : {"/v1/../admin", "/%2e%2e%2fadmin", "//", "/%00", "/a\\b", "/%zz", "/%ff"}) {
    const RawClient::Answer answer = client.call(get(path));
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_NE(answer.body.find("bad-path"), std::string::npos) << path;
  }
  EXPECT_EQ(echo.admitted, 0);
}

TEST_F(ServerTest, TakesAndRefusesBodiesByTheirHeaders) {
  TestServer server{echo};
  const auto status = [&server](const std::string& request) {
    RawClient client{server.port()};
    return client.call(request).status;
  };
  const std::string start = "POST /json HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status(start + "Content-Length: 2\r\n\r\n{}"), 415);
  EXPECT_EQ(status(start + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 415);
  EXPECT_EQ(
      status(
          start +
          "Content-Type: application/json\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
      415);
  EXPECT_EQ(status(start + "Content-Type: application/json; charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}"),
            200);
  EXPECT_EQ(status(start + "Content-Type: application/json; charset=latin1\r\nContent-Length: 2\r\n\r\n{}"),
            415);
  EXPECT_EQ(status(post("/json", std::string(1000, 'x'))), 200);
  EXPECT_EQ(status(post("/json", std::string(1001, 'x'))), 413);
  EXPECT_EQ(status(post("/none", "{}")), 413);
  EXPECT_EQ(status(post("/json", "{}", "Content-Encoding: br\r\n")), 415);
  EXPECT_EQ(status(post("/json", "{}", "Content-Encoding: gzip, gzip\r\n")), 415);
  EXPECT_EQ(status(post("/json", "{}", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")), 415);
  EXPECT_EQ(status(start + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" +
                   std::string(1001, 'x') + "\r\n0\r\n\r\n"),
            413);
}

TEST_F(ServerTest, ReadsChunksHoweverTheyAreCut) {
  TestServer server{echo};
  const std::string request =
      "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\n[1,\r\n2\r\n2]\r\n0\r\nTrailer: dropped\r\n\r\n" +
      get("/fast");
  RawClient whole{server.port()};
  EXPECT_EQ(whole.call(request).body, "[1,2]");
  EXPECT_EQ(whole.receive().body, R"({"fast":true})");
  RawClient cut{server.port()};
  for (const char byte : request) cut.send(std::string_view(&byte, 1));
  EXPECT_EQ(cut.receive().body, "[1,2]");
  EXPECT_EQ(cut.receive().body, R"({"fast":true})");
}

TEST_F(ServerTest, InflatesBodiesUpToTheCap) {
  TestServer server{echo};
  Deflater deflater;
  RawClient client{server.port()};
  const std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(client.call(post("/json", deflater.gzip("{\"a\":1}"), gzip)).body, "{\"a\":1}");
  const std::string packed = deflater.gzip("{\"a\":1}");
  const RawClient::Answer twice = client.call(post("/json", deflater.gzip(packed), gzip));
  EXPECT_EQ(twice.status, 415);
  RawClient bomber{server.port()};
  const std::string bomb = deflater.gzip(std::string(64 * 1024 * 1024, '\0'));
  const RawClient::Answer refused = bomber.call(post("/large", bomb, gzip));
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("decompressed-too-large"), std::string::npos);
  RawClient damaged{server.port()};
  EXPECT_EQ(damaged.call(post("/json", packed.substr(0, packed.size() - 3), gzip)).status, 400);
  RawClient trailing{server.port()};
  EXPECT_EQ(trailing.call(post("/json", packed + "x", gzip)).status, 400);
}

TEST_F(ServerTest, CompressesWhatIsWorthIt) {
  TestServer server{echo};
  RawClient client{server.port()};
  const RawClient::Answer packed = client.call(get("/text", "Accept-Encoding: br, gzip\r\n"));
  EXPECT_EQ(packed.header("content-encoding"), "gzip");
  EXPECT_EQ(packed.header("vary"), "Accept-Encoding");
  Inflater inflater{1'000'000};
  std::string body;
  ASSERT_TRUE(inflater.feed(packed.body, body));
  EXPECT_EQ(body, std::string(100'000, 'a'));
  const RawClient::Answer plain = client.call(get("/text", "Accept-Encoding: gzip;q=0\r\n"));
  EXPECT_EQ(plain.header("content-encoding"), "");
  EXPECT_EQ(plain.body.size(), 100'000U);
  EXPECT_EQ(client.call(get("/small", "Accept-Encoding: gzip\r\n")).header("content-encoding"), "");
}

TEST_F(ServerTest, ContinuesOnlyAfterAdmission) {
  TestServer server{echo};
  RawClient client{server.port()};
  const std::string expect =
      "HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: "
      "100-continue\r\n\r\n";
  EXPECT_EQ(client.call("POST /json " + expect).status, 100);
  EXPECT_EQ(client.call("{}").body, "{}");
  RawClient refused{server.port()};
  EXPECT_EQ(refused.call("POST /refused " + expect).status, 401);
  RawClient too_large{server.port()};
  EXPECT_EQ(too_large
                .call("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
                      "2000\r\nExpect: 100-continue\r\n\r\n")
                .status,
            413);
  RawClient other{server.port()};
  EXPECT_EQ(other.call(post("/json", "{}", "Expect: coffee\r\n")).status, 417);
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  TestServer server{echo};
  RawClient client{server.port()};
  client.send("HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n");
  const RawClient::Answer slow = client.receive(true);
  EXPECT_EQ(slow.header("content-length"), "100000");
  client.send("HEAD /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive(true).header("content-length"), "13");
  EXPECT_EQ(client.call(get("/fast")).body, R"({"fast":true})");
}

TEST_F(ServerTest, StreamsInChunksOrWithALength) {
  TestServer server{echo};
  RawClient client{server.port()};
  const std::string expected =
      std::string(100'000, '3') + std::string(100'000, '2') + std::string(100'000, '1');
  const RawClient::Answer chunked = client.call(get("/stream"));
  EXPECT_EQ(chunked.header("transfer-encoding"), "chunked");
  EXPECT_EQ(chunked.body, expected);
  const RawClient::Answer sized = client.call(get("/sized"));
  EXPECT_EQ(sized.header("content-length"), "300000");
  EXPECT_EQ(sized.body, expected);
  client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive(true).status, 200);
  EXPECT_EQ(client.call("GET /stream HTTP/1.0\r\n\r\n").body, expected);
  EXPECT_TRUE(client.is_closed_by_server());
  RawClient broken{server.port()};
  broken.send(get("/broken-stream"));
  const std::string all = broken.receive_all();
  EXPECT_NE(all.find("part"), std::string::npos);
  EXPECT_FALSE(all.ends_with("0\r\n\r\n"));
}

TEST_F(ServerTest, KeepsBugsFromTheClient) {
  TestServer server{echo};
  RawClient client{server.port()};
  for (const char* path : {"/throws", "/explodes"}) {
    const RawClient::Answer answer = client.call(get(path));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("SELECT"), std::string::npos);
    EXPECT_NE(server.sink.lines().find(answer.header("x-request-id")), std::string::npos);
  }
  EXPECT_NE(server.sink.lines().find("SELECT secret"), std::string::npos);
}

TEST_F(ServerTest, HandsUpgradesOver) {
  TestServer server{echo};
  RawClient client{server.port()};
  client.send(get("/upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n") + "early");
  EXPECT_EQ(client.receive_all(), "HTTP/1.1 101 Switching Protocols\r\n\r\nearly|/upgrade");
}

TEST_F(ServerTest, ServesPipelinedRequestsInOrderUpToItsLimit) {
  TestServer server{echo};
  RawClient client{server.port()};
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += i % 2 == 0 ? get("/fast") : post("/json", std::to_string(i));
  client.send(requests);
  client.finish_sending();
  int count = 0;
  std::string last;
  for (RawClient::Answer answer = client.receive(); answer.status != 0; answer = client.receive(), ++count) {
    EXPECT_EQ(answer.body, count % 2 == 0 ? R"({"fast":true})" : std::to_string(count));
    last = answer.header("connection");
  }
  EXPECT_EQ(count, 17);
  EXPECT_EQ(last, "close");
}

TEST_F(ServerTest, TellsWhoAsksAndDropsWhatOnlyWeMaySay) {
  TestServer server{echo};
  RawClient client{server.port()};
  const RawClient::Answer answer = client.call(
      get("/who",
          "X-Forwarded-For: 9.9.9.9\r\nX-User-Id: 1\r\nX-Internal-Role: admin\r\nX-Request-Id: evil\r\n"
          "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
  EXPECT_TRUE(answer.body.starts_with("127.0.0.1 " + answer.header("x-request-id") +
                                      " 4bf92f3577b34da6a3ce929d0e0e4736 "))
      << answer.body;
  for (const char* absent : {"X-User-Id", "X-Internal-Role", "X-Request-Id"})
    EXPECT_EQ(answer.body.find(absent), std::string::npos) << absent;
  EXPECT_NE(answer.body.find("X-Forwarded-For"), std::string::npos);
}

TEST_F(ServerTest, BelievesTrustedProxies) {
  ServerConfig config = TestServer::quick();
  const std::vector<std::string> networks{"127.0.0.0/8"};
  config.trusted_proxies = *TrustedProxies::parse(networks);
  TestServer server{echo, config};
  RawClient client{server.port()};
  const std::string id = "0190a1b2-c3d4-7e5f-8a6b-0123456789ab";
  const RawClient::Answer answer =
      client.call(get("/who", "X-Forwarded-For: 1.1.1.1, 9.9.9.9\r\nX-Request-Id: " + id + "\r\n"));
  EXPECT_TRUE(answer.body.starts_with("9.9.9.9 " + id)) << answer.body;
  EXPECT_EQ(answer.header("x-request-id"), id);
  EXPECT_TRUE(client.call(get("/who", "X-Forwarded-For: nonsense\r\n")).body.starts_with("127.0.0.1 "));
}

TEST_F(ServerTest, HonoursTheCallersDeadline) {
  TestServer server{echo};
  RawClient client{server.port()};
  EXPECT_EQ(client.call(get("/a", "Ekiden-Timeout-Ms: 0\r\n")).status, 504);
  EXPECT_EQ(client.call(get("/a", "Ekiden-Timeout-Ms: -5\r\n")).status, 400);
  EXPECT_EQ(client.call(get("/a", "Ekiden-Timeout-Ms: soon\r\n")).status, 400);
  EXPECT_EQ(echo.handled, 0);
  EXPECT_EQ(client.call(get("/a", "Ekiden-Timeout-Ms: 315360000000\r\n")).status, 200);
  EXPECT_EQ(client.call(get("/a", "Ekiden-Timeout-Ms: 99999999999999999999999\r\n")).status, 200);
}

TEST_F(ServerTest, ARequestIsAStepOfTheTraceThatItCameWith) {
  ekiden::testing::KeptSpans spans;
  ServerConfig config = TestServer::quick();
  config.spans = &spans;
  config.service = "gateway";
  TestServer server{echo, config};
  RawClient client{server.port()};
  EXPECT_EQ(client.call(get("/a")).status, 200);
  EXPECT_TRUE(spans.spans().empty()) << "without a share only what came with a sampled trace is traced";
  const std::string trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
  EXPECT_EQ(client.call(get("/explodes", trace)).status, 500);
  const std::vector<Span> kept = spans.spans();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(kept[0].context.parent_span_id, "00f067aa0ba902b7");
  EXPECT_NE(kept[0].context.span_id, "00f067aa0ba902b7");
  EXPECT_EQ(kept[0].service, "gateway");
  EXPECT_EQ(kept[0].error, "status 500");
}

}  // namespace
}  // namespace ekiden::http
