#include "app/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/options.hpp"
#include "app/service_set.hpp"
#include "base/testing/folder.hpp"
#include "base/testing/seeded_random.hpp"
#include "http/testing/raw_client.hpp"

namespace ekiden::app {
namespace {

using ::testing::HasSubstr;

class NoLog final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

/// A process that runs some of the services in a folder of its own, on the machine's own clock.
class Process {
 public:
  explicit Process(std::vector<std::string> services, std::vector<std::string> settings = {}) {
    settings.insert(settings.end(), {"server.port=0", "user.hash_memory_kib=8", "user.hash_passes=1"});
    auto config = schema().load("", settings);
    if (!config) throw std::runtime_error(config.error().text());
    node_ =
        std::make_unique<Node>(*config, folder_.path(), std::move(services), clock_, random_, logger_, [] {});
    const Result<void> started = node_->start();
    if (!started) throw std::runtime_error(started.error().text());
  }
  ~Process() { EXPECT_EQ(node_->stop(), std::nullopt); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Node& node() { return *node_; }

  http::testing::RawClient::Answer call(const std::string& verb_and_path, const std::string& body = "",
                                        const std::string& token = "", const std::string& headers = "") {
    http::testing::RawClient client(node_->port());
    std::string bytes = verb_and_path +
                        " HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n";
    if (!token.empty()) bytes += "Authorization: Bearer " + token + "\r\n";
    return client.call(bytes + headers + "\r\n" + body);
  }

 private:
  testing::Folder folder_;
  SystemClock clock_;
  testing::SeededRandom random_{11};
  NoLog sink_;
  Logger logger_{sink_, clock_};
  std::unique_ptr<Node> node_;
};

constexpr std::string_view kAnn =
    R"({"email":"ann@example.org","password":"a long way home","display_name":"Ann"})";

std::string text_of(const std::string& json, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const std::size_t from = json.find(start);
  if (from == std::string::npos) return "";
  const std::size_t begin = from + start.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

TEST(Node, GatewayCallsTheServicesOfItsProcess) {
  Process process({"user", "gateway"});
  EXPECT_EQ(process.call("POST /api/v1/auth/register", std::string(kAnn)).status, 201);
  const auto login =
      process.call("POST /api/v1/auth/login", R"({"email":"ann@example.org","password":"a long way home"})");
  ASSERT_EQ(login.status, 200) << login.body;
  const auto me = process.call("GET /api/v1/me", "", text_of(login.body, "access_token"));
  EXPECT_EQ(me.status, 200);
  EXPECT_THAT(me.body, HasSubstr("ann@example.org"));
  EXPECT_EQ(process.call("GET /api/v1/leaderboards", "", text_of(login.body, "access_token")).status, 404)
      << "a service that does not run here has no routes here";
}

/// Asks until the answer has this status; the test program's own time limit ends it otherwise.
void expect_soon(Process& process, const std::string& token, int status) {
  while (process.call("GET /api/v1/me", "", token).status != status) continue;
}

TEST(Node, AnEndedSessionsAccessTokenIsSoonRefused) {
  Process process({"user", "gateway"}, {"limits.enabled=false"});
  ASSERT_EQ(process.call("POST /api/v1/auth/register", std::string(kAnn)).status, 201);
  const std::string credentials = R"({"email":"ann@example.org","password":"a long way home"})";
  const std::string phone =
      text_of(process.call("POST /api/v1/auth/login", credentials).body, "access_token");
  const std::string laptop =
      text_of(process.call("POST /api/v1/auth/login", credentials).body, "access_token");
  ASSERT_EQ(process.call("GET /api/v1/me", "", phone).status, 200);
  EXPECT_EQ(process.call("POST /api/v1/auth/logout", "", phone).status, 204);
  expect_soon(process, phone, 401);
  EXPECT_EQ(process.call("GET /api/v1/me", "", laptop).status, 200);
  const std::string tablet =
      text_of(process.call("POST /api/v1/auth/login", credentials).body, "access_token");
  EXPECT_EQ(process
                .call("POST /api/v1/me/password",
                      R"({"current_password":"a long way home","new_password":"another way home"})", laptop)
                .status,
            204);
  expect_soon(process, tablet, 401);
  EXPECT_EQ(process.call("GET /api/v1/me", "", laptop).status, 200) << "the session that changed it stays";
}

TEST(Node, ASecretIsShownOnceAlsoUnderAnIdempotencyKey) {
  Process process({"user", "gateway"});
  ASSERT_EQ(process.call("POST /api/v1/auth/register", std::string(kAnn)).status, 201);
  const std::string token = text_of(
      process.call("POST /api/v1/auth/login", R"({"email":"ann@example.org","password":"a long way home"})")
          .body,
      "access_token");
  const std::string body = R"({"name":"watch","scopes":["uploads:write"]})";
  const std::string header = "Idempotency-Key: one\r\n";
  const auto first = process.call("POST /api/v1/me/api-keys", body, token, header);
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_TRUE(text_of(first.body, "key").starts_with("eka_"));
  const auto again = process.call("POST /api/v1/me/api-keys", body, token, header);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(text_of(again.body, "id"), text_of(first.body, "id"));
  EXPECT_THAT(again.body, HasSubstr(R"("key":null)"));
}

TEST(Node, SaysWhoRunsOnWhat) {
  Process process({});
  const auto metrics = process.call("GET /metrics");
  ASSERT_EQ(metrics.status, 200);
  for (
      const char* series :
      {R"(ekiden_threads{executor="relay",model="thread",service="user"} 1)",
       R"(ekiden_threads{executor="sql",model="sql_lanes",service="workout"} 3)",
       R"(ekiden_threads{executor="sql",model="sql_lanes",service="log"} 3)",
       R"(ekiden_threads{executor="consumer:gamification.boards",model="consumer",service="gamification"} 2)",
       R"(ekiden_threads{executor="argon2",model="worker_pool",service="user"} 1)",
       R"(ekiden_threads{executor="disk",model="worker_pool",service="gateway"} 2)",
       R"(ekiden_consumer_gaps_total{group="gamification.boards",topic="workouts"} 0)",
       R"(ekiden_consumer_after_commit_errors_total{group="gamification.boards",topic="workouts"} 0)"}) {
    EXPECT_THAT(metrics.body, HasSubstr(series));
  }
}

TEST(Node, WithoutTheGatewayNothingListens) {
  Process process({"gamification"});
  EXPECT_EQ(process.node().port(), 0);
}

TEST(Node, AllServicesComeUpTogether) {
  Process process({});
  EXPECT_EQ(process.call("GET /healthz").status, 200);
  EXPECT_EQ(process.call("GET /readyz").status, 200);
  const auto page = process.call("GET /");
  for (const ServiceRow& row : service_table()) EXPECT_THAT(page.body, HasSubstr(std::string(row.name)));
}

}  // namespace
}  // namespace ekiden::app
