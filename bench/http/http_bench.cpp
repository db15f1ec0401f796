// A server that answers every request with 200 bytes of JSON, for comparison with nginx serving a file of
// that size. Usage: http_bench PORT [slow]   `slow` takes the coroutine path. Stops at SIGTERM.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"
#include "http/server.hpp"

namespace {

using namespace ekiden;

class Answers final : public http::Dispatcher {
 public:
  explicit Answers(bool slow) : slow_(slow), body_(R"({"items":[")" + std::string(187, 'x') + R"("]})") {}

  http::Fast try_fast(const http::FastRequest&, http::FastReply& reply) override {
    if (slow_) return http::Fast::no;
    reply.body = body_;
    return http::Fast::answered;
  }
  runtime::Task<http::Admission> admit(http::Request&) override { co_return http::Admitted{&route_, {}}; }
  runtime::Task<http::Response> handle(const http::Route&, http::Request) override {
    co_return http::Response::json(200, body_);
  }

 private:
  bool slow_;
  std::string body_;
  http::Route route_{.verb = http::Verb::get, .pattern = "/", .handler = {}};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: http_bench PORT [slow]\n", stderr);
    return 2;
  }
  const SystemClock clock;
  SystemRandom random;
  FdLogSink sink{2};
  boost::asio::io_context loop{1};
  Answers answers{argc > 2};
  http::ServerConfig config;
  config.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const Logger logger{sink, clock};
  runtime::FiguresRegistry figures;
  runtime::CpuPool disk{{.service = "bench", .name = "disk"}, {}, logger, figures};
  http::Server server{config, {loop.get_executor()}, answers, disk, clock, random, logger};
  server.start();
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  signals.async_wait([&loop](boost::system::error_code, int) { loop.stop(); });
  loop.run();
  return 0;
}
