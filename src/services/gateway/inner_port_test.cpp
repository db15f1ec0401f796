#include "services/gateway/inner_port.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/upstream/testing/cluster.hpp"

// What stands behind the gateway trusts a signature and nothing else.
namespace ekiden::gateway {
namespace {

using http::testing::get;
using http::testing::RawClient;
using http::testing::TestServer;
using ::testing::HasSubstr;

/// Tells who is asking.
class Who final : public services::ServiceCaller {
 public:
  runtime::Task<Result<http::Response>> call(const http::Route& route, http::Request request) override {
    std::string text =
        std::string(route.pattern) + " " + request.client_address + " " + request.request_id + " ";
    text += request.identity ? request.identity->user_id.to_string() : "nobody";
    if (request.headers.get(http::kInternalCallerHeader)) text += " leaks";
    co_return http::Response::json(200, text);
  }
  bool is_reachable(std::string_view) const override { return true; }
};

class InnerPortTest : public ::testing::Test {
 protected:
  static http::Route route(std::string_view pattern, http::Auth auth) {
    return {.verb = http::Verb::get, .pattern = pattern, .handler = {}, .auth = auth};
  }
  static http::ServerConfig config() {
    http::ServerConfig config = TestServer::quick();
    make_inner(config);
    return config;
  }
  std::string header(std::string_view target, const std::optional<http::Identity>& identity = {}) {
    return "X-Internal-Caller: " +
           signer.sign(http::Verb::get, target, identity, "192.0.2.7", server.clock.now()) + "\r\n";
  }
  RawClient::Answer call(const std::string& bytes) {
    RawClient client{server.port()};
    return client.call(bytes);
  }

  http::Route me = route("/api/v1/me", http::Auth::user);
  http::Route admin = route("/api/v1/admin", http::Auth::admin);
  http::Route open = route("/readyz", http::Auth::none);
  http::Route anyone = route("/api/v1/anyone", http::Auth::none);
  http::Route internal = route("/internal/figures", http::Auth::internal);
  http::Router router{
      {{"echo", &me}, {"echo", &admin}, {"echo", &open}, {"echo", &anyone}, {"echo", &internal}}};
  http::CallSigner signer{testing::cluster_secret()};
  http::CallVerifier verifier{testing::cluster_secret(), std::chrono::seconds{30}};
  Who who;
  runtime::Metrics metrics;
  ekiden::testing::ManualClock clock;
  http::testing::MemorySink sink;
  InnerPort port{router, verifier, {&open}, who, clock, Logger{sink, clock}, metrics, {&me, &admin, &open}};
  TestServer server{port, config()};
  const http::Identity person{.user_id = *UserId::parse("018f0000-0000-7000-8000-000000000001"),
                              .role = http::Role::member,
                              .session_id = {},
                              .scopes = {},
                              .by_api_key = false};
};

TEST_F(InnerPortTest, WithoutASignatureEverythingButHealthIs401) {
  EXPECT_EQ(call(get("/readyz")).status, 200);
  EXPECT_EQ(call(get("/healthz")).status, 200);
  for (const char* path : {"/api/v1/me", "/api/v1/anyone", "/internal/figures", "/nowhere"}) {
    const auto answer = call(get(path, "X-User-Id: 018f0000-0000-7000-8000-000000000001\r\n"));
    EXPECT_EQ(answer.status, 401) << path;
    EXPECT_THAT(answer.body, HasSubstr("urn:ekiden:not-from-here")) << path;
  }
}

TEST_F(InnerPortTest, ASignatureOfAnotherSecretTargetVerbOrHourIsNone) {
  const http::CallSigner stranger{{.current = std::string(32, 's'), .previous = {}}};
  EXPECT_EQ(
      call(get("/api/v1/me",
               "X-Internal-Caller: " +
                   stranger.sign(http::Verb::get, "/api/v1/me", person, "", server.clock.now()) + "\r\n"))
          .status,
      401);
  EXPECT_EQ(call(get("/api/v1/me", header("/api/v1/anyone", person))).status, 401);
  EXPECT_EQ(call(get("/api/v1/me", header("/api/v1/me", person) + header("/api/v1/me", person))).status, 401);
  const std::string old = header("/api/v1/me", person);
  EXPECT_EQ(call("DELETE /api/v1/me HTTP/1.1\r\nHost: a\r\n" + old + "\r\n").status, 401);
  EXPECT_EQ(call(get("/api/v1/me", old)).status, 200);
  clock.advance(std::chrono::seconds{31});
  EXPECT_EQ(call(get("/api/v1/me", old)).status, 401);
}

TEST_F(InnerPortTest, TheHandlerLearnsWhoAsksAndNotHowItIsKnown) {
  const std::string id = "018f0000-0000-7000-8000-0000000000aa";
  const auto answer = call(get("/api/v1/me", header("/api/v1/me", person) + "X-Request-Id: " + id + "\r\n"));
  EXPECT_EQ(answer.body, "/api/v1/me 192.0.2.7 " + id + " " + person.user_id.to_string());
  EXPECT_THAT(call(get("/api/v1/anyone", header("/api/v1/anyone"))).body, HasSubstr("nobody"));
  EXPECT_EQ(call(get("/internal/figures", header("/internal/figures"))).status, 200);
  EXPECT_EQ(call(get("/nowhere", header("/nowhere"))).status, 404);
}

TEST_F(InnerPortTest, ChecksAgainWhatTheGatewayHasChecked) {
  EXPECT_EQ(call(get("/api/v1/admin", header("/api/v1/admin", person))).status, 403);
  EXPECT_EQ(call(get("/api/v1/me", header("/api/v1/me"))).status, 401);
}

TEST_F(InnerPortTest, SentAwayClientsGetTheirAnswersAndGo) {
  EXPECT_EQ(call(get("/readyz")).header("Connection"), "");
  server.server().send_away();
  const auto answer = call(get("/readyz"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(call(get("/healthz")).header("Connection"), "close");
}

}  // namespace
}  // namespace ekiden::gateway
