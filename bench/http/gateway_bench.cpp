// A gateway in front of one server, for comparison with nginx in front of the same one
// (bench/gateway_compare): every request has its token checked, finds its route, draws on its budget, and is
// passed on or gets 429. Usage: gateway_bench PORT BACKEND_PORT TOKEN_FILE plenty|little [REDIS_PORT]
// `little` is a budget of one request a second; with a REDIS_PORT budgets are kept there. It writes a token
// for the load into the file. Stops at SIGTERM.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <sodium.h>

#include "ports/limits/memory/memory_limits.hpp"
#include "ports/limits/redis/redis_limits.hpp"
#include "services/gateway/dispatcher.hpp"
#include "services/gateway/upstream/remote_caller.hpp"

namespace {

using namespace ekiden;

std::string token_for_the_load(const http::TokenSigner& signer, const Clock& clock, Random& random) {
  Ids ids{clock, random};
  const Timestamp now = clock.now();
  return signer.sign({.user_id = ids.make<UserId>(),
                      .session_id = ids.make<SessionId>(),
                      .role = http::Role::member,
                      .token_id = Uuid{},
                      .issued_at = now,
                      .expires_at = now + std::chrono::hours{1}});
}

/// Budgets in this process or in a Redis.
class Buckets {
 public:
  Buckets(const char* redis_port, const Clock& clock, Random& random, const Logger& logger)
      : alone_(limits::make_memory_limits(clock, {})) {
    if (redis_port == nullptr) return;
    redis::ClientConfig config;
    config.address.port = static_cast<std::uint16_t>(std::atoi(redis_port));
    client_.emplace(config, clock, random, logger);
    if (!client_->wait_until_up(clock.monotonic() + std::chrono::seconds{10}))
      throw std::runtime_error("no Redis on this port");
    shared_ = limits::make_redis_limits(*client_, *alone_, clock, logger);
  }
  limits::Limits& limits() { return shared_ ? static_cast<limits::Limits&>(*shared_) : *alone_; }

 private:
  std::unique_ptr<limits::Limits> alone_;
  std::optional<redis::Client> client_;
  std::unique_ptr<limits::Limits> shared_;
};

int run(std::uint16_t port, const std::string& backend, const char* token_file, bool is_little,
        const char* redis_port) {
  const SystemClock clock;
  SystemRandom random;
  FdLogSink sink{2};
  const Logger logger{sink, clock};
  boost::asio::io_context loop{1};
  runtime::Metrics metrics;
  const http::TokenSigner signer{http::SigningSeed::generate(random)};
  std::ofstream(token_file) << token_for_the_load(signer, clock, random);
  const http::TokenVerifier verifier{{signer.public_key()}};
  const http::CallSigner calls{{.current = std::string(32, 'b'), .previous = {}}};
  gateway::UpstreamConfig upstream;
  upstream.addresses["backend"] = {"127.0.0.1:" + backend};
  gateway::RemoteCaller caller{upstream, {loop.get_executor()}, calls, clock, random, logger, metrics};
  const http::Route route{.verb = http::Verb::get, .pattern = "/a.json", .handler = {}};
  const Result<void> added = caller.add("backend", {&route});
  if (!added) throw std::runtime_error(added.error().text());
  gateway::GatewayConfig config;
  config.read = is_little ? limits::Policy{.rate_per_s = 1, .burst = 1}
                          : limits::Policy{.rate_per_s = 1e6, .burst = 1'000'000};
  Buckets buckets(redis_port, clock, random, logger);
  const http::Router router{{{"backend", &route}}};
  const gateway::Revocations revocations{std::chrono::minutes{16}, 1};
  gateway::Authenticator authenticator{verifier, revocations, caller, nullptr, clock, config};
  gateway::Budgets budgets{buckets.limits(), config};
  gateway::Dispatcher dispatcher{router, authenticator, budgets, caller, clock, logger, metrics, {&route}};
  http::ServerConfig server_config;
  server_config.port = port;
  runtime::FiguresRegistry figures;
  runtime::CpuPool disk{{.service = "bench", .name = "disk"}, {}, logger, figures};
  http::Server server{server_config, {loop.get_executor()}, dispatcher, disk, clock, random, logger};
  server.start();
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  signals.async_wait([&loop](boost::system::error_code, int) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 6 || sodium_init() < 0) {
    std::fputs("usage: gateway_bench PORT BACKEND_PORT TOKEN_FILE plenty|little [REDIS_PORT]\n", stderr);
    return 2;
  }
  const bool is_little = std::string_view(argv[4]) == "little";
  return run(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2], argv[3], is_little,
             argc == 6 ? argv[5] : nullptr);
}
