#include "services/gateway/upstream/options.hpp"

namespace ekiden::gateway {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Option<std::int64_t> kConnections{.key = "upstream.connections_max",
                                            .help = "Connections that a gateway opens to one process.",
                                            .fallback = 256,
                                            .min = 1,
                                            .max = 65'536};
constexpr Option<std::int64_t> kWaiting{.key = "upstream.waiting_max",
                                        .help = "Calls that wait for one of these; more get 503.",
                                        .fallback = 1024,
                                        .min = 1,
                                        .max = 1'000'000};
constexpr Option<Milliseconds> kConnect{.key = "upstream.connect_timeout",
                                        .help = "How long a connection to a process may take to open.",
                                        .fallback = seconds{1},
                                        .min = milliseconds{10},
                                        .max = seconds{60}};
constexpr Option<Milliseconds> kIdle{
    .key = "upstream.idle_timeout",
    .help = "When a connection that rests is closed; below the services' own 75 s.",
    .fallback = seconds{30},
    .min = seconds{1},
    .max = seconds{70}};
constexpr Option<Milliseconds> kStall{.key = "upstream.stall_timeout",
                                      .help = "How long a body that passes through may stand still.",
                                      .fallback = seconds{60},
                                      .min = seconds{1},
                                      .max = seconds{3600}};
constexpr Option<Milliseconds> kResolve{.key = "upstream.resolve_every",
                                        .help = "How often names are asked for again.",
                                        .fallback = seconds{10},
                                        .min = milliseconds{100},
                                        .max = seconds{3600}};
constexpr Option<Milliseconds> kCheck{.key = "upstream.check_every",
                                      .help = "How often each process is asked whether it is ready.",
                                      .fallback = seconds{1},
                                      .min = milliseconds{10},
                                      .max = seconds{60}};
constexpr Option<std::int64_t> kAttempts{.key = "upstream.attempts_max",
                                         .help = "How often a call that may be repeated is made.",
                                         .fallback = 3,
                                         .min = 1,
                                         .max = 10};
constexpr Option<double> kRetries{.key = "upstream.retry_ratio",
                                  .help = "Retries per call of a service, over time.",
                                  .fallback = 0.2,
                                  .min = 0,
                                  .max = 1};
constexpr Option<double> kReserve{.key = "upstream.retry_reserve",
                                  .help = "Retries that may come at once after a rest.",
                                  .fallback = 100,
                                  .min = 0,
                                  .max = 100'000};
constexpr Option<std::int64_t> kTunnels{.key = "upstream.tunnels_max",
                                        .help = "WebSockets at once on each of the gateway's loops.",
                                        .fallback = 10'000,
                                        .min = 1,
                                        .max = 1'000'000};

std::string key_of(std::string_view service) {
  return "upstream." + std::string(service);
}

}  // namespace

std::vector<OptionInfo> upstream_options(const std::vector<std::string_view>& services) {
  std::vector<OptionInfo> all;
  for (const std::string_view service : services) {
    const std::string key = key_of(service);
    const std::string help = "Where processes of " + std::string(service) +
                             " listen, for a gateway that does not run it itself: `10.0.0.1:8081`, "
                             "`[fd00::1]:8081`, or `name:8081` "
                             "for every address of a name.";
    all.emplace_back(Option<std::vector<std::string>>{.key = key, .help = help});
  }
  all.insert(all.end(), {kConnections, kWaiting, kConnect, kIdle, kStall, kResolve, kCheck, kAttempts,
                         kRetries, kReserve, kTunnels});
  return all;
}

UpstreamConfig read_upstream_config(const Config& config, const std::vector<std::string_view>& services) {
  UpstreamConfig upstream;
  for (const std::string_view service : services) {
    const auto& where = std::get<std::vector<std::string>>(config.at(key_of(service)));
    if (!where.empty()) upstream.addresses[std::string(service)] = where;
  }
  upstream.connections_max = static_cast<std::size_t>(config.get(kConnections));
  upstream.waiting_max = static_cast<std::size_t>(config.get(kWaiting));
  upstream.connect_timeout = config.get(kConnect);
  upstream.idle_timeout = config.get(kIdle);
  upstream.stall_timeout = config.get(kStall);
  upstream.resolve_every = config.get(kResolve);
  upstream.check_every = config.get(kCheck);
  upstream.attempts_max = static_cast<int>(config.get(kAttempts));
  upstream.retry_ratio = config.get(kRetries);
  upstream.retry_reserve = config.get(kReserve);
  upstream.tunnels_max = static_cast<std::size_t>(config.get(kTunnels));
  return upstream;
}

}  // namespace ekiden::gateway
