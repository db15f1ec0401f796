// What happens when time passes: slow heads, slow bodies, unread answers, idle connections, draining. The
// clock is moved by the test; every wait is for bytes or for the end of a connection.
#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "http/server.hpp"
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
using namespace std::chrono_literals;

/// Waits until the server has read what was sent: only then may the clock move.
void wait_for_bytes(const TestServer& server, std::int64_t bytes) {
  while (server.figures().bytes_in < bytes) std::this_thread::yield();
}

class ServerTime : public ::testing::Test {
 protected:
  Echo echo;
};

TEST_F(ServerTime, GivesHeadersFiveSecondsInAll) {
  TestServer server{echo};
  RawClient client{server.port()};
  std::string_view slow = "GET /fast";
  for (const char byte : slow.substr(0, 4)) {
    client.send(std::string_view(&byte, 1));
    wait_for_bytes(server, server.figures().bytes_in);
  }
  wait_for_bytes(server, 4);
  server.clock.advance(4'999ms);
  client.send(slow.substr(4));
  wait_for_bytes(server, 9);
  server.clock.advance(1ms);
  const RawClient::Answer answer = client.receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_NE(answer.body.find("request-timeout"), std::string::npos);
  client.finish_sending();
  EXPECT_TRUE(client.is_closed_by_server());
  EXPECT_EQ(server.figures().timeouts, 1);
}

TEST_F(ServerTime, ClosesConnectionsThatSayNothing) {
  TestServer server{echo};
  RawClient fresh{server.port()};
  RawClient used{server.port()};
  EXPECT_EQ(used.call(get("/fast")).status, 200);
  while (server.figures().connections < 2) std::this_thread::yield();
  server.clock.advance(5'000ms);
  EXPECT_TRUE(fresh.is_closed_by_server());
  EXPECT_EQ(used.call(get("/fast")).status, 200);
  server.clock.advance(76'000ms);
  EXPECT_TRUE(used.is_closed_by_server());
}

TEST_F(ServerTime, RefusesBodiesThatTrickle) {
  TestServer server{echo};
  RawClient client{server.port()};
  const std::string head =
      "POST /large HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
      "Expect: 100-continue\r\n\r\n";
  EXPECT_EQ(client.call(head).status, 100);
  // Ten seconds of patience, two more for each 1,000 bytes, never ten without a byte.
  std::int64_t sent = static_cast<std::int64_t>(head.size());
  for (int i = 0; i < 5; ++i) {
    client.send(std::string(100, ' '));
    wait_for_bytes(server, sent += 100);
    server.clock.advance(2'000ms);
  }
  client.send(std::string(100, ' '));
  wait_for_bytes(server, sent += 100);
  server.clock.advance(1'300ms);
  EXPECT_EQ(client.receive().status, 408);
}

/// Sends 100,000 bytes over three minutes. @returns how long the handler then has.
std::chrono::milliseconds time_after_slow_body(TestServer& server, std::string_view headers) {
  RawClient client{server.port()};
  const std::string head =
      "POST /deadline HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
      "Expect: 100-continue\r\n" +
      std::string(headers) + "\r\n";
  EXPECT_EQ(client.call(head).status, 100);
  std::int64_t sent = server.figures().bytes_in;
  for (int i = 0; i < 20; ++i) {
    server.clock.advance(9'000ms);
    client.send(std::string(5'000, ' '));
    wait_for_bytes(server, sent += 5'000);
  }
  const RawClient::Answer answer = client.receive();
  EXPECT_EQ(answer.status, 200);
  return std::chrono::milliseconds{std::stoll(answer.body)} -
         std::chrono::duration_cast<std::chrono::milliseconds>(server.clock.monotonic().time_since_epoch());
}

TEST_F(ServerTime, TheTimeForAnAnswerBeginsWhenTheBodyIsThere) {
  TestServer server{echo};
  EXPECT_EQ(time_after_slow_body(server, ""), ServerConfig{}.request_timeout_max);
}

TEST_F(ServerTime, AClientThatSaysHowLongItWaitsMeansTheBodyToo) {
  TestServer server{echo};
  EXPECT_EQ(time_after_slow_body(server, "Ekiden-Timeout-Ms: 50000\r\n"), 50'000ms - 180'000ms);
}

TEST_F(ServerTime, ClosesOnClientsThatDoNotReadTheirAnswer) {
  TestServer server{echo};
  RawClient client{server.port(), 4096};
  client.send(get("/big"));
  // The answer is larger than any socket buffer: some of it is out, and then it stands still.
  while (server.figures().bytes_out == 0) std::this_thread::yield();
  while (server.figures().connections == 1) {
    server.clock.advance(20'000ms);
    std::this_thread::yield();
  }
  EXPECT_EQ(server.figures().timeouts, 1);
  EXPECT_LT(client.receive_all().size(), 64U * 1024 * 1024);
}

TEST_F(ServerTime, SendsLargeAnswersToSlowReadersWhole) {
  TestServer server{echo};
  RawClient client{server.port(), 4096};
  const RawClient::Answer answer = client.call(get("/big"));
  EXPECT_EQ(answer.body.size(), 64U * 1024 * 1024);
  EXPECT_EQ(client.call(get("/fast")).status, 200);
}

TEST_F(ServerTime, DrainsIdleAtOnceAndBusyWhenTheyAreDone) {
  TestServer server{echo};
  RawClient idle{server.port()};
  EXPECT_EQ(idle.call(get("/fast")).status, 200);
  RawClient busy{server.port()};
  busy.send(get("/waits"));
  echo.waiting.wait();
  std::future<void> drained = server.start_drain(20s);
  EXPECT_TRUE(idle.is_closed_by_server());
  idle.finish_sending();
  EXPECT_THROW(RawClient{server.port()}, std::runtime_error);
  echo.gate.count_down();
  const RawClient::Answer last = busy.receive();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_TRUE(busy.is_closed_by_server());
  busy.finish_sending();
  drained.get();
  EXPECT_EQ(server.figures().connections, 0);
}

TEST_F(ServerTime, PausesAcceptingAtItsLimitAndRecovers) {
  ServerConfig config = TestServer::quick();
  config.connections_max = 2;
  TestServer server{echo, config};
  auto first = std::make_unique<RawClient>(server.port());
  RawClient second{server.port()};
  EXPECT_EQ(first->call(get("/fast")).status, 200);
  EXPECT_EQ(second.call(get("/fast")).status, 200);
  RawClient third{server.port()};  // in the kernel's queue
  third.send(get("/fast"));
  while (server.figures().accept_pauses == 0) std::this_thread::yield();
  EXPECT_EQ(server.figures().accepted, 2);
  first.reset();
  EXPECT_EQ(third.receive().status, 200);
}

TEST_F(ServerTime, SpreadsConnectionsOverItsLoops) {
  TestServer server{echo, TestServer::quick(), 2};
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  for (int round = 0; round < 5; ++round) {
    for (auto& client : clients) client->send(round % 2 == 0 ? get("/fast") : post("/json", "{}"));
    for (auto& client : clients) EXPECT_EQ(client->receive().status, 200);
  }
  EXPECT_EQ(server.figures().accepted, 8);
  EXPECT_EQ(server.figures().by_class[2], 40);
}

/// Loops that the test runs by hand, and a server on them that is cut off in the middle of a drain: the first
/// loop waits for a connection of the second, which never learns of it.
void stop_in_mid_drain(Echo& echo, std::size_t first_to_go) {
  const ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{7};
  testing::MemorySink sink;
  const Logger logger{sink, clock};
  runtime::FiguresRegistry figures;
  runtime::CpuPool blocking{{.service = "test", .name = "disk"}, {}, logger, figures};
  std::array<std::unique_ptr<boost::asio::io_context>, 2> loops{std::make_unique<boost::asio::io_context>(1),
                                                                std::make_unique<boost::asio::io_context>(1)};
  auto server = std::make_unique<Server>(
      TestServer::quick(),
      std::vector<boost::asio::any_io_executor>{loops[0]->get_executor(), loops[1]->get_executor()}, echo,
      blocking, clock, random, logger);
  server->start();
  RawClient on_first{server->port()};
  RawClient on_second{server->port()};
  while (server->figures().connections < 2) {
    for (const auto& loop : loops) loop->poll();
  }
  const auto drained =
      boost::asio::co_spawn(*loops[0], server->drain(Deadline{Instant::min()}), boost::asio::use_future);
  while (server->figures().connections > 1) loops[0]->poll();
  EXPECT_TRUE(on_first.is_closed_by_server());
  server.reset();
  loops.at(first_to_go).reset();
  loops.at(1 - first_to_go).reset();
  EXPECT_TRUE(on_second.is_closed_by_server());
}

TEST_F(ServerTime, ItsLoopsMayGoInAnyOrder) {
  stop_in_mid_drain(echo, 0);
  stop_in_mid_drain(echo, 1);
}

std::string form(std::string_view body) {
  return "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; "
         "boundary=XX\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string file_part(std::string_view name, std::string_view content) {
  return "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + std::string(name) +
         "\"\r\nContent-Type: text/xml\r\n\r\n" + std::string(content) + "\r\n";
}

TEST_F(ServerTime, StreamsFormsToDiskAndCleansUp) {
  TestServer server{echo};
  RawClient client{server.port()};
  const std::string big(600'000, 'g');
  const RawClient::Answer answer =
      client.call(form("--XX\r\nContent-Disposition: form-data; name=\"sport\"\r\n\r\nrun\r\n" +
                       file_part("../../etc/passwd", big) + file_part("b.fit", "") + "--XX--\r\n"));
  EXPECT_EQ(answer.body, "sport=run;file@passwd:600000;file@b.fit:0;");
  EXPECT_TRUE(std::filesystem::is_empty(server.spool()));
  EXPECT_EQ(client.call(get("/fast")).status, 200);
}

TEST_F(ServerTime, ReadsFormsThatComeInChunks) {
  TestServer server{echo};
  RawClient client{server.port()};
  const std::string body = file_part("a.gpx", std::string(300'000, 'g')) + "--XX--\r\n";
  std::string request =
      "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 50'000) {
    const std::string piece = body.substr(at, 50'000);
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    request += size.data() + piece + "\r\n";
  }
  EXPECT_EQ(client.call(request + "0\r\n\r\n").body, "file@a.gpx:300000;");
  EXPECT_EQ(client.call(get("/fast")).status, 200);
}

TEST_F(ServerTime, RemovesTheFilesOfBrokenForms) {
  TestServer server{echo};
  {
    RawClient client{server.port()};
    EXPECT_EQ(client.call(form(file_part("a", std::string(400'000, 'x')) + "--XX?")).status, 400);
    RawClient large{server.port()};
    EXPECT_EQ(large.call(form(file_part("a", std::string(2'000'000, 'x')) + "--XX--")).status, 413);
    RawClient gone{server.port()};
    gone.send(form(file_part("a", std::string(900'000, 'x'))).substr(0, 700'000));
    wait_for_bytes(server, 1'000'000);
  }
  while (server.figures().in_flight > 0) std::this_thread::yield();
  EXPECT_TRUE(std::filesystem::is_empty(server.spool()));
}

}  // namespace
}  // namespace ekiden::http
