#include "app/options.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <unistd.h>

#include "app/adapters.hpp"
#include "app/service_set.hpp"
#include "services/gateway/upstream/options.hpp"

namespace ekiden::app {

namespace {

using std::chrono::seconds;

constexpr Option<std::string> kAddress{
    .key = "server.address", .help = "Address to listen on.", .fallback = "127.0.0.1"};
constexpr Option<std::int64_t> kPort{.key = "server.port",
                                     .help = "Port to listen on; 0 takes any free one.",
                                     .fallback = 8080,
                                     .min = 0,
                                     .max = 65'535};
constexpr Option<std::string> kLogLevel{.key = "log.level",
                                        .help = "The least level that is logged.",
                                        .fallback = "info",
                                        .one_of = "debug|info|warning|error"};
constexpr Option<Milliseconds> kGrace{.key = "server.grace",
                                      .help = "After SIGTERM, how long what is in work may take.",
                                      .fallback = seconds{20},
                                      .min = seconds{1},
                                      .max = seconds{3600}};
constexpr Option<std::vector<std::string>> kProxies{.key = "server.trusted_proxies",
                                                    .help = "Networks whose X-Forwarded-For is believed."};
constexpr Option<std::int64_t> kHops{.key = "server.proxy_hops",
                                     .help = "How many of our proxies a request passes.",
                                     .fallback = 1,
                                     .min = 1,
                                     .max = 16};
constexpr Option<std::int64_t> kConnections{.key = "server.connections_max",
                                            .help = "Open connections; more wait to be accepted.",
                                            .fallback = 16'384,
                                            .min = 1,
                                            .max = 1'000'000};
constexpr Option<std::int64_t> kDiskThreads{.key = "server.disk_threads",
                                            .help = "Threads that write what is being received.",
                                            .fallback = 2,
                                            .min = 1,
                                            .max = 256};

constexpr Option<std::string> kKeys{
    .key = "cluster.keys",
    .help =
        "Folder of the keys that all processes of a cluster share; empty: the data directory's own, and no "
        "other process is called or answered."};
constexpr Option<std::string> kName{
    .key = "cluster.name",
    .help =
        "What this process is called among its like, the same after a restart; empty: the machine's name and "
        "the port."};
constexpr Option<std::string> kTraces{
    .key = "tracing.endpoint",
    .help = "An OpenTelemetry collector that takes traces, http://HOST:PORT (OTLP over HTTP); empty: none.",
    .fallback = ""};
constexpr Option<double> kTraced{.key = "tracing.share",
                                 .help = "Of requests that bring no trace of their own, how many are traced.",
                                 .fallback = 0.01,
                                 .min = 0,
                                 .max = 1};
constexpr Option<Milliseconds> kSkew{.key = "cluster.clock_skew",
                                     .help = "How far the clocks of two machines of the cluster may differ.",
                                     .fallback = seconds{30},
                                     .min = seconds{1},
                                     .max = seconds{300}};
constexpr Option<Milliseconds> kDrainDelay{
    .key = "cluster.drain_delay",
    .help =
        "After SIGTERM, how long a process goes on answering while whoever balances over it finds out: at "
        "least three times upstream.check_every.",
    .fallback = seconds{3},
    .min = seconds{0},
    .max = seconds{600}};

LogLevel level_of(const std::string& text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warning") return LogLevel::warning;
  return text == "error" ? LogLevel::error : LogLevel::info;
}

}  // namespace

ConfigSchema schema() {
  ConfigSchema all;
  all.add({kAddress, kPort, kLogLevel, kGrace, kProxies, kHops, kConnections, kDiskThreads, kKeys, kName,
           kSkew, kDrainDelay, kTraces, kTraced});
  all.add(adapter_options());
  for (const ServiceRow& row : service_table()) all.add(row.options());
  all.add(gateway::upstream_options(callable_services()));
  return all;
}

std::string member_name(const Config& config) {
  if (!are_tables_shared(config)) return "0";
  const std::string given = config.get(kName);
  if (!given.empty()) return given;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0)
    throw std::system_error(errno, std::generic_category(), "the machine's name");
  return std::string(host.data()) + "-" + std::to_string(config.get(kPort));
}

ProcessConfig read_process_config(const Config& config) {
  return {.address = config.get(kAddress),
          .port = static_cast<std::uint16_t>(config.get(kPort)),
          .log_level = level_of(config.get(kLogLevel)),
          .grace = config.get(kGrace),
          .trusted_proxies = config.get(kProxies),
          .proxy_hops = config.get(kHops),
          .connections_max = config.get(kConnections),
          .disk_threads = config.get(kDiskThreads),
          .cluster_keys = config.get(kKeys),
          .clock_skew = config.get(kSkew),
          .drain_delay = config.get(kDrainDelay),
          .traces_endpoint = config.get(kTraces),
          .traced_share = config.get(kTraced)};
}

}  // namespace ekiden::app
