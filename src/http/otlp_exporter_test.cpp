#include "http/otlp_exporter.hpp"

#include <gtest/gtest.h>

#include "base/mutex.hpp"
#include "http/testing/test_server.hpp"

namespace ekiden::http {
namespace {

using testing::TestServer;

/// A collector: keeps the bodies that it was sent, and answers with `status`.
class Collector final : public Dispatcher {
 public:
  runtime::Task<Admission> admit(Request&) override {
    co_return Admitted{&route_, BodyPolicy::json(1024 * 1024)};
  }
  runtime::Task<Response> handle(const Route&, Request request) override {
    const MutexLock lock(mutex_);
    bodies_.push_back(request.path + " " + request.body);
    arrived_.notify_all();
    co_return Response::json(status_, "{}");
  }
  void answer(int status) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    status_ = status;
  }
  std::vector<std::string> await_bodies(std::size_t count) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (bodies_.size() < count) arrived_.wait(mutex_);
    return bodies_;
  }

 private:
  Route route_;
  Mutex mutex_;
  CondVar arrived_;
  std::vector<std::string> bodies_ EKIDEN_GUARDED_BY(mutex_);
  int status_ EKIDEN_GUARDED_BY(mutex_) = 200;
};

Span sample(std::string service) {
  return {.context = {.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
                      .span_id = "00f067aa0ba902b7",
                      .sampled = true,
                      .parent_span_id = "00f067aa0ba902b6"},
          .kind = SpanKind::consumer,
          .service = std::move(service),
          .name = "process workout.recorded",
          .start = from_micros(1'000'001),
          .end = from_micros(2'000'000),
          .attributes = {{"messaging.message.id", "a\"b"}}};
}

class OtlpTest : public ::testing::Test {
 protected:
  std::unique_ptr<OtlpExporter> make(OtlpConfig config) {
    config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    config.instance = "user-1";
    config.interval = std::chrono::milliseconds{0};
    auto made = OtlpExporter::make(std::move(config), clock, Logger{sink, clock});
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  Collector collector;
  TestServer server{collector};
  const SystemClock clock;
  testing::MemorySink sink;
};

TEST(OtlpJson, IsAsTheSpecificationHasIt) {
  Span failed = sample("workout");
  failed.context.parent_span_id.clear();
  failed.error = "late";
  EXPECT_EQ(to_otlp_json({sample("user")}, "u-1"),
            R"({"resourceSpans":[{"resource":{"attributes":[)"
            R"({"key":"service.namespace","value":{"stringValue":"ekiden"}},)"
            R"({"key":"service.name","value":{"stringValue":"user"}},)"
            R"({"key":"service.instance.id","value":{"stringValue":"u-1"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"ekiden"},"spans":[)"
            R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",)"
            R"("parentSpanId":"00f067aa0ba902b6","name":"process workout.recorded","kind":5,)"
            R"("startTimeUnixNano":"1000001000","endTimeUnixNano":"2000000000",)"
            R"("attributes":[{"key":"messaging.message.id","value":{"stringValue":"a\"b"}}]}]}]}]})");
  const std::string both = to_otlp_json({failed, sample("user")}, "u-1");
  EXPECT_NE(both.find(R"("status":{"code":2,"message":"late"})"), std::string::npos) << both;
  EXPECT_NE(both.find(R"("stringValue":"workout")"), std::string::npos) << both;
}

TEST_F(OtlpTest, SendsWhatItWasGivenAndTheRestWhenItGoes) {
  auto exporter = make({});
  exporter->record(sample("user"));
  const auto bodies = collector.await_bodies(1);
  EXPECT_EQ(bodies.front(), "/v1/traces " + to_otlp_json({sample("user")}, "user-1"));
  exporter->record(sample("workout"));
  exporter.reset();
  EXPECT_EQ(collector.await_bodies(2).size(), 2U);
}

TEST_F(OtlpTest, ACollectorThatRefusesCostsSpansAndOneLine) {
  collector.answer(503);
  auto exporter = make({});
  exporter->record(sample("user"));
  collector.await_bodies(1);
  exporter->record(sample("user"));
  collector.await_bodies(2);
  exporter.reset();
  const std::string lines = sink.lines();
  const std::size_t first = lines.find("traces_not_taken");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(lines.find("traces_not_taken", first + 1), std::string::npos);
}

TEST(OtlpEndpoint, IsRefusedByName) {
  const SystemClock clock;
  testing::MemorySink sink;
  for (const char* bad : {"", "127.0.0.1:4318", "https://a", "http://", "http://a:b", "http://:1",
                          "http://a:999999", "http://no-such-host.invalid:1"}) {
    const auto made = OtlpExporter::make({.endpoint = bad, .instance = "x"}, clock, Logger{sink, clock});
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().field(), "tracing.endpoint") << bad;
  }
}

}  // namespace
}  // namespace ekiden::http
